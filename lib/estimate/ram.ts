// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Provenance } from '../core/vocabulary.js';

export type RamModelName = 'per-gib' | 'per-dimm';

export interface RamOptions {
  /** Installed memory in GiB. */
  ramTotalGib: number;
  model?: RamModelName | undefined;
  /** Overrides the default of the per-GiB model, in watts per GiB. 0 for memory that is in the CPU's figure already. */
  wattsPerGib?: number | undefined;
  /** As `process.arch` or `uname -m` has it. Only the per-DIMM model asks. */
  architecture?: string | undefined;
}

/**
 * 3 W per 8 GiB: CodeCarbon before version 3. Green Algorithms (0.3725) and Cloud Carbon Footprint (0.392) are within
 * 5 % of it.
 */
const DEFAULT_WATTS_PER_GIB = 3 / 8;

/** CodeCarbon 3's stick sizes in GiB for machines above 128 GiB, largest first. */
const LARGE_DIMM_GIB = [128, 64, 32, 16, 8, 4];
const LARGE_DIMM_MIN_COUNT = 8;
const LARGE_DIMM_MAX_COUNT = 32;

/** How many sticks CodeCarbon 3 guesses for a memory size in GiB. */
function guessDimmCount(ramTotalGib: number): number {
  if (ramTotalGib <= 2) return 1;
  if (ramTotalGib <= 16) return 2;
  if (ramTotalGib <= 64) return 4;
  if (ramTotalGib <= 128) return 8;
  const stickGib = LARGE_DIMM_GIB.find((gib) => ramTotalGib / gib >= LARGE_DIMM_MIN_COUNT);
  const count = stickGib === undefined ? LARGE_DIMM_MIN_COUNT : Math.ceil(ramTotalGib / stickGib);
  return Math.min(LARGE_DIMM_MAX_COUNT, count);
}

/** Of each stick's watts, what CodeCarbon 3 counts: less the more sticks there are. */
function dimmShare(index: number): number {
  if (index < 4) return 1;
  if (index < 8) return 0.9;
  if (index < 16) return 0.8;
  return 0.7;
}

function perDimm(ramTotalGib: number, architecture: string): Provenance & { powerWatts: number } {
  const isArm = /^(?:arm|aarch)/i.test(architecture);
  const wattsPerDimm = isArm ? 1.5 : 5;
  const minimumWatts = isArm ? 3 : 10;
  const dimmCount = guessDimmCount(ramTotalGib);
  let shares = 0;
  for (let index = 0; index < dimmCount; index += 1) shares += dimmShare(index);
  return {
    kind: 'estimated',
    source: 'ram per-dimm model',
    method: 'W/DIMM x guessed number of DIMMs',
    detail:
      `CodeCarbon 3's model: ${ramTotalGib.toFixed(1)} GiB is guessed to be ${dimmCount} DIMM of ${wattsPerDimm} W, ` +
      `less from the fifth on, ${minimumWatts} W at least.`,
    powerWatts: Math.max(minimumWatts, shares * wattsPerDimm),
  };
}

function perGib(ramTotalGib: number, wattsPerGib: number | undefined): Provenance & { powerWatts: number } {
  const byUser = wattsPerGib !== undefined;
  const watts = wattsPerGib ?? DEFAULT_WATTS_PER_GIB;
  const origin = byUser ? 'as given by the user' : 'the 3 W per 8 GiB of CodeCarbon before version 3';
  return {
    kind: byUser ? 'assumed' : 'estimated',
    source: byUser ? 'user' : 'ram per-gib model',
    method: 'W/GiB × installed GiB',
    detail: `${watts} W/GiB, ${origin}, x ${ramTotalGib.toFixed(1)} GiB installed, whether in use or not.`,
    powerWatts: watts * ramTotalGib,
  };
}

/**
 * Power of the installed memory in watts, whatever its load.
 *
 * @throws MicrojouleError `ERR_BAD_OPTION` for an unknown model, a size or `wattsPerGib` that is negative or not
 * finite, or `wattsPerGib` beside the per-DIMM model.
 */
export function estimateRamPower(options: RamOptions): Provenance & { powerWatts: number } {
  const { ramTotalGib, model = 'per-gib', wattsPerGib, architecture = process.arch } = options;
  for (const [name, value] of Object.entries({ ramTotalGib, wattsPerGib })) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
      throw new MicrojouleError('ERR_BAD_OPTION', `${name} must be a number of at least 0, not ${value}`, {
        hint: 'Give a number, for example 0.375 W/GiB, or leave it out.',
      });
    }
  }
  if (model === 'per-gib') return perGib(ramTotalGib, wattsPerGib);
  if (model !== 'per-dimm') {
    throw new MicrojouleError('ERR_BAD_OPTION', `unknown RAM model "${model}": use per-gib or per-dimm`, {
      hint: 'Leave it out for per-gib.',
    });
  }
  if (wattsPerGib !== undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'wattsPerGib has no meaning with the RAM model per-dimm', {
      hint: 'Use the model per-gib, or leave wattsPerGib out.',
    });
  }
  return perDimm(ramTotalGib, architecture);
}
