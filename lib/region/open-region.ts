// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { loadNow } from '../load.js';
import type { Region } from '../precision/types.js';
import { closedError, type Recorder } from './recorder.js';
import type { RegionEnergy } from './types.js';

/** A region that has begun. */
export interface RegionHandle {
  readonly name: string;
  /** Whether its end is marked. */
  readonly hasEnded: boolean;
  /**
   * Marks the end, at once, and resolves to the energy when the counters have updated twice more: some milliseconds on
   * RAPL. Keeps the process alive until then.
   * @throws MicrojouleError (as a rejection) `ERR_REGION_STATE` when it has ended before; `ERR_METER_CLOSED`;
   *   `ERR_NO_ENERGY` when no counter moved
   */
  end(): Promise<RegionEnergy>;
}

/** Something that asks for the record about a time. */
export interface Kept {
  /** `process.hrtime.bigint()` at its start. */
  readonly start: bigint;
}

/** The energy of a stretch of a recorder's time, once it is settled. The estimators are loaded at first use. */
export async function settleRegion(
  recorder: Recorder,
  name: string,
  region: Region,
  spin?: readonly Region[],
): Promise<RegionEnergy> {
  await recorder.settled(spin?.at(-1)?.endNs ?? region.endNs);
  const { estimateCounters, regionEnergy, spinPowers } =
    loadNow<typeof import('./estimate.js')>('region/estimate');
  const powers = spin === undefined ? undefined : spinPowers(recorder, spin);
  return regionEnergy(name, region, estimateCounters(recorder, region, powers), recorder.absent());
}

/** A region whose meter was closed before its end. */
export interface LostRegion {
  readonly name: string;
  /** Whether its end was tried later: the caller knows. */
  wasRefused: boolean;
}
const lostRegions = new WeakMap<RegionHandle, LostRegion>();

/** Notes that a meter is closed while a region is open; without the region itself, and all that it holds on to. */
export function loseRegion(region: RegionHandle): LostRegion {
  const lost = { name: region.name, wasRefused: false };
  lostRegions.set(region, lost);
  return lost;
}

/** What is to be done about an end waits until the caller's own work is done: the least that a promise can cost. */
const callerIsDone = Promise.resolve();

/** A region that marks with nothing but the clock. */
export class OpenRegion implements RegionHandle {
  readonly name: string;
  readonly start: bigint;
  readonly #recorder: Recorder;
  #end = 0n;

  constructor(recorder: Recorder, name: string) {
    this.name = name;
    this.#recorder = recorder;
    recorder.kept.add(this);
    this.start = process.hrtime.bigint();
  }

  end(): Promise<RegionEnergy> {
    const end = process.hrtime.bigint();
    if (this.#end !== 0n || this.#recorder.isClosed) return refuseEnd(this);
    this.#end = end;
    return callerIsDone.then(() => this.#settle());
  }

  get hasEnded(): boolean {
    return this.#end !== 0n;
  }

  async #settle(): Promise<RegionEnergy> {
    const recorder = this.#recorder;
    const region = { startNs: recorder.at(this.start), endNs: recorder.at(this.#end) };
    try {
      return await settleRegion(recorder, this.name, region);
    } finally {
      recorder.kept.delete(this);
    }
  }
}

/** Why a region cannot end. */
export function refuseEnd(region: RegionHandle): Promise<never> {
  const { name, hasEnded } = region;
  const lost = lostRegions.get(region);
  if (lost !== undefined) lost.wasRefused = true;
  return Promise.reject(
    hasEnded
      ? new MicrojouleError('ERR_REGION_STATE', `region "${name}" has ended before`, {
          hint: 'Begin another: a region has one end. The first end() gave its energy.',
        })
      : closedError(`region "${name}" cannot end`),
  );
}
