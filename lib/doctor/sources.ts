// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';
import { isOfCores } from './cores.js';
import type { CounterDiagnosis, CounterTest, SourceDiagnosis } from './diagnosis.js';
import type { FixContext } from './fix-parts.js';
import { fixesFor } from './fixes.js';
import type { LostMeter } from './lost.js';
import { IN_GUEST, isCheck, isVirtualised, RAPL, reasonOf, surroundings, WORDS } from './reasons.js';

/** A source as the meter found it. */
export interface FoundSource {
  source: string;
  status: Status;
  detail: string;
  counters: readonly {
    id: string;
    domain: Domain;
    device: number;
    die?: number;
    origin: string;
    status: Status;
    detail: string;
  }[];
}

/** The source's own status; where it works and no counter of it does, that of the first. */
function openedStatus({ status, counters }: FoundSource): Status {
  if (status !== 'ok' || counters.some((counter) => counter.status === 'ok')) return status;
  return counters[0]?.status ?? 'not-found';
}

/** After the test: a source of which no counter moved can be read, and measures nothing. */
function testedStatus(found: FoundSource, opened: Status, tests: readonly CounterTest[]): Status {
  if (opened !== 'ok') return opened;
  const readable = found.counters.filter(({ status }) => status === 'ok').map(({ id }) => id);
  const own = tests.filter(({ id, source }) => source === found.source && readable.includes(id));
  const [first] = own;
  if (first === undefined || own.some(({ moved }) => moved)) return opened;
  return first.status === 'ok' ? 'stale' : first.status;
}

function describe(counter: FoundSource['counters'][number]): CounterDiagnosis {
  const { id, domain, device, die, origin, status, detail } = counter;
  return { id, domain, device, ...(die === undefined ? {} : { die }), origin, status, detail };
}

function reasonAfterTest(reason: string, status: Status, { machine }: FixContext): string {
  const isVirtual = machine.hardware.state === 'virtual-machine';
  const why = isVirtual ? 'Virtual machines may list counters that they do not have.' : '';
  return [reason === WORDS.ok ? '' : reason, WORDS[status], why].filter((part) => part !== '').join(' ');
}

/** What a source that works has to be mended for: some of its counters may not, or broke off in the test. */
function worstOf(
  { counters, source }: FoundSource,
  opened: Status,
  tests: readonly CounterTest[],
  lost: readonly LostMeter[],
): Status | undefined {
  if (opened !== 'ok') return opened;
  const broken = tests.find(
    (one) => one.source === source && one.status !== 'ok' && lost.some(({ id }) => id === one.id),
  );
  const status = counters.find((one) => one.status !== 'ok')?.status ?? broken?.status;
  // The source is there, so neither a mount nor a driver is missing.
  return status === 'not-found' ? 'failed' : status;
}

/**
 * A verdict on every source, in the order given.
 * @param tests what the counters did in the live test, if there was one
 * @param lost the meters that the total lacks after it
 */
export function judgeSources(
  found: readonly FoundSource[],
  context: FixContext,
  tests: readonly CounterTest[] = [],
  lost: readonly LostMeter[] = [],
): SourceDiagnosis[] {
  const statuses = found.map((each) => {
    const opened = openedStatus(each);
    return { each, opened, status: testedStatus(each, opened, tests) };
  });
  // What holds for all is said once.
  const guest = IN_GUEST[context.facts.platform];
  const ofCpu = statuses.filter(({ each }) => guest?.sources.includes(each.source));
  const speaker = ofCpu.some(({ status }) => status === 'ok')
    ? undefined
    : ofCpu.find(({ opened }) => isVirtualised(opened, context.machine))?.each.source;
  return statuses.map(({ each, opened, status }) => {
    const { source, counters } = each;
    const family = RAPL.includes(source) ? RAPL : [];
    const other = statuses.find(
      (one) => one.status === 'ok' && one.each !== each && family.includes(one.each.source),
    )?.each.source;
    // Nothing is missing without them.
    const optional = isOfCores(source) || isCheck(source);
    const noGpu = source === 'nvml' && status === 'not-found' && context.facts.nvidiaGpus?.length === 0;
    const wanted = other === undefined || lost.some(({ sources }) => sources.includes(source));
    const needed = status === 'ok' || (wanted && !noGpu && !optional);
    const before = [reasonOf(each, opened, context), surroundings(each, opened, context)]
      .filter((part) => part !== '')
      .join(' ');
    const reasons = [
      status === opened ? before : reasonAfterTest(before, status, context),
      source === speaker ? (guest?.words ?? '') : '',
      needed || other === undefined ? '' : `Not needed: ${other} reads the same meters.`,
      needed || !isOfCores(source) ? '' : 'Not needed: what it adds is inside the packages.',
      needed || !isCheck(source) ? '' : 'Not needed: it only checks what nvml counts.',
    ];
    const worst = worstOf(each, opened, tests, lost);
    return {
      source,
      status,
      reason: reasons.filter((part) => part !== '').join(' '),
      needed,
      fixes: worst === undefined ? [] : fixesFor(source, worst, context),
      counters: counters.map(describe),
    };
  });
}
