// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';
import type { CounterDiagnosis, CounterTest, SourceDiagnosis } from './diagnosis.js';
import { type FixContext, fixesFor } from './fixes.js';
import { hasRapl } from './machine.js';

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

/** What a status means, for a source that gives no reason of its own. */
const WORDS: Readonly<Record<Status, string>> = {
  ok: 'It can be read.',
  'not-found': 'It does not exist on this machine, or not where it was looked for.',
  'no-permission': 'It exists, and this user may not read it.',
  masked: 'The container hides it.',
  virtualised: 'A virtual machine lists it, and it counts nothing.',
  'not-supported': 'The hardware, the driver or the kernel does not support it.',
  stale: 'It can be read, and does not move: its energy is unknown, not 0.',
  implausible: 'It can be read, and its values cannot be true.',
  failed: 'Reading it fails.',
  'addon-missing': 'The native addon, which reads it, is missing.',
};

/** Read the CPU's RAPL counters: each stands for the others. */
const RAPL = ['perf', 'powercap', 'msr'];

/** Read by name only: the energy of single cores, which the package's counter holds. */
function isOfCores(source: string): boolean {
  return /^(perf|msr)-core$/.test(source);
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** The source's own status; where it works and no counter of it does, that of the first. */
function effectiveStatus({ status, counters }: FoundSource): Status {
  if (status !== 'ok' || counters.some((counter) => counter.status === 'ok')) return status;
  return counters[0]?.status ?? 'not-found';
}

/** Sentences about why, each told once however many counters share it. */
function reasonOf(found: FoundSource, status: Status): string {
  const lost = found.counters.filter((counter) => counter.status !== 'ok');
  const own = sentence(found.detail);
  const [first] = lost;
  // A source that says why it is of no use speaks for its counters.
  if (first === undefined || (found.status !== 'ok' && own !== '')) return own || WORDS[status];
  const many = lost.length === 1 ? '' : `${lost.length} of ${found.counters.length} counters cannot be read.`;
  const why = sentence(first.detail || WORDS[first.status]);
  return [own, many, why].filter((part) => part !== '').join(' ');
}

function isVirtualised(status: Status, { hardware }: FixContext['machine']): boolean {
  return status === 'virtualised' || (status === 'not-found' && hardware.state === 'virtual-machine');
}

const EMULATION =
  'QEMU 9.1 and later can emulate RAPL (-accel kvm,rapl=true,path=SOCKET on the host, updated once a second); ' +
  'otherwise estimates are used.';

/** What the surroundings add to the reason. */
function surroundings(
  { source, detail }: FoundSource,
  status: Status,
  { facts, machine }: FixContext,
): string {
  const isRapl = RAPL.includes(source.replace(/-core$/, ''));
  if (source === 'nvml') {
    const gpus = facts.nvidiaGpus;
    if (status !== 'not-found' || gpus === undefined) return '';
    return gpus.length === 0
      ? 'The PCI bus shows no NVIDIA GPU, so nothing is missing.'
      : `The PCI bus shows ${gpus.join(', ')}.`;
  }
  if (!isRapl) return '';
  if (isVirtualised(status, machine)) return 'Nothing can be done inside a virtual machine.';
  if (status === 'not-found' && hasRapl(facts) === false) return 'This CPU has no RAPL counters.';
  if (status === 'not-found' && isOfCores(source) && detail === '') {
    return 'Only AMD counts the energy of single cores; perf has it since Linux 6.14.';
  }
  if (status !== 'no-permission') return '';
  const { lockdown, perfEventParanoid } = machine;
  if (source.startsWith('perf') && perfEventParanoid !== undefined) {
    return perfEventParanoid > 0
      ? `kernel.perf_event_paranoid is ${perfEventParanoid}; without CAP_PERFMON it must be 0 or less.`
      : `kernel.perf_event_paranoid is ${perfEventParanoid}, which allows it: a security module or a filter of system calls refuses.`;
  }
  if (source.startsWith('msr') && lockdown !== undefined && lockdown !== 'none') {
    return `The kernel is locked down (${lockdown}), which may close the registers even to root: use perf or powercap.`;
  }
  return '';
}

function describe(counter: FoundSource['counters'][number]): CounterDiagnosis {
  const { id, domain, device, die, origin, status, detail } = counter;
  return { id, domain, device, ...(die === undefined ? {} : { die }), origin, status, detail };
}

/** A verdict on every source, in the order given. */
export function judgeSources(found: readonly FoundSource[], context: FixContext): SourceDiagnosis[] {
  const statuses = found.map((source) => ({ source: source.source, status: effectiveStatus(source) }));
  // What holds for all is said once.
  const emulable = statuses.find(
    ({ source, status }) => RAPL.includes(source) && isVirtualised(status, context.machine),
  )?.source;
  return found.map((each) => {
    const status = effectiveStatus(each);
    const family = RAPL.includes(each.source) ? RAPL : [];
    const other = statuses.find(
      (one) => one.status === 'ok' && one.source !== each.source && family.includes(one.source),
    );
    // Nothing is missing without them.
    const optional = isOfCores(each.source);
    const noGpu = each.source === 'nvml' && status === 'not-found' && context.facts.nvidiaGpus?.length === 0;
    const needed = status === 'ok' || (other === undefined && !noGpu && !optional);
    const reasons = [
      reasonOf(each, status),
      surroundings(each, status, context),
      each.source === emulable ? EMULATION : '',
      needed || other === undefined ? '' : `Not needed: ${other.source} reads the same meters.`,
      needed || !optional ? '' : 'Not needed: what it adds is inside the packages.',
    ];
    // A source may work while some of its counters do not.
    const worst = status === 'ok' ? each.counters.find((one) => one.status !== 'ok')?.status : status;
    return {
      source: each.source,
      status,
      reason: reasons.filter((part) => part !== '').join(' '),
      needed,
      fixes: worst === undefined ? [] : fixesFor(each.source, worst, context),
      counters: each.counters.map(describe),
    };
  });
}

/** The verdicts after the live test: a source of which no counter moved can be read, and measures nothing. */
export function judgeAfterTest(
  sources: readonly SourceDiagnosis[],
  counters: readonly CounterTest[],
  { machine }: FixContext,
): SourceDiagnosis[] {
  const isVirtual = machine.hardware.state === 'virtual-machine';
  return sources.map((judged) => {
    const own = counters.filter(({ source }) => source === judged.source);
    const [first] = own;
    if (judged.status !== 'ok' || first === undefined || own.some(({ moved }) => moved)) return judged;
    // What went wrong meanwhile is told with the counter.
    const status = first.status === 'ok' ? 'stale' : first.status;
    const why = isVirtual ? 'Virtual machines may list counters that they do not have.' : '';
    const reasons = [judged.reason === WORDS.ok ? '' : judged.reason, WORDS[status], why];
    return { ...judged, status, reason: reasons.filter((part) => part !== '').join(' ') };
  });
}
