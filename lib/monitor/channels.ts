// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';
import type { CounterDelta, SourceState } from '../meter/meter.js';
import type { StreamAbsence, StreamChannel } from '../stream/types.js';

/** A counter in such a state will not come back while the stream lasts. */
const FOR_GOOD: ReadonlySet<Status> = new Set([
  'not-found',
  'no-permission',
  'masked',
  'virtualised',
  'not-supported',
  'addon-missing',
]);

/** Domains that are inside one of another domain of the same device. */
const INSIDE: Partial<Record<Domain, Domain>> = { core: 'package', uncore: 'package', 'gpu-memory': 'gpu' };
/** What meters of the whole platform, or of a module, may hold beside themselves. */
const HELD: Partial<Record<Domain, readonly Domain[]>> = {
  psys: ['package', 'core', 'uncore', 'dram', 'gpu', 'gpu-memory', 'module'],
  module: ['package', 'core', 'uncore', 'dram', 'gpu', 'gpu-memory'],
};

/** A counter that has a channel, by its place in the meter. */
export interface Column {
  index: number;
  channel: StreamChannel;
}

/** Whether two counters count some of the same energy. Where that is not known for sure, they may. */
function overlap(one: CounterDelta, other: CounterDelta): boolean {
  if (one.meter === other.meter) return true;
  const [a, b] = [one.counter, other.counter];
  if (HELD[a.domain]?.includes(b.domain) || HELD[b.domain]?.includes(a.domain)) return true;
  if (a.device !== b.device || (a.die !== undefined && b.die !== undefined && a.die !== b.die)) return false;
  return a.domain === b.domain
    ? a.die !== b.die
    : INSIDE[a.domain] === b.domain || INSIDE[b.domain] === a.domain;
}

/** The channel that contains it: one of the total before others, since several interfaces may list the same. */
function parentOf(one: CounterDelta, all: readonly CounterDelta[]): string | undefined {
  const outer = INSIDE[one.counter.domain];
  if (outer === undefined) return undefined;
  const candidates = all.filter(
    ({ counter }) => counter.domain === outer && counter.device === one.counter.device,
  );
  const sameDie = candidates.filter(({ counter }) => counter.die === one.counter.die);
  const fitting = sameDie.length > 0 ? sameDie : candidates;
  return (fitting.find(({ inTotal }) => inTotal) ?? fitting[0])?.counter.id;
}

function nameOf({ counter }: CounterDelta): string {
  const die = counter.die === undefined ? '' : ` die ${counter.die}`;
  return `${counter.domain} ${counter.device}${die}`;
}

function toChannel(
  delta: CounterDelta,
  all: readonly CounterDelta[],
  updatePeriodNs?: number,
): StreamChannel {
  const { counter, inTotal, apart } = delta;
  const { id, domain, device, die, deviceName, source, origin, method, scaleNumerator, scaleDenominator } =
    counter;
  const parent = parentOf(delta, all);
  const periodNs = updatePeriodNs ?? counter.updatePeriodNs;
  return {
    id,
    name: nameOf(delta),
    domain,
    device,
    ...(die === undefined ? {} : { die }),
    ...(deviceName === undefined ? {} : { deviceName }),
    source,
    origin,
    kind: 'measured',
    ...(method === undefined ? {} : { method }),
    unit: 'J',
    resolutionJoules: Number(scaleNumerator) / Number(scaleDenominator),
    scaleNumerator: String(scaleNumerator),
    scaleDenominator: String(scaleDenominator),
    ...(periodNs === undefined || !(periodNs > 0) ? {} : { updatePeriodNs: periodNs }),
    inTotal,
    apart,
    ...(parent === undefined ? {} : { parent }),
    overlaps: all
      .filter((other) => other !== delta && overlap(delta, other))
      .map((other) => other.counter.id),
    detail: delta.status === 'ok' ? delta.detail : `${delta.status}: ${delta.detail}`,
  };
}

/** Of these domains the sum should hold every meter: without one of them it is too low. */
const OWED: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);

/**
 * Counters that the sum lacks only because they cannot be read now. A domain of which none can be read is not among them:
 * a model stands in for it, but for a GPU.
 */
function owed(listed: readonly CounterDelta[]): ReadonlySet<CounterDelta> {
  const covered = new Set(listed.filter(({ inTotal }) => inTotal).map(({ meter }) => meter));
  const found = new Set<CounterDelta>();
  for (const delta of listed) {
    const { domain } = delta.counter;
    if (!OWED.has(domain) || delta.status === 'ok' || delta.doubtful || covered.has(delta.meter)) continue;
    const isPart = domain === 'gpu' || listed.some((one) => one.inTotal && one.counter.domain === domain);
    if (!isPart) continue;
    covered.add(delta.meter);
    found.add(delta);
  }
  return found;
}

/**
 * The columns that a meter's counters make, and what has none with its reason.
 * @param listed the meter's counters, as it lists them when the stream begins
 * @param updatePeriodNs what is known by now of a counter's updates, by its index
 */
export function channelsOf(
  listed: readonly CounterDelta[],
  sources: readonly SourceState[],
  updatePeriodNs: (index: number) => number | undefined,
): { columns: Column[]; absent: StreamAbsence[] } {
  const lacking = owed(listed);
  const settled = listed.map((delta) =>
    lacking.has(delta) ? { ...delta, inTotal: true, apart: '' } : delta,
  );
  const isUnknown = ({ counter }: CounterDelta): boolean => counter.unknownContent === true;
  const hasChannel = (delta: CounterDelta): boolean =>
    !isUnknown(delta) && (delta.inTotal || !FOR_GOOD.has(delta.status));
  const countsPackage = listed.some(({ inTotal, counter }) => inTotal && counter.domain === 'package');
  const shown = settled.filter(hasChannel);
  const columns = settled.flatMap((delta, index) =>
    hasChannel(delta) ? [{ index, channel: toChannel(delta, shown, updatePeriodNs(index)) }] : [],
  );
  const absent = [
    ...sources
      .filter(({ status }) => status !== 'ok')
      .map(({ source, status, detail }) => ({ source, status, detail })),
    ...settled
      .filter((delta) => !hasChannel(delta))
      .map((delta) => ({
        source: delta.counter.source,
        status: delta.status,
        detail: `${delta.counter.id}: ${delta.detail}`,
        ...(isUnknown(delta) && countsPackage ? { inTotal: true as const } : {}),
      })),
  ];
  return { columns, absent };
}
