// SPDX-License-Identifier: MIT
//
// The energy of a benchmark: measured apart from the harness's own loop, whose bookkeeping would be in it.
import { MicrojouleError } from '../core/errors.js';
import type { Kind } from '../core/vocabulary.js';
import { measureEnergy } from '../kernel/on-demand.js';
import { resolveOptions } from '../kernel/options.js';
import type { Kernel, KernelEnergy, MeasureEnergyOptions } from '../kernel/types.js';

/** What `measureEnergy()` takes, but for what the harness says itself. */
export type EnergyOptions = Omit<MeasureEnergyOptions, 'name' | 'setup' | 'signal'>;

/** Of one operation, in joules; `kind` is how it came to be. */
export interface KnownEnergy extends KernelEnergy {
  kind: Exclude<Kind, 'absent'>;
}

/** Why a benchmark has no energy. */
export interface AbsentEnergy {
  kind: 'absent';
  name: string;
  /** In a few words, for a column: `no counter`. */
  reason: string;
  detail: string;
  hint?: string;
}

export type BenchmarkEnergy = KnownEnergy | AbsentEnergy;

/** @throws MicrojouleError `ERR_BAD_OPTION` before anything runs */
export function checkEnergyOptions(options: EnergyOptions): void {
  resolveOptions(() => {}, options);
}

export function absent(name: string, reason: string, detail: string, hint?: string): AbsentEnergy {
  return { kind: 'absent', name, reason, detail, ...(hint === undefined ? {} : { hint }) };
}

/**
 * The energy of one call; absent where no counter can be read and estimates are not allowed.
 * @throws MicrojouleError `ERR_BAD_OPTION`; what the function itself throws
 */
export async function energyOf<Input>(
  fn: Kernel<Input>,
  options: MeasureEnergyOptions<Input> & { name: string },
): Promise<BenchmarkEnergy> {
  try {
    const energy = await measureEnergy(fn, options);
    return { ...energy, kind: energy.provenance.kind as KnownEnergy['kind'] };
  } catch (error) {
    if (!(error instanceof MicrojouleError) || !/^ERR_NO_(COUNTERS|ENERGY)$/.test(error.code)) throw error;
    return absent(options.name, 'no counter', error.message, error.hint);
  }
}

/** What became of an error that was not the harness's to throw. */
export function absentAfter(name: string, error: unknown): AbsentEnergy {
  const message = error instanceof Error ? error.message : String(error);
  return absent(name, 'failed', `it failed while its energy was measured: ${message}`);
}
