// SPDX-License-Identifier: MIT
//
// What there is to measure in a benchmark of mitata: a function, or what a generator yields.
import type { MeasureEnergyOptions } from '../kernel/types.js';
import { type AbsentEnergy, absent, type BenchmarkEnergy, type EnergyOptions, energyOf } from './energy.js';

type Args = Record<string, unknown>;

const isFunction = (value: unknown): value is (...given: unknown[]) => unknown => typeof value === 'function';

/** By its class, as mitata tells generators. */
function isGenerator(
  fn: object,
): fn is (state: { get(name: string): unknown }) => Iterator<unknown, unknown> {
  return /^(Async)?GeneratorFunction$/.test(fn.constructor.name);
}

const notMeasurable = (name: string, reason: string, detail: string): AbsentEnergy =>
  absent(name, reason, detail, 'Yield a function that does the work and nothing else.');

/** Functions in the numbered properties of what is yielded make the arguments of each call. */
function parametersOf(yielded: object): (() => unknown)[] {
  const made: (() => unknown)[] = [];
  while (isFunction((yielded as Args)[made.length]))
    made.push((yielded as Args)[made.length] as () => unknown);
  return made;
}

async function energyOfYielded(
  yielded: unknown,
  args: Args,
  options: EnergyOptions & { name: string },
): Promise<BenchmarkEnergy> {
  const { name } = options;
  const settings = (typeof yielded === 'object' && yielded !== null ? yielded : {}) as Args;
  if (Number(settings.concurrency ?? args.concurrency ?? 1) > 1) {
    return notMeasurable(name, 'concurrent', 'calls that run at the same time have no energy of their own');
  }
  if (isFunction(yielded)) return energyOf(() => yielded(), options);
  if (!isFunction(settings.bench)) {
    return notMeasurable(
      name,
      'manual',
      'a function that returns its own time cannot be measured apart from it',
    );
  }
  const { bench } = settings as { bench: (...given: unknown[]) => unknown };
  const parameters = parametersOf(settings);
  if (parameters.length === 0) return energyOf(() => bench(), options);
  const setup: NonNullable<MeasureEnergyOptions<unknown[]>['setup']> = () =>
    Promise.all(parameters.map((make) => make()));
  return energyOf<unknown[]>((given) => bench(...given), { ...options, setup });
}

/**
 * The energy of one iteration. Generators are run up to their yield, and ended afterwards.
 * @throws what the function or the generator throws
 */
export async function energyOfBenchmark(
  fn: (...given: never[]) => unknown,
  args: Args,
  options: EnergyOptions & { name: string },
): Promise<BenchmarkEnergy> {
  if (isGenerator(fn)) {
    const generator = fn({ get: (key) => args[key] });
    const { value } = await generator.next();
    try {
      return await energyOfYielded(value, args, options);
    } finally {
      await generator.next();
    }
  }
  if (fn.length === 0) return energyOf(fn as () => unknown, options);
  const detail = 'the loop over its state is the harness’s: one iteration is no function of its own';
  return notMeasurable(options.name, 'loop over state', detail);
}
