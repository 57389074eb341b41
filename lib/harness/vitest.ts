// SPDX-License-Identifier: MIT
//
// vitest's benchmark provider with energy: vitest's own engine for time, then a pass of ours for energy.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Bench, BenchOptions, FnOptions } from 'tinybench';
import { absentAfter, type BenchmarkEnergy, checkEnergyOptions, type EnergyOptions } from './energy.js';
import { energyOfTask } from './task.js';
import { requireSupported } from './versions.js';
import { addGroup } from './vitest-groups.js';

/** What vitest hands to a provider, as far as it is used. */
export interface BenchmarkGroup {
  test: { fullTestName: string; context: { signal: AbortSignal }; meta: object };
  config: { retainSamples: boolean };
  registrations: readonly { name: string; fn: () => unknown; fnOpts?: object }[];
  options?: object;
}

/** What a test gets of a benchmark: vitest's figures, and the energy. */
export interface BenchmarkResult {
  name: string;
  energy: BenchmarkEnergy;
}

export interface EnergyProvider {
  run(group: BenchmarkGroup): Promise<BenchmarkResult[]>;
}

/** The tinybench of vitest itself, wherever a package manager put it. */
async function loadBench(): Promise<typeof Bench> {
  const file = createRequire(requireSupported('vitest')).resolve('tinybench');
  const module = (await import(pathToFileURL(file).href)) as { Bench: typeof Bench };
  return module.Bench;
}

function throwErrors(bench: Bench): void {
  const errors = bench.tasks.flatMap(({ result }) => (result.state === 'errored' ? [result.error] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, 'some benchmarks failed');
}

/**
 * A provider for `benchmark.provider`, with options of `measureEnergy()`: export it by default from a module of your own.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function energyProvider(energyOptions: EnergyOptions = {}): EnergyProvider {
  checkEnergyOptions(energyOptions);
  return {
    async run({ test, config, registrations, options = {} }: BenchmarkGroup): Promise<BenchmarkResult[]> {
      const Engine = await loadBench();
      const { signal } = test.context;
      const { retainSamples } = config;
      const bench = new Engine({
        signal,
        name: test.fullTestName,
        retainSamples,
        ...(options as BenchOptions),
      });
      for (const { name, fn, fnOpts } of registrations) bench.add(name, fn, fnOpts as FnOptions | undefined);
      await bench.run();
      throwErrors(bench);
      const results: BenchmarkResult[] = [];
      for (const [i, task] of bench.tasks.entries()) {
        const { name } = task;
        const { fn, fnOpts: hooks = {} } = registrations[i] as BenchmarkGroup['registrations'][number];
        const energy = await energyOfTask(
          { name, fn, hooks, task: task as never, bench, signal },
          energyOptions,
        ).catch((error: unknown) => {
          // The times are measured, and are not to be lost.
          if (bench.throws) throw error;
          return absentAfter(name, error);
        });
        results.push({ ...task.result, name, energy });
      }
      // Reporters see nothing of a result but its time.
      addGroup(
        test.meta,
        results.map(({ energy }) => energy),
      );
      return results;
    },
  };
}
