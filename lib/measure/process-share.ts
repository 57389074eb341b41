// SPDX-License-Identifier: MIT
//
// One process's share of the machine's energy. Counters know packages and boards, not processes, so it is attributed:
// what the shares of all processes and the rest come to is the machine's energy, no more and no less.
import { formatEnergy, formatShare, formatSignificant } from '../core/numbers.js';
import type { Attribution, Component, Components } from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import type { Warning } from '../core/vocabulary.js';
import type { ProcessUsage } from '../estimate/process-usage.js';
import type { CpuTimes } from '../estimate/utilisation.js';
import { weakerKind } from '../report/kinds.js';

/** What was seen of the process and of the machine between two times. */
export interface UsageBetween {
  before: ProcessUsage;
  after: ProcessUsage;
  /** Mean of the resident memory. */
  residentGib: number;
  durationSeconds: number;
  /** CPU time of all that ran; undefined where the operating system hides it. */
  machineCpuSeconds: number | undefined;
  threadCount: number;
  ramTotalGib: number;
  /** Of the energies, taken stretch by stretch. Where one is not known, the region is one stretch. */
  ofEnergy?: { cpuShareRatio: number | undefined; ramShareRatio: number | undefined };
}

interface Shares {
  cpuShareRatio: number;
  ramShareRatio: number;
  cpuSeconds: number;
  machineCpuSeconds: number | undefined;
  residentGib: number;
  /** Why the CPU's share is a lower bound; empty when it is none. */
  incomplete: string;
}

export function within0And1(ratio: number): number {
  return Math.min(1, Math.max(0, Number.isNaN(ratio) ? 0 : ratio));
}

/** CPU time of all that ran; undefined where the operating system hides it: its times stand at zero. */
export function machineCpuSecondsBetween(earlier: CpuTimes, later: CpuTimes): number | undefined {
  return later.totalSeconds > 0 ? later.busySeconds - earlier.busySeconds : undefined;
}

/** The shares of one stretch. @internal */
export function sharesOf(usage: UsageBetween): Shares {
  const { before, after, durationSeconds, threadCount, ramTotalGib, residentGib } = usage;
  const ownSeconds = Math.max(0, after.ownCpuSeconds - before.ownCpuSeconds);
  // A child whose parent never asked for it takes its time along when it ends: never less than the process's own.
  const cpuSeconds = Math.max(ownSeconds, after.cpuSeconds - before.cpuSeconds);
  // Linux counts the machine's time in hundredths of a second, and may have counted less than the process did.
  const machineCpuSeconds =
    usage.machineCpuSeconds === undefined ? undefined : Math.max(usage.machineCpuSeconds, cpuSeconds);
  const incomplete = [
    ...(machineCpuSeconds === undefined
      ? [
          "The CPU time of all processes cannot be read here: this is a share of all threads' time, idle included, which is less.",
        ]
      : []),
    ...(after.children === 'all'
      ? []
      : [
          after.children === 'ended'
            ? 'Children count when they have ended, and not before, on this system.'
            : 'Children cannot be seen on this system.',
        ]),
  ];
  const of = machineCpuSeconds ?? durationSeconds * threadCount;
  return {
    cpuShareRatio: of > 0 ? within0And1(cpuSeconds / of) : 0,
    ramShareRatio: within0And1(residentGib / ramTotalGib),
    cpuSeconds,
    machineCpuSeconds,
    residentGib,
    incomplete: incomplete.join(' '),
  };
}

function shareOf(
  machine: Component,
  ratio: number,
  durationSeconds: number,
  words: { source: string; method: string; detail: string; atLeast: boolean },
): Component {
  const { energyJoules, lowerJoules, upperJoules, confidenceRatio } = machine;
  if (machine.kind === 'absent' || energyJoules === undefined) return machine;
  const joules = energyJoules * ratio;
  return {
    kind: weakerKind('estimated', machine.kind),
    source: `${machine.source}, ${words.source}`,
    method: `${words.method} of the machine's (${machine.method})`,
    detail: `${formatShare(ratio)} of the machine's ${formatEnergy(energyJoules)}, which is ${machine.kind}: ${words.detail} ${machine.detail}`,
    energyJoules: joules,
    energyKwh: joulesToKwh(joules),
    ...(durationSeconds > 0 ? { powerWatts: joules / durationSeconds } : {}),
    ...(lowerJoules === undefined || upperJoules === undefined || confidenceRatio === undefined
      ? {}
      : { lowerJoules: lowerJoules * ratio, upperJoules: upperJoules * ratio, confidenceRatio }),
    atLeast: machine.atLeast || words.atLeast,
    counters: machine.counters,
  };
}

