// SPDX-License-Identifier: MIT
//
// The energies of a test on their way to the reporter: a list for each group that was run, as a test may run several
// benchmarks of one name.
import type { BenchmarkEnergy } from './energy.js';

/** What the energies are called among a test's `meta()`. */
const META = 'energy';

export type EnergyGroup = readonly BenchmarkEnergy[];

/** What is used of vitest's `TestBenchmark`. */
export interface Benchmark {
  tasks: readonly { name: string; fromStore?: boolean }[];
}

/** Behind those of the groups that the test ran before. */
export function addGroup(meta: object, group: EnergyGroup): void {
  const known = meta as { [META]?: EnergyGroup[] };
  known[META] = [...groupsOf(meta), group];
}

/** Of a test, in the order in which it ran them. */
export function groupsOf(meta: object): readonly EnergyGroup[] {
  return (meta as { [META]?: readonly EnergyGroup[] })[META] ?? [];
}

const measuredNames = ({ tasks }: Benchmark): string[] =>
  tasks.filter(({ fromStore }) => fromStore !== true).map(({ name }) => name);

/** For each task of each benchmark its energy; undefined where it was not measured, as with `bench.from()`. */
export function energiesOf(
  benchmarks: readonly Benchmark[],
  groups: readonly EnergyGroup[],
): (BenchmarkEnergy | undefined)[][] {
  let next = 0;
  return benchmarks.map((benchmark) => {
    const names = measuredNames(benchmark).toSorted();
    if (names.length === 0) return benchmark.tasks.map(() => undefined);
    // vitest sorts tasks by time, and may have dropped a group.
    const at = groups.findIndex(
      (group, i) =>
        i >= next &&
        group.length === names.length &&
        group
          .map(({ name }) => name)
          .toSorted()
          .every((name, place) => name === names[place]),
    );
    if (at >= 0) next = at + 1;
    return benchmark.tasks.map(({ name, fromStore }) =>
      fromStore === true ? undefined : groups[at]?.find((energy) => energy.name === name),
    );
  });
}
