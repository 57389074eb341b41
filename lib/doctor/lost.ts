// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';

/** A counter, which meter it reads, and what became of it in the test. */
export interface Member {
  id: string;
  source: string;
  domain: Domain;
  status: Status;
  /** The first counter of its meter, as {@link CounterDelta.meter} has it. */
  meter: string;
  /** Counted in the total to the end. */
  counted: boolean;
  /** Stands for a whole device: what it meters is not known. */
  unknownContent?: true | undefined;
}

/** A meter that belongs to the total, and of which no counter could be used. */
export interface LostMeter {
  /** The counter that stands for it: the one that would be in the total. */
  id: string;
  domain: Domain;
  status: Status;
  /** Whatever lists the meter. */
  sources: string[];
}

/** What the one total adds up. */
const SUMMED: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);

export function lostMeters(members: readonly Member[]): LostMeter[] {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    if (!SUMMED.has(member.domain) && member.unknownContent !== true) continue;
    groups.set(member.meter, [...(groups.get(member.meter) ?? []), member]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.some(({ counted }) => counted)) return [];
    const { id, status } = first;
    // It may be a package's, as far as anybody knows.
    const domain = first.unknownContent === true ? 'package' : first.domain;
    return [{ id, domain, status, sources: [...new Set(group.map(({ source }) => source))] }];
  });
}
