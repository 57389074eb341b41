// SPDX-License-Identifier: MIT
//
// The energy of stretches of time: of the machine by its counters, or by a model of its CPU.
import { MicrojouleError } from '../core/errors.js';
import type { Provenance } from '../core/vocabulary.js';
import { chooseCpuPowerModel, cpuPowerWatts, cpuPowerWattsAtUnknownLoad } from '../estimate/cpu.js';
import { readCpuIdentity, readMaxPowerWatts } from '../estimate/machine.js';
import { type IdleWindow, idleWindow } from '../kernel/baselines.js';
import { modelled } from '../kernel/estimated.js';
import { openSession, type Session } from '../kernel/session.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';
import type { EnergyEstimate } from '../precision/types.js';
import { missingOf } from '../region/estimate.js';

/** A stretch of time, of `process.hrtime.bigint()`. */
export interface Stretch {
  start: bigint;
  end: bigint;
  /** CPU time that was used in it, where it is known. */
  cpuSeconds?: number;
}

/** Of so many of its updates a counter that is well tells more than bounds. */
const ENOUGH_PERIODS = 10;

/** What was told of a stretch. */
export interface Reading {
  estimate: EnergyEstimate;
  /** Counters that belong into the total and have told nothing so far. */
  missing: string[];
  /** Counters that told bounds only, although the stretch was long enough: they stopped, or were not read in time. */
  stopped: string[];
  /** How long it took until this could be told. */
  settleSeconds: number;
}

/** What knows the energy of a stretch that just ended. Faked in tests of what is built on it. */
export interface Gauge {
  readonly provenance: Provenance;
  /** Settles when the counters have moved on. */
  measure(stretch: Stretch): Promise<Reading>;
  /** Watches the machine for so long; undefined where its power cannot be told, and once aborted. */
  idle(seconds: number, signal?: AbortSignal): Promise<IdleWindow | undefined>;
  /** Devices that belong into the total and have no counter that could be read. */
  absent(): Promise<readonly string[]>;
  close(): void;
}

class MeasuringGauge implements Gauge {
  readonly #session: Session;
  readonly provenance: Provenance;

  constructor(session: Session) {
    this.#session = session;
    this.provenance = { ...session.provenance, method: 'one region a run' };
  }

  async measure({ start, end }: Stretch): Promise<Reading> {
    const { recorder } = this.#session;
    const region = { startNs: recorder.at(start), endNs: recorder.at(end) };
    await this.#session.settle(region.endNs);
    const { total, counters } = this.#session.estimate(region);
    const durationNs = region.endNs - region.startNs;
    const stopped = counters.filter(({ id, inTotal, energy }) => {
      const periodNs = recorder.recordedById.get(id)?.calibration?.periodNs ?? Number.POSITIVE_INFINITY;
      return inTotal && energy?.method === 'bound' && durationNs >= ENOUGH_PERIODS * periodNs;
    });
    return {
      estimate: total,
      missing: missingOf(counters),
      stopped: total.method === 'bound' ? stopped.map(({ id }) => id) : [],
      settleSeconds: Number(process.hrtime.bigint() - end) / 1e9,
    };
  }

  idle(seconds: number, signal?: AbortSignal): Promise<IdleWindow | undefined> {
    return idleWindow(this.#session, seconds, signal);
  }

  async absent(): Promise<readonly string[]> {
    return this.#session.recorder.absent();
  }

  close(): void {
    this.#session.close();
  }
}

/** A gauge that measures. @throws MicrojouleError `ERR_NO_COUNTERS` with doctor's advice */
export async function openGauge(options: MeterOptions): Promise<Gauge> {
  try {
    return new MeasuringGauge(await openSession(options));
  } catch (error) {
    if (!(error instanceof MicrojouleError) || error.code !== 'ERR_NO_COUNTERS') throw error;
    throw new MicrojouleError('ERR_NO_COUNTERS', error.message, {
      hint: `${error.hint ?? ''}\nmicrojoule doctor tells more. With --allow-estimates the energy is a model's, and marked so.`,
      cause: error,
    });
  }
}

/** A gauge that measures time alone, and takes power from the model of the CPU at the load that the command made. */
export function estimatingGauge(options: MeterOptions): Gauge {
  const { sysfs } = resolveMeterOptions(options.sysfs === undefined ? {} : { sysfs: options.sysfs });
  const identity = readCpuIdentity();
  const maxPowerWatts = readMaxPowerWatts(sysfs);
  const model = chooseCpuPowerModel(identity, maxPowerWatts === undefined ? {} : { maxPowerWatts });
  const { kind, source, method, detail } = model;
  return {
    provenance: { kind, source, method, detail },
    async measure({ start, end, cpuSeconds }: Stretch): Promise<Reading> {
      const seconds = Number(end - start) / 1e9;
      const watts =
        cpuSeconds === undefined
          ? cpuPowerWattsAtUnknownLoad(model)
          : cpuPowerWatts(model, cpuSeconds / Math.max(seconds, 1e-9) / identity.threadCount);
      const estimate = modelled(watts * seconds, model.idleWatts * seconds, model.fullWatts * seconds);
      return { estimate, missing: [], stopped: [], settleSeconds: 0 };
    },
    idle: async () => undefined,
    absent: async () => ['memory', 'GPUs'],
    close: () => undefined,
  };
}
