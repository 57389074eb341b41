// SPDX-License-Identifier: MIT
//
// Why a source is as it is, in words.
import type { Status } from '../core/vocabulary.js';
import { isOfCores } from './cores.js';
import type { FixContext } from './fix-parts.js';
import { hasRapl } from './machine.js';
import { isFiltered } from './perf-fixes.js';
import type { FoundSource } from './sources.js';

/** What a status means, for a source that gives no reason of its own. */
export const WORDS: Readonly<Record<Status, string>> = {
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
export const RAPL: readonly string[] = ['perf', 'powercap', 'msr'];

function isOfRapl(source: string): boolean {
  return RAPL.includes(source.replace(/-core$/, ''));
}

/** Read by name only: the power of GPUs, to check their counts by. */
export function isCheck(source: string): boolean {
  return source === 'nvml-power';
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** Where the words of RAPL's sources turn to what could be done, on some machine. */
const REMEDY =
  /[;:,.]? (?:on bare metal|in a (?:container|virtual machine)|a virtual machine seldom|try modprobe|load (?:the|its) driver|mount the host's|measure on (?:the|its) host|have the administrator|look (?:at|for)|use powercap).*/is;
const LEVEL = /[;:,.]? kernel\.perf_event_paranoid.*/is;

function ownWords(detail: string, source: string, status: Status, context: FixContext): string {
  if (isOfRapl(source) && isVirtualised(status, context.machine)) return detail.replace(REMEDY, '');
  return source.startsWith('perf') && status === 'no-permission' && isFiltered(context)
    ? detail.replace(LEVEL, '')
    : detail;
}

/** Sentences about why, each told once however many counters share it. */
export function reasonOf(found: FoundSource, status: Status, context: FixContext): string {
  const lost = found.counters.filter((counter) => counter.status !== 'ok');
  const own = sentence(ownWords(found.detail, found.source, status, context));
  const [first] = lost;
  // A source that says why it is of no use speaks for its counters.
  if (first === undefined || (found.status !== 'ok' && own !== '')) return own || WORDS[status];
  const many = lost.length === 1 ? '' : `${lost.length} of ${found.counters.length} counters cannot be read.`;
  const why = sentence(ownWords(first.detail, found.source, first.status, context) || WORDS[first.status]);
  return [own, many, why].filter((part) => part !== '').join(' ');
}

/** Whether it is a virtual machine that keeps a source from counting. */
export function isVirtualised(status: Status, { hardware }: FixContext['machine']): boolean {
  const isAbsent = status === 'not-found' || status === 'not-supported';
  return status === 'virtualised' || (isAbsent && hardware.state === 'virtual-machine');
}

/** The sources of the CPU's energy on a system, and what to say once where none of them works in a virtual machine. */
export const IN_GUEST: Readonly<Record<string, { sources: readonly string[]; words: string }>> = {
  linux: {
    sources: RAPL,
    words:
      'Nothing can be done inside a virtual machine: measure on its host. QEMU 9.1 and later can emulate RAPL (-accel kvm,rapl=true,path=SOCKET on the host, updated once a second); ' +
      'otherwise estimates are used.',
  },
  win32: {
    sources: ['emi'],
    words: 'Nothing can be done inside a virtual machine: measure on its host; here estimates are used.',
  },
};

function aboutLevel(detail: string, context: FixContext): string {
  if (isFiltered(context)) {
    return "The engine's filter of system calls keeps perf_event_open from containers without the capability, whatever kernel.perf_event_paranoid is.";
  }
  const level = context.machine.perfEventParanoid;
  if (level === undefined) return '';
  if (level <= 0) {
    return `kernel.perf_event_paranoid is ${level}, which allows it: a security module or a filter of system calls refuses.`;
  }
  // The value itself is told with the machine.
  return detail.includes('perf_event_paranoid')
    ? ''
    : `kernel.perf_event_paranoid is ${level}; without CAP_PERFMON it must be 0 or less.`;
}

/** What the surroundings add to the reason. */
export function surroundings(found: FoundSource, status: Status, context: FixContext): string {
  const { source, detail } = found;
  const { facts, machine } = context;
  if (source === 'nvml') {
    const gpus = facts.nvidiaGpus;
    if (status !== 'not-found' || gpus === undefined) return '';
    return gpus.length === 0
      ? 'The PCI bus shows no NVIDIA GPU, so nothing is missing.'
      : `The PCI bus shows ${gpus.join(', ')}.`;
  }
  if (!isOfRapl(source)) return '';
  if (isVirtualised(status, machine)) return '';
  if (status === 'not-found' && hasRapl(facts) === false) return 'This CPU has no RAPL counters.';
  if (status === 'not-found' && isOfCores(source) && detail === '') {
    return 'Only AMD counts the energy of single cores; perf has it since Linux 6.14.';
  }
  if (status !== 'no-permission') return '';
  if (source.startsWith('perf')) return aboutLevel(reasonOf(found, status, context), context);
  const { lockdown } = machine;
  if (source.startsWith('msr') && lockdown !== undefined && lockdown !== 'none') {
    return `The kernel is locked down (${lockdown}), which may close the registers even to root: use perf or powercap.`;
  }
  return '';
}
