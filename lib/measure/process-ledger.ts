// SPDX-License-Identifier: MIT
//
// What one process has come to of a meter's machine, look by look: each stretch's energy is shared by what was used in that
// stretch. So regions that follow each other add up, and nobody bears what the machine spent while others ran. Looks in
// between also see children that come and go.
import type { Component, Components } from '../core/report-types.js';
import type { ProcessUsage } from '../estimate/process-usage.js';
import type { CpuTimes } from '../estimate/utilisation.js';
import type { Meter } from '../meter/meter.js';
import { type Reading, secondsBetween } from '../meter/reading.js';
import { machineCpuSecondsBetween, sharesOf, within0And1 } from './process-share.js';

/** Looks are close at first, as commands may be short, and then rare: each goes through all processes, 0.1 ms for one. */
const FIRST_MS = 50;
const LONGEST_MS = 5000;
/** The machine's CPU time is counted in hundredths of a second: shares are of stretches that hold twenty of them, */
const LEAST_CPU_SECONDS = 0.2;
const LEAST_SECONDS = 0.1;
/** or that are so long that an idle machine would not fill one. */
const LONG_SECONDS = 1;

/** What a look sees of the process and of the machine. */
export interface Look {
  reading: Reading;
  times: CpuTimes;
  usage: ProcessUsage;
}

/** The machine between two looks. */
export interface Stretch {
  components: Components;
  threadCount: number;
  ramTotalGib: number;
}

interface Account {
  ownJoules: number;
  machineJoules: number;
}

/** A look, and what all stretches have come to by then. */
export interface LedgerEntry extends Look {
  cpu: Account;
  ram: Account;
  /** Resident memory, in GiB, times the seconds that it was so. */
  residentGibSeconds: number;
}

/** The process's part of a region. A share is undefined where the machine had no energy that was seen. */
export interface LedgerSpan {
  cpuShareRatio: number | undefined;
  ramShareRatio: number | undefined;
  /** Mean; undefined where no time passed. */
  residentGib: number | undefined;
}

function shareBetween(from: Account, to: Account): number | undefined {
  const machineJoules = to.machineJoules - from.machineJoules;
  // Differences of sums may come out a rounding beyond what they are of.
  return machineJoules > 0 ? within0And1((to.ownJoules - from.ownJoules) / machineJoules) : undefined;
}

/** Entries in the order of their looks. */
export class ProcessLedger {
  readonly #between: (from: Look, to: Look) => Stretch;
  /** Looks at the start of something are reckoned later: that is no work of the region's. */
  #waiting: LedgerEntry[] = [];
  #last: LedgerEntry | undefined;
  /** Where the stretch began that the share of CPU time is taken of. */
  #window: LedgerEntry | undefined;
  /** A counter that stands still has counted since then, or is taken for none that does. */
  readonly #origins: Partial<Record<'cpu' | 'ram', LedgerEntry>> = {};

  constructor(between: (from: Look, to: Look) => Stretch) {
    this.#between = between;
  }

  add(look: Look): LedgerEntry {
    const nothing = { ownJoules: 0, machineJoules: 0 };
    const entry = { ...look, cpu: nothing, ram: nothing, residentGibSeconds: 0 };
    this.#waiting.push(entry);
    return entry;
  }

  span(from: LedgerEntry, to: LedgerEntry): LedgerSpan {
    this.settle();
    const seconds = secondsBetween(from.reading, to.reading);
    return {
      cpuShareRatio: shareBetween(from.cpu, to.cpu),
      ramShareRatio: shareBetween(from.ram, to.ram),
      residentGib: seconds > 0 ? (to.residentGibSeconds - from.residentGibSeconds) / seconds : undefined,
    };
  }

