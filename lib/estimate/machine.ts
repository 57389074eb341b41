// SPDX-License-Identifier: MIT
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { availableParallelism, cpus, freemem, machine, platform, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { BYTES_PER_GIB, MICROWATTS_PER_WATT } from '../core/units.js';
import type { CpuIdentity } from './cpu.js';
import { listSysfs, readSysfsText } from './sysfs.js';
import { readProcStat } from './utilisation.js';

/** Enough for the first processor's block, of about 2 KiB; all of a large server's blocks take long to generate. */
const CPUINFO_BYTES = 8192;
const BYTES_PER_KIB = 1024;
/** A package limit outside of these is no real one. */
const MIN_LIMIT_WATTS = 1;
const MAX_LIMIT_WATTS = 2000;

/** The part of a {@link CpuIdentity} that the operating system's own identification gives. */
export type CpuIds = Partial<Pick<CpuIdentity, 'modelName'>> &
  Pick<CpuIdentity, 'vendor' | 'family' | 'model' | 'armImplementer' | 'armPart'>;

/** What the first processor's block of a /proc/cpuinfo text says. On big.LITTLE that is a little core. */
export function parseCpuinfo(text: string): CpuIds {
  const fields = new Map<string, string>();
  for (const line of text.trimStart().split('\n')) {
    if (line.trim() === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const integer = (key: string): number | undefined => {
    const value = fields.get(key);
    return value !== undefined && /^(?:\d+|0x[0-9a-f]+)$/i.test(value) ? Number(value) : undefined;
  };
  return withoutUndefined({
    modelName: fields.get('model name') || undefined,
    vendor: fields.get('vendor_id'),
    family: integer('cpu family'),
    model: integer('model'),
    armImplementer: integer('CPU implementer'),
    armPart: integer('CPU part'),
  });
}

/** What Windows' PROCESSOR_IDENTIFIER says, e.g. `Intel64 Family 6 Model 140 Stepping 1, GenuineIntel`. */
export function parseProcessorIdentifier(text: string): CpuIds {
  const match = /\b(?:Intel64|AMD64|x86) Family (\d+) Model (\d+) Stepping \d+, (\S+)/.exec(text);
  if (match === null) return {};
  return withoutUndefined({ vendor: match[3], family: Number(match[1]), model: Number(match[2]) });
}

/** The `MemAvailable` of a /proc/meminfo text in GiB; kernels before 3.14 have none. */
export function parseMemAvailableGib(text: string): number | undefined {
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? undefined : (Number(kib) * BYTES_PER_KIB) / BYTES_PER_GIB;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function readStart(path: string, byteCount: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(byteCount);
      let filled = 0;
      // procfs hands out less than asked for at a time.
      while (filled < byteCount) {
        const size = readSync(file, bytes, filled, byteCount - filled, null);
        if (size === 0) break;
        filled += size;
      }
      return bytes.toString('latin1', 0, filled);
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

function readCpuIds(): CpuIds {
  if (platform() === 'linux') return parseCpuinfo(readStart('/proc/cpuinfo', CPUINFO_BYTES));
  if (platform() === 'win32') return parseProcessorIdentifier(process.env.PROCESSOR_IDENTIFIER ?? '');
  return {};
}

/** Reads what this machine's CPU is. In a virtual machine it is what the hypervisor shows. */
export function readCpuIdentity(): CpuIdentity {
  const ids = readCpuIds();
  return {
    ...ids,
    modelName: ids.modelName ?? (cpus()[0]?.model.trim() || 'unknown'),
    // Sandboxes without /proc/stat list no CPU.
    threadCount: readProcStat()?.threadCount || cpus().length || availableParallelism(),
  };
}

/**
 * Reads the sum of all packages' long-term maximum power in watts from Linux' powercap tree: readable without rights
 * even where energy is not. Undefined unless every package has a plausible one.
 */
export function readMaxPowerWatts(sysfsRoot: string): number | undefined {
  const powercapPath = join(sysfsRoot, 'class/powercap');
  let sumWatts = 0;
  let packageCount = 0;
  for (const zone of listSysfs(powercapPath)) {
    // Not intel-rapl-mmio, which is the same package again; the index is hexadecimal.
    if (!/^intel-rapl:[0-9a-f]+$/.test(zone)) continue;
    const read = (file: string): string => readSysfsText(join(powercapPath, zone, file)) ?? '';
    if (!read('name').startsWith('package')) continue;
    const microwatts = read('constraint_0_max_power_uw');
    const watts = /^\d+$/.test(microwatts) ? Number(microwatts) / MICROWATTS_PER_WATT : Number.NaN;
    const plausible = watts >= MIN_LIMIT_WATTS && watts <= MAX_LIMIT_WATTS;
    if (!plausible || read('constraint_0_name') !== 'long_term') return undefined;
    sumWatts += watts;
    packageCount += 1;
  }
  return packageCount > 0 ? sumWatts : undefined;
}

function readAvailableGib(): number {
  try {
    const availableGib = parseMemAvailableGib(readFileSync('/proc/meminfo', 'latin1'));
    if (availableGib !== undefined) return availableGib;
  } catch {
    // Not Linux, or no /proc.
  }
  return freemem() / BYTES_PER_GIB;
}

/** Reads installed and used memory in GiB. Memory the kernel can take back from caches does not count as used. */
export function readMemory(): { ramTotalGib: number; ramUsedGib?: number } {
  const ramTotalGib = totalmem() / BYTES_PER_GIB;
  return { ramTotalGib, ramUsedGib: Math.max(0, ramTotalGib - readAvailableGib()) };
}

/** The operating system in the manner of Python's `platform.platform()`, e.g. `Linux-6.18.0-x86_64`. */
export function describeOs(): string {
  return `${type().replace(/_NT$/, '')}-${release()}-${machine()}`;
}

/** The JavaScript runtime, e.g. `node v20.20.2`. */
export function describeRuntime(): string {
  return `node ${process.version}`;
}
