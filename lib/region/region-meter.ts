// SPDX-License-Identifier: MIT
//
// The meter that people open: readings of the counters, and regions of any length with their uncertainty.
import { MicrojouleError } from '../core/errors.js';
import {
  type CounterDelta,
  type Meter,
  openMeter as openCounters,
  type SourceState,
} from '../meter/meter.js';
import { type MeterOptions, meterOptionsOf } from '../meter/options.js';
import type { Reading } from '../meter/reading.js';
import { checkRate } from '../meter/sampler.js';
import { AlignedRegion } from './aligned-region.js';
import { type LostRegion, loseRegion, OpenRegion, type RegionHandle } from './open-region.js';
import { closedError, Recorder } from './recorder.js';
import type { RegionEnergy, RegionOptions } from './types.js';
import { observeMeasures } from './user-timing.js';

/**
 * A {@link Meter} that also knows regions. The first of them starts the sampler, a thread for each CPU package; so does
 * {@link ready}, which waits until the counters' update periods are known.
 */
export interface RegionMeter extends Meter {
  /**
   * Starts the sampler, where it is not running, and settles when the counters are calibrated: some 0.3 s, during
   * which its threads read all the time. Regions that begin earlier are told, too, but may feel the calibration.
   * @throws MicrojouleError `ERR_NO_COUNTERS` where none can be read; `ERR_METER_CLOSED`
   */
  ready(): Promise<void>;
  /**
   * Calibrates the counters anew, and settles when that is done: some 0.3 s, during which the sampler's threads read all the
   * time, for all meters of the process. {@link ready} does so by itself where nothing is known of them; this is for when
   * that may have changed, or was found out while the machine was busy.
   * @throws MicrojouleError `ERR_NO_COUNTERS` where none can be read; `ERR_METER_CLOSED`
   */
  calibrate(): Promise<void>;
  /**
   * Marks the start of a region, which may nest, overlap and last across `await`. Costs about as much as reading the
   * clock, but for the first, which starts the sampler.
   * @throws MicrojouleError `ERR_NO_COUNTERS`, `ERR_METER_CLOSED`
   */
  begin(name?: string): RegionHandle;
  /**
   * Waits, spinning, for the next update of the fastest counter of the total, and begins a region there: for a single
   * run of something shorter than about three update periods. Its `end()` spins, too. Both block for some ten update
   * periods, in which the power of spinning is measured.
   * @throws MicrojouleError `ERR_NO_COUNTERS`, `ERR_NO_ENERGY` where no counter updates, `ERR_METER_CLOSED`
   */
  beginAligned(name?: string): RegionHandle;
  /**
   * Calls back with the energy of every `performance.measure()` from now on, until `stop()` of what it returns.
   * @param failed takes what went wrong with one of them; without it that is emitted as a warning of the process
   * @throws MicrojouleError `ERR_NO_COUNTERS`, `ERR_METER_CLOSED`
   */
  observeMeasures(
    callback: (energy: RegionEnergy) => void,
    failed?: (error: Error) => void,
  ): { stop(): void };
  /** Names of the regions that have begun and not ended. */
  readonly openRegions: readonly string[];
}

/**
 * Opens every counter that can be read. What cannot be is listed with its reason: opening never fails for
 * reasons of hardware, privilege or a missing addon.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function openMeter(options: MeterOptions & RegionOptions = {}): RegionMeter {
  const { rateHz, ...rest } = options;
  if (rateHz !== undefined) checkRate(rateHz);
  return new MeterOfRegions(openCounters(rest), options);
}

/** The recorder of a meter's regions, for what is built on them. */
export function recorderOf(meter: RegionMeter): Recorder {
  if (meter instanceof MeterOfRegions) return meter.recorder();
  throw new MicrojouleError('ERR_BAD_OPTION', 'meter: what openMeter() gave is expected');
}

/** What of a meter's options says where it looks. */
export function optionsOf(meter: RegionMeter): MeterOptions {
  return meter instanceof MeterOfRegions ? meterOptionsOf(MeterOfRegions.optionsOf(meter)) : {};
}

class MeterOfRegions implements RegionMeter {
  sample: Meter['sample'];
  readonly #meter: Meter;
  readonly #options: MeterOptions & RegionOptions;
  #recorder: Recorder | undefined;
  #isClosed = false;

  constructor(meter: Meter, options: MeterOptions & RegionOptions) {
    this.#meter = meter;
    this.#options = options;
    this.sample = meter.sample;
  }

