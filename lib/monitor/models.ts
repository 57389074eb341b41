// SPDX-License-Identifier: MIT
//
// Channels for what has no counter, by the models that reports use.
import { cpuPowerWatts, cpuPowerWattsAtUnknownLoad } from '../estimate/cpu.js';
import { readCpuIdentity, readMaxPowerWatts, readMemory } from '../estimate/machine.js';
import { readCpuTimes, utilisationBetween } from '../estimate/utilisation.js';
import { chooseModels, type EstimateOptions } from '../measure/components.js';
import type { StreamChannel } from '../stream/types.js';

const NS_PER_SECOND = 1e9;
/** Operating systems count CPU time in 10 ms: ten of these tell the load to a tenth. */
const LOAD_PERIOD_NS = 100e6;

/** A channel that is computed. */
export interface Modelled {
  channel: StreamChannel;
  /** Joules at a time of the stream. @param isLast whether the value must be of this very time */
  at(timeNs: number, isLast: boolean): number;
}

/**
 * Models of CPU and memory where the total holds no counter of them.
 * @throws MicrojouleError `ERR_BAD_OPTION` for bad estimate options, also where counters make them useless
 */
export function modelsFor(
  measured: readonly StreamChannel[],
  sysfs: string,
  estimates: EstimateOptions,
): Modelled[] {
  const cpu = readCpuIdentity();
  const { ramTotalGib } = readMemory();
  const models = chooseModels({ cpu, maxPowerWatts: readMaxPowerWatts(sysfs), ramTotalGib, estimates });
  const isMeasured = (domain: string): boolean =>
    measured.some((channel) => channel.inTotal && channel.domain === domain);
  const common = { device: 0, unit: 'J', inTotal: true, apart: '', overlaps: [] } as const;
  return [
    ...(isMeasured('package') ? [] : [cpuModel(models.cpu, common)]),
    ...(isMeasured('dram') ? [] : [ramModel(models.ram, common)]),
  ];
}

type Models = ReturnType<typeof chooseModels>;
type Common = Pick<StreamChannel, 'device' | 'unit' | 'inTotal' | 'apart'> & { overlaps: readonly [] };

function cpuModel(model: Models['cpu'], common: Common): Modelled {
  let times = readCpuTimes();
  let sinceNs = 0;
  let joules = 0;
  const isConstant = model.idleWatts === model.fullWatts;
  return {
    channel: {
      ...common,
      overlaps: [],
      id: 'model:cpu',
      name: 'cpu',
      domain: 'package',
      source: model.source,
      origin: isConstant ? 'constant' : 'CPU times of the operating system',
      kind: model.kind,
      method: model.method,
      ...(isConstant ? {} : { updatePeriodNs: LOAD_PERIOD_NS }),
      detail: model.detail,
    },
    at(timeNs, isLast) {
      const spanNs = timeNs - sinceNs;
      if (!isConstant && !isLast && spanNs < LOAD_PERIOD_NS) return joules;
      const now = readCpuTimes();
      const utilisation = utilisationBetween(times, now);
      // Until the load can be told, the energy of the time is still to come.
      if (!isConstant && !isLast && utilisation === undefined) return joules;
      const watts =
        utilisation === undefined && !isConstant
          ? cpuPowerWattsAtUnknownLoad(model)
          : cpuPowerWatts(model, utilisation ?? 0);
      joules += (watts * spanNs) / NS_PER_SECOND;
      sinceNs = timeNs;
      times = now;
      return joules;
    },
  };
}

function ramModel(model: Models['ram'], common: Common): Modelled {
  return {
    channel: {
      ...common,
      overlaps: [],
      id: 'model:ram',
      name: 'ram',
      domain: 'dram',
      source: model.source,
      origin: 'constant',
      kind: model.kind === 'assumed' ? 'assumed' : 'estimated',
      method: model.method,
      detail: model.detail,
    },
    at: (timeNs) => (model.powerWatts * timeNs) / NS_PER_SECOND,
  };
}
