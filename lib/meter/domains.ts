// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';

/** What the one total adds up: packages, memory beside them, GPU boards. */
export const SUMMED: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);

/**
 * More than any meter of a domain draws. The addon tells resets by the same limits (native/count.cc), which says what they
 * rest on.
 */
export const PLAUSIBLE_WATTS: Readonly<Record<Domain, number>> = {
  package: 1000,
  dram: 1000,
  core: 1000,
  uncore: 1000,
  psys: 20_000,
  module: 20_000,
  other: 20_000,
  gpu: 3000,
  'gpu-memory': 3000,
};

/** Why a domain never enters the total. */
const APART: Partial<Record<Domain, string>> = {
  core: 'inside its package',
  uncore: 'inside its package',
  psys: 'contains the packages and more',
  'gpu-memory': 'inside its GPU',
  module: 'contains its GPU and CPU',
  other: 'what it meters is not known',
};

export interface DomainCounter {
  id: string;
  domain: Domain;
  device: number;
  die?: number;
  /** Its count starts when the meter opens, so it says nothing of which meter it is. */
  fromOpen?: boolean;
  /** Whose clock stamps it. One of a device of its own is read at another moment than its neighbours. */
  clock?: 'reader' | 'device';
  /** Joules of a tick; needed with `clock: 'device'`. */
  scaleNumerator?: bigint;
  scaleDenominator?: bigint;
}

/** Which counters are one physical meter. Settled at open, so that no two regions count differently. */
export interface MeterGroup {
  /** The first counter of the group; its own id when it is the first. */
  first: string;
  /** Another zone of its interface has its name. */
  duplicate: boolean;
  /** It does, but counts otherwise: which of the two to believe is not known. */
  doubtful: boolean;
}

export interface Membership {
  inTotal: boolean;
  /** Why not; empty when it is in. */
  reason: string;
  /** The counter that stands in the total for the same meter. */
  twinOf?: string;
}

/** Interface and control type: `powercap:intel-rapl` of `powercap:intel-rapl:0:2`. */
export function interfaceOf(id: string): string {
  return id.replace(/(?::[0-9a-f]+)+$/, '');
}

/**
 * Groups counters that read one meter: the same domain of the same device reached by two interfaces (MSR and MMIO),
 * and dies, zones or packages of one interface that repeat one counter, as older kernels and some hypervisors list them.
 * A whole package holds all of its dies.
 * @param agree whether the counts of two counters of one interface, given by index, are those of one meter
 */
export function groupMeters(
  counters: readonly DomainCounter[],
  agree: (one: number, other: number) => boolean,
): MeterGroup[] {
  const groups: MeterGroup[] = [];
  counters.forEach((counter, index) => {
    const group = { first: counter.id, duplicate: false, doubtful: false };
    for (let before = 0; before < index; before++) {
      const other = counters[before];
      if (other === undefined || other.domain !== counter.domain) continue;
      const sameInterface = interfaceOf(other.id) === interfaceOf(counter.id);
      const samePackage = other.device === counter.device;
      if (!samePackage && !sameInterface) continue;
      const sameDie = other.die === counter.die;
      if (samePackage && sameInterface && sameDie && SUMMED.has(counter.domain)) group.duplicate = true;
      const overlaps = sameDie || other.die === undefined || counter.die === undefined;
      if (sameInterface ? agree(before, index) : overlaps) {
        group.first = groups[before]?.first ?? other.id;
        break;
      }
    }
    groups.push({ ...group, doubtful: group.duplicate && group.first === counter.id });
  });
  return groups;
}

/** Which counters the one total holds: of each meter the first that can be read. */
export function chooseTotal(
  counters: readonly (DomainCounter & { status: Status })[],
  groups: readonly MeterGroup[],
): Membership[] {
  const taken = new Map<string, string>();
  return counters.map((counter, index) => {
    const group = groups[index] ?? { first: counter.id, duplicate: false, doubtful: false };
    if (!SUMMED.has(counter.domain)) {
      return { inTotal: false, reason: APART[counter.domain] ?? 'not part of the total' };
    }
    if (counter.status !== 'ok') return { inTotal: false, reason: 'cannot be read' };
    if (group.doubtful) {
      return { inTotal: false, reason: 'has the name of another zone but counts otherwise: left out' };
    }
    const twinOf = taken.get(group.first);
    if (twinOf !== undefined) {
      return { inTotal: false, reason: `the same meter as ${twinOf}, counted once`, twinOf };
    }
    taken.set(group.first, counter.id);
    return { inTotal: true, reason: '' };
  });
}
