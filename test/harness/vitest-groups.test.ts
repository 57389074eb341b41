// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type AbsentEnergy, absent } from '../../lib/harness/energy.js';
import { addGroup, energiesOf, groupsOf } from '../../lib/harness/vitest-groups.js';

const energy = (name: string, detail: string) => absent(name, 'failed', detail);
const task = (name: string, fromStore = false) => ({ name, ...(fromStore ? { fromStore } : {}) });
const details = (...args: Parameters<typeof energiesOf>) =>
  energiesOf(...args).map((one) => one.map((found) => (found as AbsentEnergy | undefined)?.detail));

describe('the energies of a test', () => {
  const meta = {};
  for (const round of ['1', '2']) addGroup(meta, [energy('a', `a${round}`), energy('b', `b${round}`)]);
  addGroup(meta, [energy('a', 'a3')]);
  const groups = groupsOf(meta);

  it('are those of the group, where several have benchmarks of one name', () => {
    const benchmarks = [
      { tasks: [task('a'), task('b')] },
      { tasks: [task('b'), task('a')] },
      { tasks: [task('a')] },
    ];
    expect(details(benchmarks, groups)).toEqual([['a1', 'b1'], ['b2', 'a2'], ['a3']]);
  });

  it('are none where nothing was run, and then the next group’s', () => {
    const benchmarks = [
      { tasks: [task('a', true)] },
      { tasks: [task('b'), task('a'), task('a', true)] },
      { tasks: [task('c')] },
      { tasks: [task('a')] },
    ];
    expect(details(benchmarks, groups)).toEqual([[undefined], ['b1', 'a1', undefined], [undefined], ['a3']]);
    expect(groupsOf({})).toEqual([]);
    expect(details(benchmarks.slice(0, 1), [])).toEqual([[undefined]]);
  });
});
