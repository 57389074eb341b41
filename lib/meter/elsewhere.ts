// SPDX-License-Identifier: MIT
//
// What other systems have and this one has not.
import type { SourceState } from './meter.js';

/** Interfaces to the counters of CPU and memory that are read without being named, by the system that has them. */
const SYSTEMS: readonly [source: string, system: string][] = [
  ['perf', 'Linux'],
  ['powercap', 'Linux'],
  ['msr', 'Linux'],
  ['emi', 'Windows'],
];

/** Systems that the addon is written for. */
const WITH_ADDON: readonly string[] = ['linux', 'darwin', 'win32'];

export function canHaveAddon(platform: string): boolean {
  return WITH_ADDON.includes(platform);
}

/** Where no counter of a CPU can be read at all: which interfaces there are elsewhere. Empty on Linux and Windows. */
export function sourcesElsewhere(platform: string = process.platform): SourceState[] {
  if (platform === 'linux' || platform === 'win32') return [];
  return SYSTEMS.map(([source, system]) => ({
    source,
    status: 'not-supported',
    detail: `${system} has it and ${platform} has not: CPU and memory are estimated here`,
    counters: [],
  }));
}