/** A board's energy is nobody's in particular: no counter tells which process had it. */
function gpuOf(machine: Component): Component {
  const { energyJoules } = machine;
  if (energyJoules === undefined) return machine;
  const detail = `The machine's GPUs took ${formatEnergy(energyJoules)} (${machine.kind}). Their counters are the board's: how much of it was this process's is not known.`;
  return {
    kind: 'absent',
    source: machine.source,
    method: 'present, not attributed',
    detail,
    atLeast: true,
    counters: machine.counters.map((counter) => ({ ...counter, inTotal: false })),
  };
}

function joulesOf(components: Components): number {
  const parts: Component[] = Object.values(components);
  return parts.reduce((sum, part) => sum + (part.energyJoules ?? 0), 0);
}

/** The process's part of the machine's components, and how it came about. */
export function attribute(
  machine: Components,
  usage: UsageBetween,
): { components: Components; attribution: Attribution; warnings: Warning[] } {
  const { durationSeconds } = usage;
  const byTime = sharesOf(usage);
  const shares = {
    ...byTime,
    cpuShareRatio: usage.ofEnergy?.cpuShareRatio ?? byTime.cpuShareRatio,
    ramShareRatio: usage.ofEnergy?.ramShareRatio ?? byTime.ramShareRatio,
  };
  const { cpuSeconds, machineCpuSeconds, residentGib, incomplete } = shares;
  const seconds = formatSignificant(cpuSeconds);
  const ofAll =
    machineCpuSeconds === undefined
      ? `${seconds} s of CPU time.`
      : `${seconds} s of ${formatSignificant(machineCpuSeconds)} s of CPU time that all processes had, each stretch between two looks by itself; what idling takes is shared likewise.`;
  const memory = `${formatSignificant(residentGib)} GiB resident of ${formatSignificant(usage.ramTotalGib)} GiB installed.`;
  const components = {
    cpu: shareOf(machine.cpu, shares.cpuShareRatio, durationSeconds, {
      source: 'CPU time',
      method: 'share by CPU time',
      detail: incomplete === '' ? ofAll : `${ofAll} ${incomplete}`,
      atLeast: incomplete !== '',
    }),
    gpu: gpuOf(machine.gpu),
    ram: shareOf(machine.ram, shares.ramShareRatio, durationSeconds, {
      source: 'resident memory',
      method: 'share by resident memory',
      detail: memory,
      atLeast: false,
    }),
  };
  const machineJoules = joulesOf(machine);
  const gpuIsThere = machine.gpu.energyJoules !== undefined;
  return {
    components,
    attribution: {
      kind: [machine.cpu.kind, machine.ram.kind].includes('assumed') ? 'assumed' : 'estimated',
      source: 'CPU time and resident memory of processes, by the operating system',
      method:
        "the machine's CPU energy by CPU time, its memory's energy by resident memory, stretch by stretch",
      detail: `CPU: ${incomplete === '' ? ofAll : `${ofAll} ${incomplete}`} Memory: ${memory}`,
      cpuShareRatio: shares.cpuShareRatio,
      ramShareRatio: shares.ramShareRatio,
      cpuSeconds,
      ...(machineCpuSeconds === undefined ? {} : { machineCpuSeconds }),
      residentGib,
      machineJoules,
      restJoules: Math.max(0, machineJoules - joulesOf(components)),
    },
    warnings: gpuIsThere
      ? [
          {
            code: 'gpu-not-attributed',
            message: `The GPUs' energy is left out of the process's: ${components.gpu.detail}`,
            hint: 'Where nothing else uses the GPUs, trackingMode "machine" counts them in full.',
          },
        ]
      : [],
  };
}
