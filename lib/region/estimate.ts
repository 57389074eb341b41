// SPDX-License-Identifier: MIT
//
// The energy of one stretch of time: each counter's estimate, and the total of those that do not overlap.
import { MicrojouleError } from '../core/errors.js';
import { PLAUSIBLE_WATTS, SUMMED } from '../meter/domains.js';
import { meanPower } from '../precision/baseline.js';
import { combine } from '../precision/combine.js';
import { estimateRegion } from '../precision/region.js';
import type { EnergyEstimate, PowerEstimate, Region } from '../precision/types.js';
import type { Recorded, Recorder } from './recorder.js';
import type { CounterEnergy, RegionEnergy } from './types.js';

/** How steady the power was is judged by two updates on either side; some of them may fall together. */
const MARGIN_COUNT = 4;
/** The noise of an energy filter is judged by 200 updates. */
const FILTER_MARGIN_COUNT = 100;

/** The power of spinning as each counter sees it, by its id. */
export type SpinPowers = ReadonlyMap<string, PowerEstimate>;

export function updatesAround(recorded: Recorded, region: Region): ReturnType<Recorded['series']['around']> {
  const isFiltered = recorded.calibration?.isFiltered === true;
  return recorded.series.around(region, isFiltered ? FILTER_MARGIN_COUNT : MARGIN_COUNT);
}

/** The power in stretches of spinning, of each counter that tells. */
export function spinPowers(recorder: Recorder, windows: readonly Region[]): SpinPowers {
  const region = { startNs: windows[0]?.startNs ?? 0, endNs: windows.at(-1)?.endNs ?? 0 };
  const powers = new Map<string, PowerEstimate>();
  for (const recorded of recorder.recorded) {
    const { calibration, counter } = recorded;
    if (calibration === undefined) continue;
    const power = meanPower(updatesAround(recorded, region), calibration, windows);
    if (power !== undefined) powers.set(counter.id, power);
  }
  return powers;
}

function estimateOne(recorded: Recorded, region: Region, spin: SpinPowers | undefined): CounterEnergy {
  const { counter, calibration, inTotal } = recorded;
  const aligned = spin?.get(counter.id);
  const { id, source, domain, device, die } = counter;
  const base = {
    id,
    source,
    domain,
    device,
    ...(die === undefined ? {} : { die }),
    inTotal,
    apart: '',
    meter: id,
  };
  if (calibration === undefined || recorded.series.updateCount === 0) {
    return {
      ...base,
      status: 'stale',
      detail: `${counter.origin} has not moved since it is watched: what it meters is off, or it counts nothing here`,
    };
  }
  const updates = updatesAround(recorded, region);
  const energy = estimateRegion(updates, calibration, region, {
    plausibleWatts: PLAUSIBLE_WATTS[domain],
    ...(aligned === undefined ? {} : { aligned }),
  });
  return { ...base, status: 'ok', detail: counter.detail, energy };
}

/** Every counter of the meter: those that are recorded with their energy, the others with why not. */
export function estimateCounters(recorder: Recorder, region: Region, spin?: SpinPowers): CounterEnergy[] {
  return recorder.listed.map((delta) => {
    const { counter, status, detail, inTotal, apart, meter } = delta;
    const found = recorder.recordedById.get(counter.id);
    if (found !== undefined) return { ...estimateOne(found, region, spin), apart, meter };
    const { id, source, domain, device, die } = counter;
    const isReadable = status === 'ok';
    return {
      id,
      source,
      domain,
      device,
      ...(die === undefined ? {} : { die }),
      inTotal,
      apart,
      meter,
      status: isReadable ? 'not-supported' : status,
      detail: isReadable
        ? `${source} answers too slowly to tell the energy of a short region: use readings, openMeter().between()`
        : detail,
    };
  });
}

/** @throws MicrojouleError `ERR_NO_ENERGY` where no counter of the total has moved */
export function regionEnergy(
  name: string,
  region: Region,
  counters: CounterEnergy[],
  absent: readonly string[],
): RegionEnergy {
  const total = totalOf(counters);
  if (total === undefined) {
    const reasons = counters.map(({ id, status, detail }) => `${id}: ${status}, ${detail}`);
    throw new MicrojouleError('ERR_NO_ENERGY', `region "${name}": no counter moved (${reasons.join('; ')})`, {
      hint: 'Run microjoule doctor: it tests every counter and says what would help.',
    });
  }
  const used = counters.filter(({ inTotal, energy }) => inTotal && energy !== undefined);
  return {
    ...total,
    name,
    kind: 'measured',
    sources: [...new Set(used.map(({ source }) => source))],
    durationSeconds: (region.endNs - region.startNs) / 1e9,
    counters,
    missing: [...missingOf(counters), ...absent],
  };
}

/** Counters that belong into the total, have no energy, and nor does another of the same meter. */
export function missingOf(counters: readonly CounterEnergy[]): string[] {
  const told = new Set(
    counters.flatMap(({ inTotal, energy, meter }) => (inTotal && energy !== undefined ? [meter] : [])),
  );
  return counters
    .filter(({ domain, meter, energy }) => energy === undefined && SUMMED.has(domain) && !told.has(meter))
    .map(({ id }) => id);
}

export function totalOf(counters: readonly CounterEnergy[]): EnergyEstimate | undefined {
  const estimates = counters.flatMap(({ inTotal, energy }) => (inTotal && energy ? [energy] : []));
  return estimates.length === 0 ? undefined : combine(estimates);
}
