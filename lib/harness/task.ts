// SPDX-License-Identifier: MIT
//
// The energy of a task of tinybench, with its hooks around it as in tinybench's own run. Types are by shape, as vitest
// brings a tinybench of its own.
import { absent, type BenchmarkEnergy, type EnergyOptions, energyOf } from './energy.js';

type Hook = (this: never, mode: 'run') => unknown;

/** `FnOptions` of tinybench, as far as they concern energy. */
export interface TaskHooks {
  beforeAll?: Hook | undefined;
  afterAll?: Hook | undefined;
  beforeEach?: Hook | undefined;
  afterEach?: Hook | undefined;
  signal?: AbortSignal | undefined;
}

export interface EnergyTask {
  name: string;
  fn: () => unknown;
  hooks: TaskHooks;
  /** What is `this` in function and hooks. */
  task: { result: { state: string; error?: Error } };
  bench: { setup(task: never, mode: 'run'): unknown; teardown(task: never, mode: 'run'): unknown };
  signal: AbortSignal | undefined;
}

/**
 * Where the function or a hook throws, the hooks that end what was begun are called all the same, each once.
 * @throws what the function or a hook throws, the first of it
 */
export async function energyOfTask(
  { name, fn, hooks, task, bench, signal }: EnergyTask,
  options: EnergyOptions,
): Promise<BenchmarkEnergy> {
  const { state, error } = task.result;
  if (state === 'errored') {
    return absent(name, 'failed', `the benchmark failed: ${error?.message ?? 'no message'}`);
  }
  const aborted = (when = ''): BenchmarkEnergy => absent(name, 'aborted', `the benchmark was aborted${when}`);
  if (state.startsWith('aborted') || signal?.aborted) return aborted();
  const call = (hook: Hook | undefined): unknown => hook?.call(task as never, 'run');
  const { beforeEach, afterEach } = hooks;
  let isBetween = false;
  const endCall = async (): Promise<void> => {
    if (!isBetween) return;
    isBetween = false;
    await call(afterEach);
  };
  // What belongs after a call is done before the next: neither is measured.
  const setup = async (): Promise<void> => {
    await endCall();
    isBetween = true;
    await call(beforeEach);
  };
  const hasEach = beforeEach !== undefined || afterEach !== undefined;
  const measure = async (): Promise<BenchmarkEnergy> => {
    await call(hooks.beforeAll);
    try {
      return await energyOf(fn.bind(task), {
        ...options,
        name,
        ...(hasEach ? { setup } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (thrown) {
      if (!signal?.aborted) throw thrown;
      return aborted(' while its energy was measured');
    }
  };
  await bench.setup(task as never, 'run');
  const failures: unknown[] = [];
  const tell = (thrown: unknown): undefined => {
    failures.push(thrown);
  };
  const energy = await measure().catch(tell);
  for (const end of [endCall, () => call(hooks.afterAll), () => bench.teardown(task as never, 'run')]) {
    await Promise.resolve().then(end).catch(tell);
  }
  if (energy === undefined || failures.length > 0) throw failures[0];
  return energy;
}
