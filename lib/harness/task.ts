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

/** @throws what the function or a hook throws */
export async function energyOfTask(
  { name, fn, hooks, task, bench, signal }: EnergyTask,
  options: EnergyOptions,
): Promise<BenchmarkEnergy> {
  const { state, error } = task.result;
  if (state === 'errored') {
    return absent(name, 'failed', `the benchmark failed: ${error?.message ?? 'no message'}`);
  }
  if (state.startsWith('aborted') || signal?.aborted)
    return absent(name, 'aborted', 'the benchmark was aborted');
  const call = (hook: Hook | undefined): unknown => hook?.call(task as never, 'run');
  const { beforeEach, afterEach } = hooks;
  let isBetween = false;
  // What belongs after a call is done before the next: neither is measured.
  const setup = async (): Promise<void> => {
    if (isBetween) await call(afterEach);
    isBetween = true;
    await call(beforeEach);
  };
  const hasEach = beforeEach !== undefined || afterEach !== undefined;
  await bench.setup(task as never, 'run');
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
    return absent(name, 'aborted', 'the benchmark was aborted while its energy was measured');
  } finally {
    if (isBetween) await call(afterEach);
    await call(hooks.afterAll);
    await bench.teardown(task as never, 'run');
  }
}
