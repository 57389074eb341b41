// SPDX-License-Identifier: MIT
//
// A model's energy for one call, where no counter can be read and the caller allows it.
import { performance } from 'node:perf_hooks';
import { chooseCpuPowerModel, cpuPowerWatts } from '../estimate/cpu.js';
import { readCpuIdentity, readMaxPowerWatts } from '../estimate/machine.js';
import { resolveMeterOptions } from '../meter/options.js';
import { component } from '../precision/interval.js';
import type { EnergyEstimate } from '../precision/types.js';
import type { Resolved } from './options.js';
import { isThenable, runnerOf } from './run.js';
import type { Kernel, KernelEnergy, MeasureEnergyOptions } from './types.js';
import { timeDrift } from './verdict.js';
import { joulesInWords, secondsInWords } from './words.js';

const WARM_UP_SHARE = 0.2;
const FEWEST_BLOCKS = 3;
/** Asking for the time takes some 50 ns: of a block this long it is nothing. */
const BLOCK_SECONDS = 1e-3;

/** CPU seconds of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Time by the clock, power by the model of the CPU at the load that this process made of it. What else ran and the
 * memory are not in it. Every figure is marked; the bounds are those between the model's idle and full load.
 */
export async function estimateEnergy<Input>(
  fn: Kernel<Input>,
  { setup, signal, ...options }: MeasureEnergyOptions<Input>,
  { name, budgetSeconds }: Resolved,
): Promise<KernelEnergy> {
  const { sysfs } = resolveMeterOptions(options.sysfs === undefined ? {} : { sysfs: options.sysfs });
  const identity = readCpuIdentity();
  const maxPowerWatts = readMaxPowerWatts(sysfs);
  const model = chooseCpuPowerModel(identity, maxPowerWatts === undefined ? {} : { maxPowerWatts });
  const blocks: { seconds: number; callCount: number }[] = [];
  let [busySeconds, callCount, isAsync] = [0, 1, false];
  const startMs = performance.now();
  const spentRatio = (): number => (performance.now() - startMs) / 1000 / budgetSeconds;
  do {
    signal?.throwIfAborted();
    const given = setup?.();
    const input = (isThenable(given) ? await given : given) as Input;
    const cpu = cpuSeconds();
    const blockMs = performance.now();
    if (callCount === 1) {
      const result = fn(input);
      isAsync = isThenable(result);
      if (isAsync) await result;
    } else {
      const pending = runnerOf(fn as () => unknown, isAsync).run(callCount);
      if (pending !== undefined) await pending;
    }
    const seconds = (performance.now() - blockMs) / 1000;
    // Calls that each need a setup are timed one by one.
    const isShort = setup === undefined && seconds < BLOCK_SECONDS;
    if (!isShort && spentRatio() >= WARM_UP_SHARE) {
      blocks.push({ seconds, callCount });
      busySeconds += cpuSeconds() - cpu;
    }
    if (isShort) callCount *= 2;
  } while (spentRatio() < 1 || (blocks.length < FEWEST_BLOCKS && spentRatio() < 2) || blocks.length === 0);
  const seconds = blocks.reduce((sum, block) => sum + block.seconds, 0);
  const allCount = blocks.reduce((sum, block) => sum + block.callCount, 0);
  const callSeconds = seconds / allCount;
  const loadRatio = Math.min(1, busySeconds / Math.max(seconds, 1e-9) / identity.threadCount);
  const bound = (watts: number): number => watts * callSeconds;
  const total: EnergyEstimate = modelled(
    bound(cpuPowerWatts(model, loadRatio)),
    bound(model.idleWatts),
    bound(model.fullWatts),
  );
  const words = `estimated ${joulesInWords(total.energyJoules)} (between ${joulesInWords(total.lowerJoules)} idle and ${joulesInWords(total.upperJoules)} at full load)`;
  const timeDriftRatio = timeDrift(blocks.map((block) => block.seconds / block.callCount));
  return {
    name,
    provenance: { kind: model.kind, source: model.source, method: model.method, detail: model.detail },
    total,
    counters: [],
    missing: ['memory', 'GPUs'],
    callSeconds,
    callCount: allCount,
    batchCount: blocks.length,
    lostBatchCount: 0,
    ...(timeDriftRatio === undefined ? {} : { timeDriftRatio }),
    warnings: [
      {
        code: 'estimated',
        message:
          'no counter can be read: the energy is a model of the CPU times the time, not a measurement; memory and GPUs are not in it',
        hint: 'Run microjoule doctor: it says what would make counters readable here.',
      },
    ],
    summary: `${name}: ${words} a call of ${secondsInWords(callSeconds)}; not measured`,
  };
}

/** A model's energy within the model's bounds. */
export function modelled(energyJoules: number, lowerJoules: number, upperJoules: number): EnergyEstimate {
  const size = (upperJoules - lowerJoules) / Math.sqrt(12);
  return {
    energyJoules,
    uncertaintyJoules: Math.max(upperJoules - energyJoules, energyJoules - lowerJoules),
    standardUncertaintyJoules: size,
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: 'model',
    components: [component('model', size, Number.POSITIVE_INFINITY, true)],
    resolved: false,
    flags: ['estimated'],
  };
}
