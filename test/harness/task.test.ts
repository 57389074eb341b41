// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type EnergyTask, energyOfTask } from '../../lib/harness/task.js';
import { useWorkplace } from '../cli/fixtures.js';

const place = useWorkplace();

type Part = 'beforeAll' | 'beforeEach' | 'call' | 'afterEach' | 'afterAll' | 'teardown';

/** A task whose parts throw at their nth calls, and what was called. */
async function run(throwAt: Partial<Record<Part, number>>): Promise<{ calls: Part[]; thrown: unknown }> {
  const calls: Part[] = [];
  const part = (name: Part, isAsync: boolean) => () => {
    calls.push(name);
    if (calls.filter((one) => one === name).length !== throwAt[name]) return isAsync && Promise.resolve();
    if (isAsync) return Promise.reject(new Error(name));
    throw new Error(name);
  };
  const { root } = place.machine();
  const task: EnergyTask = {
    name: 'work',
    fn: part('call', false),
    hooks: {
      beforeAll: part('beforeAll', true),
      beforeEach: part('beforeEach', true),
      afterEach: part('afterEach', false),
      afterAll: part('afterAll', false),
    },
    task: { result: { state: 'completed' } },
    bench: { setup: () => {}, teardown: part('teardown', true) },
    signal: undefined,
  };
  const options = {
    sysfs: root,
    dev: root,
    nvmlLibrary: `${root}/none`,
    allowEstimates: true,
    budgetSeconds: 0.05,
  };
  const thrown = await energyOfTask(task, options).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { calls, thrown };
}

describe('the hooks of a task', () => {
  const count = (calls: Part[], name: Part) => calls.filter((one) => one === name).length;

  it.each<[Partial<Record<Part, number>>, Part | undefined]>([
    [{}, undefined],
    [{ beforeAll: 1 }, 'beforeAll'],
    [{ beforeEach: 1 }, 'beforeEach'],
    [{ beforeEach: 3 }, 'beforeEach'],
    [{ call: 1 }, 'call'],
    [{ call: 3 }, 'call'],
    [{ afterEach: 1 }, 'afterEach'],
    [{ afterEach: 3 }, 'afterEach'],
    [{ afterAll: 1 }, 'afterAll'],
    [{ teardown: 1 }, 'teardown'],
    [{ call: 2, afterEach: 2, afterAll: 1, teardown: 1 }, 'call'],
  ])('end what was begun, each once, where %j throws; the first error goes on', async (throwAt, first) => {
    const { calls, thrown } = await run(throwAt);
    expect(thrown).toBe(first);
    expect(calls.slice(-2)).toEqual(['afterAll', 'teardown']);
    expect(count(calls, 'afterAll')).toBe(1);
    expect(count(calls, 'teardown')).toBe(1);
    expect(count(calls, 'afterEach')).toBe(count(calls, 'beforeEach'));
    if (throwAt.beforeAll === undefined) expect(count(calls, 'beforeEach')).toBeGreaterThan(0);
  });
});
