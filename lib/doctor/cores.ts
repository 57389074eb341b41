// SPDX-License-Identifier: MIT

/** Sources of the energy of cores, read by name only, as the packages' counters hold it: what a counter of theirs is of. */
const OF_CORES: ReadonlyMap<string, 'all' | 'one'> = new Map([
  ['perf-core', 'all'],
  ['msr-core', 'all'],
  ['emi-core', 'one'],
]);

export function isOfCores(source: string): boolean {
  return OF_CORES.has(source);
}

/** Whether a counter of it is the sum of a package's cores. */
export function sumsCores(source: string): boolean {
  return OF_CORES.get(source) === 'all';
}
