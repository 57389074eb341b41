// SPDX-License-Identifier: MIT
//
// A region that starts right after a counter's update, with the caller spinning before and after it: what the counter
// tells beyond the region is then the known power of spinning.
import { MicrojouleError } from '../core/errors.js';
import type { Region } from '../precision/types.js';
import { type RegionHandle, refuseEnd, settleRegion } from './open-region.js';
import type { Recorded, Recorder } from './recorder.js';
import type { RegionEnergy } from './types.js';

/** For so many update periods the power of spinning is measured, on either side. */
const SPIN_PERIODS = 10;
/** Spinning blocks everything else. */
const MOST_SPIN_NS = 1e9;

/** The counter of the total that updates most often. */
function pacemaker(recorder: Recorder): Recorded | undefined {
  let best: Recorded | undefined;
  for (const one of recorder.recorded) {
    if (!one.inTotal || one.calibration === undefined) continue;
    if (best?.calibration === undefined || one.calibration.periodNs < best.calibration.periodNs) best = one;
  }
  return best;
}

/** Spins until a test passes. False when it took too long. */
function spinUntil(recorder: Recorder, passes: () => boolean): boolean {
  const endNs = recorder.nowNs() + MOST_SPIN_NS;
  for (;;) {
    recorder.drain();
    if (passes()) return true;
    if (recorder.nowNs() > endNs) return false;
  }
}

export class AlignedRegion implements RegionHandle {
  readonly name: string;
  readonly #recorder: Recorder;
  readonly #before: Region;
  readonly #pace: Recorded;
  readonly #startNs: number;
  readonly start: bigint;
  hasEnded = false;

  /** Returns right after an update. @throws MicrojouleError `ERR_NO_ENERGY` when no counter updates */
  constructor(recorder: Recorder, name: string) {
    this.name = name;
    this.#recorder = recorder;
    this.start = process.hrtime.bigint();
    recorder.kept.add(this);
    const isKnown = spinUntil(recorder, () => {
      if (pacemaker(recorder) === undefined) recorder.refresh();
      return pacemaker(recorder) !== undefined;
    });
    const pace = pacemaker(recorder);
    if (!isKnown || pace === undefined) {
      recorder.kept.delete(this);
      throw new MicrojouleError(
        'ERR_NO_ENERGY',
        `region "${name}": no counter updates, so none can be aligned to`,
        {
          hint: 'Run microjoule doctor: it tests every counter and says what would help.',
        },
      );
    }
    this.#pace = pace;
    const fromNs = recorder.nowNs();
    this.#spinFor(fromNs);
    this.#before = { startNs: fromNs, endNs: recorder.nowNs() };
    this.#startNs = recorder.nowNs();
  }

  /** For some periods, and then until an update is seen. */
  #spinFor(fromNs: number): void {
    const recorder = this.#recorder;
    const { series, calibration } = this.#pace;
    const untilNs = fromNs + SPIN_PERIODS * (calibration?.periodNs ?? 0);
    spinUntil(recorder, () => recorder.nowNs() >= untilNs);
    const count = series.addedCount;
    spinUntil(recorder, () => series.addedCount > count);
  }

  end(): Promise<RegionEnergy> {
    const recorder = this.#recorder;
    const endNs = recorder.nowNs();
    if (this.hasEnded || recorder.isClosed) return refuseEnd(this);
    this.hasEnded = true;
    this.#spinFor(endNs);
    const after = { startNs: endNs, endNs: recorder.nowNs() };
    const region = { startNs: this.#startNs, endNs };
    return settleRegion(recorder, this.name, region, [this.#before, after]).finally(() =>
      recorder.kept.delete(this),
    );
  }
}
