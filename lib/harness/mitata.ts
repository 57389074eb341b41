// SPDX-License-Identifier: MIT
//
// mitata with energy: after each benchmark's time, a pass of ours for energy.
import * as mitata from 'mitata';
import { absentAfter, type BenchmarkEnergy, checkEnergyOptions, type EnergyOptions } from './energy.js';
import { energyOfBenchmark } from './mitata-kernel.js';
import { EnergyLines } from './mitata-lines.js';
import { requireSupported } from './versions.js';

type MitataOptions = NonNullable<Parameters<typeof mitata.run>[0]>;
type MitataResult = Awaited<ReturnType<typeof mitata.run>>;
type Trial = MitataResult['benchmarks'][number];

export interface EnergyRunOptions extends MitataOptions {
  /** What `measureEnergy()` takes: `budgetSeconds`, `allowEstimates` and the like, for each benchmark. */
  energy?: EnergyOptions;
}

/** A run of mitata, with its energy in `stats`. */
export type EnergyRun = Trial['runs'][number] & { stats?: { energy?: BenchmarkEnergy } };

export interface EnergyResult extends Omit<MitataResult, 'benchmarks'> {
  benchmarks: (Omit<Trial, 'runs'> & { runs: EnergyRun[] })[];
}

/** The benchmark's own function; public, though mitata's types leave it out. */
type WithFunction = mitata.B & { f: (...given: never[]) => unknown };

/** What mitata does with a benchmark, and then its energy. */
function measuring(original: mitata.B['run'], options: EnergyOptions): mitata.B['run'] {
  return async function run(this: mitata.B, isThrowing?: boolean): Promise<Trial> {
    const trial = await original.call(this, isThrowing);
    for (const one of trial.runs as EnergyRun[]) {
      const { name, args, stats } = one;
      if (stats === undefined) continue;
      try {
        stats.energy = await energyOfBenchmark((this as WithFunction).f, args, { ...options, name });
      } catch (error) {
        if (isThrowing) throw error;
        stats.energy = absentAfter(name, error);
      }
    }
    return trial;
  };
}

/**
 * `run()` of mitata, with energy under each result, and in its `stats.energy`.
 * @throws MicrojouleError `ERR_UNSUPPORTED_VERSION`, `ERR_BAD_OPTION`; what `run()` throws
 */
export async function run({ energy = {}, ...options }: EnergyRunOptions = {}): Promise<EnergyResult> {
  requireSupported('mitata');
  checkEnergyOptions(energy);
  const { observe = (trial: Trial) => trial, print = console.log, format = 'mitata' } = options;
  const lines = new EnergyLines(
    print,
    typeof format === 'string' ? format : (Object.keys(format)[0] ?? 'mitata'),
    // mitata settles this itself, in the options that it was given.
    () => Boolean(settled.colors),
  );
  const settled: MitataOptions = {
    ...options,
    print: (line) => lines.line(line),
    observe: (trial) => {
      const seen = observe(trial);
      lines.expect(seen);
      return seen;
    },
  };
  const { prototype } = mitata.B;
  const original = prototype.run;
  prototype.run = measuring(original, energy);
  try {
    return (await mitata.run(settled)) as EnergyResult;
  } finally {
    prototype.run = original;
  }
}
