// SPDX-License-Identifier: MIT
//
// What a report says of GPUs beside their energy.
import type { Machine } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import type { CounterDelta } from '../meter/meter.js';
import type { Device } from '../meter/native.js';

/** What NVML's own count is called there; any other method is told by its name. */
const COUNTED = 'total energy';
const READ_TWICE = 'difference of two counter readings';

/** How the energy of counters came about, each way once. */
export function methodOf(counted: readonly CounterDelta[]): string {
  const methods = counted.map(({ method }) =>
    method === undefined || method === COUNTED ? READ_TWICE : method,
  );
  return [...new Set(methods)].join('; ');
}

/** What a reader must know of slow counters that are in the total. */
export function slowCounterWarnings(deltas: readonly CounterDelta[]): Warning[] {
  const nameOf = ({ counter }: CounterDelta): string => counter.deviceName ?? counter.id;
  const counted = deltas.filter(({ inTotal }) => inTotal);
  const isGpu = ({ counter }: CounterDelta): boolean => counter.domain === 'gpu';
  // Of others the component tells.
  const lost = counted.filter((delta) => delta.incomplete === true && isGpu(delta));
  const indicative = counted.filter(({ indicative }) => indicative === true);
  return [
    ...lost.map((delta) => ({
      code: 'gpu-lost',
      message: `${nameOf(delta)} was not read all the time: ${delta.detail}. What it is known to have counted is in the total, which is "at least".`,
      hint: 'See what the driver says: nvidia-smi, dmesg | grep -i nvrm',
    })),
    ...indicative.map((delta) => ({
      code: isGpu(delta) ? 'short-gpu-region' : 'wide-interval',
      message: `The energy of ${nameOf(delta)} is an indication only: ${delta.detail.replace(/.*an indication only: /, '')}.`,
      hint: 'Measure many repetitions as one region.',
    })),
  ];
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

/** The mean utilisation of all GPUs that tell it, from the times that each was watched between two looks. */
function utilisation(start: readonly Device[], end: readonly Device[]): number | undefined {
  const ratios = end.flatMap(({ device, busySeconds, watchedSeconds }) => {
    const before = start.find((one) => one.device === device);
    const watched = watchedSeconds - (before?.watchedSeconds ?? 0);
    return watched > 0 ? [(busySeconds - (before?.busySeconds ?? 0)) / watched] : [];
  });
  const total = sum(ratios);
  return total === undefined ? undefined : Math.min(1, Math.max(0, total / ratios.length));
}

/** Of all of them, or of none: a sum of some would pass for that of all. */
function sumOfAll(values: readonly (number | undefined)[]): number | undefined {
  return values.includes(undefined) ? undefined : sum(values);
}

/** Drivers, limits, utilisation and memory of the GPUs that tell them. */
export function describeDevices(
  start: readonly Device[],
  end: readonly Device[],
): Pick<
  Machine,
  'gpuDriver' | 'gpuPowerLimitWatts' | 'gpuUtilisationRatio' | 'gpuMemoryTotalGib' | 'gpuMemoryUsedGib'
> {
  const drivers = [...new Set(end.map(({ driverVersion }) => driverVersion))].filter(
    (one) => one !== undefined,
  );
  const found = {
    gpuPowerLimitWatts: sumOfAll(end.map(({ powerLimitWatts }) => powerLimitWatts)),
    gpuUtilisationRatio: utilisation(start, end),
    gpuMemoryTotalGib: sumOfAll(end.map(({ memoryTotalGib }) => memoryTotalGib)),
    gpuMemoryUsedGib: sumOfAll(end.map(({ memoryUsedGib }) => memoryUsedGib)),
  };
  type Found = { [K in keyof typeof found]?: number };
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Found;
  return { ...(drivers.length === 0 ? {} : { gpuDriver: drivers.join(', ') }), ...known };
}
