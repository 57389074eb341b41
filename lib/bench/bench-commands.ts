// SPDX-License-Identifier: MIT
//
// Command lines in, report out.
import { MicrojouleError } from '../core/errors.js';
import { type MeterOptions, meterOptionsOf } from '../meter/options.js';
import { packageVersion } from '../version.js';
import { runBench } from './bench.js';
import { CommandExecutor } from './execute.js';
import { estimatingGauge, type Gauge, openGauge } from './gauge.js';
import { type BenchOptions, planBench } from './plan.js';
import type { BenchProgress } from './run.js';
import type { BenchReport } from './types.js';

export interface BenchCommandsOptions extends BenchOptions, MeterOptions {
  /** Where no counter can be read: a model's estimates instead of an error. Every figure says so. Default false. */
  allowEstimates?: boolean;
  onProgress?: (progress: BenchProgress) => void;
  /** Once aborted, the command that runs is ended with its process group, and what was measured is reported. */
  signal?: AbortSignal;
  /** Uniform numbers in [0, 1), for what is drawn by chance. Default `Math.random`. */
  random?: () => number;
}

async function gaugeFor(options: BenchCommandsOptions): Promise<Gauge> {
  const meter = meterOptionsOf(options);
  try {
    return await openGauge(meter);
  } catch (error) {
    const isMissing = error instanceof MicrojouleError && error.code === 'ERR_NO_COUNTERS';
    if (!isMissing || options.allowEstimates !== true) throw error;
    return estimatingGauge(meter);
  }
}

/**
 * Runs command lines in turn, measures the machine's energy while each runs, and compares them. A command that fails
 * is in the report's `failures`; what was measured is kept.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` with what to do about it, unless `allowEstimates`
 */
export async function benchCommands(options: BenchCommandsOptions): Promise<BenchReport> {
  const plan = planBench(options, process.platform);
  const executor = new CommandExecutor({ shell: plan.shell, input: plan.input });
  const { signal, onProgress, random = Math.random } = options;
  const kill = (): void => executor.kill();
  signal?.addEventListener('abort', kill);
  let gauge: Gauge | undefined;
  try {
    gauge = await gaugeFor(options);
    const tools = {
      gauge,
      executor,
      random,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    };
    return await runBench(plan, tools, { version: packageVersion(), generatedAtMs: Date.now() });
  } finally {
    signal?.removeEventListener('abort', kill);
    executor.close();
    gauge?.close();
  }
}
