// SPDX-License-Identifier: MIT
//
// Whether Intel's energy filter may be on, which adds noise to every update of RAPL counters: long regions stay usable,
// short ones are less certain. A few small reads, for the doctor and for whoever judges short regions.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FEATURE_SGX, parseModalias } from '../core/modalias.js';
import type { Domain } from '../core/vocabulary.js';

/** IA32_MISC_PACKAGE_CTLS; bit 0 is ENERGY_FILTERING_ENABLE (Intel, INTEL-SA-00389). */
const MISC_PACKAGE_CONTROLS = 0xbc;
const ENERGY_FILTERING_ENABLE = 1n;

export interface EnergyFilter {
  /** `possible`: SGX, which switches it on, is there; `none`: this CPU knows no such filter. */
  state: 'on' | 'off' | 'possible' | 'none' | 'unknown';
  /** How that is known. */
  detail: string;
}

/** What the judgement rests on. What could not be read is absent. */
export interface EnergyFilterFacts {
  /** As `process.platform` has it. */
  platform: string;
  /** `<sysfs>/devices/system/cpu/modalias`. */
  cpuModalias?: string | undefined;
  /** MSR 0xBC (IA32_MISC_PACKAGE_CTLS) of the first CPU that has a node, where it may be read. */
  packageControls?: bigint | undefined;
  /** `<dev>/sgx_enclave` exists. */
  hasSgxDevice: boolean;
  /** What stands for /dev. */
  dev: string;
}

/** A register of the first CPU that has one, through the msr driver: 8 bytes at the register's number. */
function readRegister(dev: string, register: number): bigint | undefined {
  try {
    const cpu = readdirSync(join(dev, 'cpu'))
      .sort()
      .find((name) => /^\d+$/.test(name));
    if (cpu === undefined) return undefined;
    const file = openSync(join(dev, 'cpu', cpu, 'msr'), 'r');
    try {
      const bytes = Buffer.alloc(8);
      return readSync(file, bytes, 0, 8, register) === 8 ? bytes.readBigUInt64LE() : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    // No driver, no right, or no such register.
    return undefined;
  }
}

function readModalias(sysfs: string): string | undefined {
  try {
    // Archived copies are padded with NUL to a page.
    return readFileSync(join(sysfs, 'devices/system/cpu/modalias'), 'latin1').split('\0', 1)[0]?.trim();
  } catch {
    return undefined;
  }
}

/** Never throws. */
export function readEnergyFilterFacts({ sysfs, dev }: { sysfs: string; dev: string }): EnergyFilterFacts {
  const cpuModalias = readModalias(sysfs);
  const isIntel = parseModalias(cpuModalias ?? '').vendor === 'GenuineIntel';
  return {
    platform: process.platform,
    cpuModalias,
    packageControls: isIntel ? readRegister(dev, MISC_PACKAGE_CONTROLS) : undefined,
    hasSgxDevice: existsSync(join(dev, 'sgx_enclave')),
    dev,
  };
}

export function judgeEnergyFilter(facts: EnergyFilterFacts): EnergyFilter {
  const { vendor, features } = parseModalias(facts.cpuModalias ?? '');
  if (facts.packageControls !== undefined) {
    return (facts.packageControls & ENERGY_FILTERING_ENABLE) !== 0n
      ? {
          state: 'on',
          detail: 'MSR 0xBC bit 0 is set: noise is added to every update, long regions stay usable',
        }
      : { state: 'off', detail: 'MSR 0xBC bit 0 is clear' };
  }
  const mark = features?.has(FEATURE_SGX) ? 'the CPU lists sgx' : `${facts.dev}/sgx_enclave exists`;
  if (features?.has(FEATURE_SGX) || facts.hasSgxDevice) {
    return {
      state: 'possible',
      detail: `${mark}, and SGX switches the energy filter on: do not trust single updates; MSR 0xBC tells (root)`,
    };
  }
  if (vendor === undefined) {
    const detail =
      facts.platform === 'linux'
        ? 'the CPU is not described in sysfs'
        : 'this system shows programs neither SGX nor MSR 0xBC, which would tell';
    return { state: 'unknown', detail };
  }
  if (vendor !== 'GenuineIntel') return { state: 'none', detail: 'an Intel feature' };
  return { state: 'unknown', detail: 'no SGX is seen; MSR 0xBC, which would tell, cannot be read' };
}

const known = new Map<string, EnergyFilter>();

/** Reads it once a process; loads nothing. Never throws. */
export function readEnergyFilter(roots: { sysfs: string; dev: string }): EnergyFilter {
  const key = `${roots.sysfs}\0${roots.dev}`;
  let found = known.get(key);
  if (found === undefined) {
    found = judgeEnergyFilter(readEnergyFilterFacts(roots));
    known.set(key, found);
  }
  return found;
}

/** Whether the filter may add noise to this counter: it is on or possible, and the counter is one of the CPU's. */
export function mayBeFiltered({ domain }: { domain: Domain }, { state }: EnergyFilter): boolean {
  return (state === 'on' || state === 'possible') && domain !== 'gpu' && domain !== 'gpu-memory';
}
