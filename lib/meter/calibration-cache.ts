// SPDX-License-Identifier: MIT
//
// What samplers found out about the counters of this machine, for the next process: a small file in the user's folder of
// caches. It is a hint only: a sampler that finds a counter otherwise learns anew. So nothing here ever fails.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CounterCalibration, KnownCalibration } from './native.js';

const FILE = 'calibrations.json';
const SCHEMA = 'microjoule.calibrations/1';
/** New firmware or another kernel may change what a counter does. */
const MOST_AGE_MS = 30 * 86_400_000;
/** Roots that containers mount, mostly. */
const MOST_MACHINES = 16;
/** A calibration that rests on fewer updates is better made again. */
const FEWEST_UPDATES = 20;
/** One whose thread was kept from reading so often, likewise. */
const MOST_HELD_UP_RATIO = 0.2;

type Stored = Omit<KnownCalibration, 'id' | 'quantumTicks'> & { quantumTicks?: string };

interface Entry {
  writtenAtMs: number;
  counters: Record<string, Stored>;
}

interface Content {
  schema: typeof SCHEMA;
  machines: Record<string, Entry>;
}

/** Where the cache lies: `MICROJOULE_CALIBRATION_CACHE` names a folder, or is `off`. Undefined: there is none. */
function cacheFile(): string | undefined {
  const given = process.env.MICROJOULE_CALIBRATION_CACHE;
  if (given === 'off') return undefined;
  if (given !== undefined && given !== '') return path.join(given, FILE);
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const folder =
    process.platform === 'win32'
      ? LOCALAPPDATA
      : process.platform === 'darwin'
        ? inHome('Library/Caches')
        : XDG_CACHE_HOME || inHome('.cache');
  return folder === undefined || !path.isAbsolute(folder) ? undefined : path.join(folder, 'microjoule', FILE);
}

/** Users without a home, as in containers, have no folder in it. */
function inHome(folder: string): string | undefined {
  try {
    return path.join(os.homedir(), folder);
  } catch {
    return undefined;
  }
}

/** Homes are shared between machines, and one machine's files between containers. */
function machineKey(roots: { sysfs: string; dev: string }): string {
  return [os.hostname(), os.cpus()[0]?.model ?? '', os.release(), roots.sysfs, roots.dev].join(' | ');
}

function readContent(file: string): Content {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Content;
    const isOurs = content?.schema === SCHEMA && typeof content.machines === 'object';
    if (isOurs && content.machines !== null) return content;
  } catch {
    // None yet, or none that could be read.
  }
  return { schema: SCHEMA, machines: {} };
}

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

function knownOf(id: string, stored: Stored): KnownCalibration[] {
  const { updateCount, periodNs, periodUncertaintyNs, jitterNs, heldUpRatio, bracketNs, quantumTicks } =
    stored;
  const amounts = { updateCount, periodNs, periodUncertaintyNs, jitterNs, heldUpRatio, bracketNs };
  if (!Object.values(amounts).every(isAmount) || periodNs === 0) return [];
  const hasQuantum = typeof quantumTicks === 'string' && /^\d{1,18}$/.test(quantumTicks);
  return [{ id, ...amounts, ...(hasQuantum ? { quantumTicks: BigInt(quantumTicks) } : {}) }];
}

/** What is known of this machine's counters, by an earlier process. */
export function readCalibrations(roots: { sysfs: string; dev: string }): KnownCalibration[] {
  const file = cacheFile();
  if (file === undefined) return [];
  const entry = readContent(file).machines[machineKey(roots)];
  if (!isAmount(entry?.writtenAtMs) || Math.abs(Date.now() - entry.writtenAtMs) > MOST_AGE_MS) return [];
  return Object.entries(entry.counters ?? {}).flatMap(([id, stored]) =>
    typeof stored === 'object' && stored !== null ? knownOf(id, stored) : [],
  );
}

/** A period beyond so many of both deviations, and by so much, is another one. */
const CONTRADICTING_DEVIATIONS = 3;
const CONTRADICTING_RATIO = 0.01;

/** Whether what was found, certain enough to be kept or not, says that what is stored is no longer true. */
function contradicts({ periodNs, periodUncertaintyNs = 0 }: CounterCalibration, stored: Stored): boolean {
  if (periodNs === undefined) return false;
  const off = Math.abs(periodNs - stored.periodNs);
  const doubtNs = CONTRADICTING_DEVIATIONS * (periodUncertaintyNs + stored.periodUncertaintyNs);
  return off > doubtNs && off > CONTRADICTING_RATIO * periodNs;
}

/**
 * Keeps what is certain enough of them, and drops what they contradict. Of two processes that write at the same time, one is
 * in vain.
 */
export function writeCalibrations(
  roots: { sysfs: string; dev: string },
  counters: readonly { id: string; calibration: CounterCalibration }[],
): void {
  const file = cacheFile();
  if (file === undefined) return;
  const found = counters.flatMap(({ id, calibration }): [string, Stored][] => {
    const { updateCount, periodNs, periodUncertaintyNs, heldUpRatio = 0 } = calibration;
    const { jitterNs = 0, bracketNs = 0, quantumTicks } = calibration;
    if (periodNs === undefined || periodUncertaintyNs === undefined) return [];
    if (updateCount < FEWEST_UPDATES || heldUpRatio > MOST_HELD_UP_RATIO) return [];
    const quantum = quantumTicks === undefined ? {} : { quantumTicks: String(quantumTicks) };
    return [
      [id, { updateCount, periodNs, periodUncertaintyNs, jitterNs, heldUpRatio, bracketNs, ...quantum }],
    ];
  });
  const content = readContent(file);
  const key = machineKey(roots);
  const before = content.machines[key]?.counters ?? {};
  const dropped = new Set(
    counters.flatMap(({ id, calibration }) => {
      const stored = before[id];
      return stored !== undefined && stored !== null && contradicts(calibration, stored) ? [id] : [];
    }),
  );
  if (found.length === 0 && dropped.size === 0) return;
  const kept = Object.fromEntries(Object.entries(before).filter(([id]) => !dropped.has(id)));
  const entry: Entry = { writtenAtMs: Date.now(), counters: { ...kept, ...Object.fromEntries(found) } };
  const machines = Object.entries({ ...content.machines, [key]: entry })
    .sort(([, one], [, other]) => other.writtenAtMs - one.writtenAtMs)
    .slice(0, MOST_MACHINES);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify({ schema: SCHEMA, machines: Object.fromEntries(machines) }));
    renameSync(draft, file);
  } catch {
    // A home that is read-only: the next process calibrates, too.
  }
}
