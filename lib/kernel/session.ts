// SPDX-License-Identifier: MIT
//
// What a measurement is made with: a meter, its recorder, and what is known of its counters.
import { MicrojouleError } from '../core/errors.js';
import type { Provenance } from '../core/vocabulary.js';
import { loadNow } from '../load.js';
import { type MeterOptions, meterOptionsOf } from '../meter/options.js';
import type { CounterCalibration, EnergyEstimate, Region } from '../precision/types.js';
import { estimateCounters, totalOf } from '../region/estimate.js';
import type { Kept } from '../region/open-region.js';
import type { Recorded, Recorder } from '../region/recorder.js';
import { openMeter, optionsOf, type RegionMeter, recorderOf } from '../region/region-meter.js';
import type { CounterEnergy } from '../region/types.js';

type SessionOptions = MeterOptions & { meter?: RegionMeter };

export interface Session {
  readonly recorder: Recorder;
  /** Of the slowest counter of the total: what sets how long a region must be. */
  readonly calibration: CounterCalibration;
  /** Waits until what ended at a time can be told, and keeps what comes after it. */
  settle(untilNs: number): Promise<void>;
  /** What is told of a region that is settled. */
  estimate(region: Region): { total: EnergyEstimate; counters: CounterEnergy[] };
  readonly provenance: Provenance;
  close(): void;
}

/** How often, of all updates, those of the total count. */
function counted(recorder: Recorder): (Recorded & { calibration: CounterCalibration })[] {
  return recorder.recorded.flatMap((one) =>
    one.inTotal && one.calibration !== undefined ? [{ ...one, calibration: one.calibration }] : [],
  );
}

/** The error without counters, with what doctor advises for this machine. */
async function withAdvice(error: unknown, options: SessionOptions): Promise<unknown> {
  if (!(error instanceof MicrojouleError) || error.code !== 'ERR_NO_COUNTERS') return error;
  const { diagnose } = loadNow<typeof import('../doctor/diagnose.js')>('doctor/diagnose');
  const { meter } = options;
  const { verdict } = await diagnose(meter === undefined ? meterOptionsOf(options) : optionsOf(meter));
  const { command, why } = verdict.next;
  return new MicrojouleError('ERR_NO_COUNTERS', error.message, {
    hint: `${verdict.sentence} Next: ${command} (${why}).`,
    cause: error,
  });
}

/**
 * Opens what is needed, and waits for the calibration.
 * @throws MicrojouleError `ERR_NO_COUNTERS` with doctor's advice
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const own: RegionMeter = options.meter ?? openMeter(meterOptionsOf(options));
  const kept: Kept & { start: bigint } = { start: process.hrtime.bigint() };
  let recorder: Recorder | undefined;
  const close = (): void => {
    recorder?.kept.delete(kept);
    if (options.meter === undefined) own.close();
  };
  try {
    recorder = recorderOf(own);
    recorder.kept.add(kept);
    await recorder.calibrated();
    return sessionOf(recorder, kept, close);
  } catch (error) {
    close();
    throw await withAdvice(error, options);
  }
}

function sessionOf(recorder: Recorder, kept: { start: bigint }, close: () => void): Session {
  const all = counted(recorder);
  if (all.length === 0) {
    const ids = recorder.recorded.filter(({ inTotal }) => inTotal).map(({ counter }) => counter.id);
    throw new MicrojouleError(
      'ERR_NO_COUNTERS',
      `no counter of the total moves: ${ids.join(', ')} stand still`,
      {
        hint: 'Run microjoule doctor: it tests every counter and says what would help.',
      },
    );
  }
  const slowest = all.reduce((a, b) => (b.calibration.periodNs > a.calibration.periodNs ? b : a));
  const sources = [...new Set(all.map(({ counter }) => counter.source))];
  return {
    recorder,
    calibration: {
      ...slowest.calibration,
      quantumJoules: Math.max(...all.map(({ calibration }) => calibration.quantumJoules)),
      readCostNs: Math.max(...all.map(({ calibration }) => calibration.readCostNs)),
      isFiltered: all.some(({ calibration }) => calibration.isFiltered),
    },
    provenance: {
      kind: 'measured',
      source: sources.join(', '),
      method: 'batches',
      detail: `Counted by ${all.map(({ counter }) => counter.id).join(', ')}.`,
    },
    close,
    async settle(untilNs: number): Promise<void> {
      await recorder.settled(untilNs);
      kept.start = recorder.originNs + BigInt(Math.round(untilNs));
    },
    estimate(region: Region): { total: EnergyEstimate; counters: CounterEnergy[] } {
      const counters = estimateCounters(recorder, region);
      const total = totalOf(counters);
      if (total === undefined) {
        throw new MicrojouleError('ERR_NO_ENERGY', 'the counters stopped while they were used', {
          hint: 'Run microjoule doctor: it tests every counter.',
        });
      }
      return { total, counters };
    },
  };
}
