// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';

/** What the one total adds up: packages, memory beside them, GPU boards. */
const SUMMED: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);

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
  status: Status;
}

export interface Membership {
  inTotal: boolean;
  /** Why not; empty when it is in. */
  reason: string;
}

/** What stands for one physical meter, whatever interface reads it. */
export function meterIdentity({
  domain,
  device,
  die,
}: Pick<DomainCounter, 'domain' | 'device' | 'die'>): string {
  return `${domain}/${device}/${die ?? ''}`;
}

/**
 * Which counters the one total holds. Twins (one meter reached by two control types, or two zones of one
 * name) count once: the first readable one, in the sources' order of preference.
 * @param startTicks ticks at open, to recognise dies that repeat one socket's counter
 */
export function chooseTotal(
  counters: readonly DomainCounter[],
  startTicks: readonly (bigint | undefined)[] = [],
): Membership[] {
  const taken = new Map<string, string>();
  const ticksOfSocket = new Map<string, { id: string; die: number | undefined; ticks: bigint }[]>();
  return counters.map((counter, index) => {
    if (!SUMMED.has(counter.domain)) {
      return { inTotal: false, reason: APART[counter.domain] ?? 'not part of the total' };
    }
    if (counter.status !== 'ok') return { inTotal: false, reason: 'cannot be read' };
    const socket = `${counter.domain}/${counter.device}`;
    const identity = meterIdentity(counter);
    const twin = taken.get(identity);
    if (twin !== undefined) return { inTotal: false, reason: `the same meter as ${twin}, counted once` };
    // Older kernels list every AMD die with the counter of the whole socket.
    const ticks = startTicks[index];
    const siblings = ticksOfSocket.get(socket) ?? [];
    const mirror = siblings.find((s) => s.die !== counter.die && ticks !== 0n && s.ticks === ticks);
    if (mirror !== undefined) return { inTotal: false, reason: `repeats ${mirror.id}, counted once` };
    taken.set(identity, counter.id);
    if (ticks !== undefined) {
      ticksOfSocket.set(socket, [...siblings, { id: counter.id, die: counter.die, ticks }]);
    }
    return { inTotal: true, reason: '' };
  });
}