  get sources(): readonly SourceState[] {
    return this.#meter.sources;
  }
  get counters(): Meter['counters'] {
    return this.#meter.counters;
  }
  get opened(): Reading {
    return this.#meter.opened;
  }
  get words(): BigUint64Array {
    return this.#meter.words;
  }
  read(slowFirst?: boolean): Reading {
    return this.#meter.read(slowFirst);
  }
  between(start: Reading, end: Reading): CounterDelta[] {
    return this.#meter.between(start, end);
  }
  joulesSinceOpen(): (number | undefined)[] {
    return this.#meter.joulesSinceOpen();
  }
  list(reading: Reading): CounterDelta[] {
    return this.#meter.list(reading);
  }
  timing(counter: number): ReturnType<Meter['timing']> {
    return this.#meter.timing(counter);
  }
  explain(counter: number): string {
    return this.#meter.explain(counter);
  }
  devices(): ReturnType<Meter['devices']> {
    return this.#meter.devices();
  }

  static optionsOf(meter: MeterOfRegions): MeterOptions {
    return meter.#options;
  }

  get openRegions(): readonly string[] {
    return openIn(this.#recorder).map(({ name }) => name);
  }

  recorder(): Recorder {
    if (this.#recorder !== undefined) return this.#recorder;
    if (this.#isClosed) throw closedError('no region can begin');
    const recorder = new Recorder(this.#meter, this.#options);
    if (!recorder.recorded.some(({ inTotal }) => inTotal)) {
      recorder.close();
      throw noCounters(this.#meter);
    }
    this.#recorder = recorder;
    warnOfOpenRegions(this.#recorder);
    return this.#recorder;
  }

  async ready(): Promise<void> {
    await this.recorder().calibrated();
  }

  async calibrate(): Promise<void> {
    await this.recorder().calibrate();
  }

  begin(name = ''): RegionHandle {
    return new OpenRegion(this.#recorder ?? this.recorder(), name);
  }

  beginAligned(name = ''): RegionHandle {
    return new AlignedRegion(this.recorder(), name);
  }

  observeMeasures(
    callback: (energy: RegionEnergy) => void,
    failed: (error: Error) => void = (error) => process.emitWarning(error),
  ): { stop(): void } {
    return observeMeasures(this.recorder(), callback, failed);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#recorder !== undefined) {
      recorders.delete(this.#recorder);
      lost.push(...openIn(this.#recorder).map(loseRegion));
    }
    this.#recorder?.close();
    this.#recorder = undefined;
    this.#meter.close();
    this.sample = this.#meter.sample;
  }
}

function openIn(recorder: Recorder | undefined): RegionHandle[] {
  return Array.from(recorder?.kept ?? []).flatMap((one) =>
    (one instanceof OpenRegion || one instanceof AlignedRegion) && !one.hasEnded ? [one] : [],
  );
}

/** One listener for all meters of the process. */
const recorders = new Set<Recorder>();
/** Of meters that are closed. */
const lost: LostRegion[] = [];
let isListening = false;

/** A region that nobody ends is a mistake that would otherwise go unnoticed. */
function warnOfOpenRegions(recorder: Recorder): void {
  if (!isListening) {
    isListening = true;
    // Not a warning of the process: those are printed in a later turn, which an exiting process does not have.
    process.once('exit', () => {
      const unended = [...lost.filter(({ wasRefused }) => !wasRefused), ...[...recorders].flatMap(openIn)];
      const open = unended.map(({ name }) => `"${name}"`);
      if (open.length === 0) return;
      process.stderr.write(
        `microjoule: regions that began were never ended, so their energy is lost: ${open.join(', ')}. ` +
          'Call end() of every region, in a finally block where its work may throw.\n',
      );
    });
  }
  recorders.add(recorder);
}

/** Why nothing can be measured here, in a sentence for each source. */
export function noCounters(meter: Meter): MicrojouleError {
  const slow = meter.counters.filter(({ domain, status }) => domain === 'gpu' && status === 'ok');
  const reasons = [
    ...slow.map(({ id }) => `${id}: answers too slowly for regions; use readings`),
    ...meter.sources
      .filter(({ status }) => status !== 'ok')
      .map(({ source, status, detail }) => `${source}: ${status}, ${detail}`),
  ];
  return new MicrojouleError(
    'ERR_NO_COUNTERS',
    `no counter of this machine can tell the energy of a region (${reasons.join('; ') || 'none is in the total'})`,
    { hint: 'Run microjoule doctor: it says why, and what would change that on this machine.' },
  );
}