  /** Reckons what waits. */
  settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) this.#reckon(entry);
  }

  #reckon(entry: LedgerEntry): void {
    const [last, window] = [this.#last, this.#window];
    this.#last = entry;
    if (last === undefined || window === undefined) {
      this.#window = entry;
      Object.assign(this.#origins, { cpu: entry, ram: entry });
      return;
    }
    const seconds = Math.max(0, secondsBetween(last.reading, entry.reading));
    const stretch = this.#between(last, entry);
    const meanGib = (last.usage.residentGib + entry.usage.residentGib) / 2;
    entry.residentGibSeconds = last.residentGibSeconds + meanGib * seconds;
    const ramJoules = this.#joules(stretch.components.ram, last, entry, 'ram');
    entry.ram = {
      machineJoules: last.ram.machineJoules + ramJoules,
      ownJoules: last.ram.ownJoules + ramJoules * within0And1(meanGib / stretch.ramTotalGib),
    };
    entry.cpu = this.#cpuOf(entry, last, window, stretch);
  }

  #cpuOf(entry: LedgerEntry, last: LedgerEntry, window: LedgerEntry, stretch: Stretch): Account {
    const joules = this.#joules(stretch.components.cpu, last, entry, 'cpu');
    const machineJoules = last.cpu.machineJoules + joules;
    const { shares: ofWindow, seconds: windowSeconds } = this.#sharesBetween(window, entry, stretch);
    const { shares: ofStretch, seconds } = this.#sharesBetween(last, entry, stretch);
    const aimed = window.cpu.ownJoules + (machineJoules - window.cpu.machineJoules) * ofWindow.cpuShareRatio;
    // All threads together have no more time than this, so the process's share is no less: nothing that ran has nothing,
    // and nothing that was told is taken back.
    const threadSeconds = seconds * stretch.threadCount;
    const leastRatio = threadSeconds > 0 ? Math.min(1, ofStretch.cpuSeconds / threadSeconds) : 0;
    const ownJoules = Math.min(
      last.cpu.ownJoules + joules,
      Math.max(last.cpu.ownJoules + joules * leastRatio, aimed),
    );
    const isFull =
      ofWindow.machineCpuSeconds === undefined ||
      windowSeconds >= LONG_SECONDS ||
      (windowSeconds >= LEAST_SECONDS && ofWindow.machineCpuSeconds >= LEAST_CPU_SECONDS);
    if (isFull) this.#window = entry;
    return { machineJoules, ownJoules };
  }

  #sharesBetween(from: LedgerEntry, to: LedgerEntry, { threadCount, ramTotalGib }: Stretch) {
    const seconds = Math.max(0, secondsBetween(from.reading, to.reading));
    const shares = sharesOf({
      before: from.usage,
      after: to.usage,
      residentGib: to.usage.residentGib,
      durationSeconds: seconds,
      machineCpuSeconds: machineCpuSecondsBetween(from.times, to.times),
      threadCount,
      ramTotalGib,
    });
    return { shares, seconds };
  }

  /** The machine's in a stretch. What a counter does not show yet is in the stretch that it moves in. */
  #joules(part: Component, last: LedgerEntry, entry: LedgerEntry, key: 'cpu' | 'ram'): number {
    if (part.kind !== 'measured') {
      const since = this.#origins[key] ?? last;
      if (since !== last && this.#between(since, entry).components[key].kind === 'measured') return 0;
      this.#origins[key] = entry;
    }
    return Math.max(0, part.energyJoules ?? 0);
  }
}

interface Shared {
  ledger: ProcessLedger;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** A tracker's tasks share its meter, and so its ledger: each look is everybody's. */
const ledgers = new WeakMap<Meter, Shared>();

/** The ledger of a meter, looked at from time to time until `leave` is called, once. Keeps no process alive. */
export function joinLedger(
  meter: Meter,
  look: () => Look,
  between: (from: Look, to: Look) => Stretch,
): { ledger: ProcessLedger; leave(): void } {
  const shared = ledgers.get(meter) ?? { ledger: new ProcessLedger(between), users: 0, timer: undefined };
  ledgers.set(meter, shared);
  shared.users++;
  lookLater(shared, look, FIRST_MS);
  return {
    ledger: shared.ledger,
    leave() {
      if (--shared.users > 0) return;
      clearTimeout(shared.timer);
      // What happens until somebody looks again is not of any region.
      ledgers.delete(meter);
    },
  };
}

function lookLater(shared: Shared, look: () => Look, afterMs: number): void {
  clearTimeout(shared.timer);
  shared.timer = setTimeout(() => {
    try {
      shared.ledger.add(look());
      shared.ledger.settle();
    } catch {
      // Its meter is closed: nobody will ask.
      return;
    }
    lookLater(shared, look, Math.min(LONGEST_MS, afterMs * 2));
  }, afterMs);
  shared.timer.unref();
}
