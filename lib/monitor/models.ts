// SPDX-License-Identifier: MIT
//
// Channels for what has no counter, by the models that reports use.
import { cpuPowerWatts, cpuPowerWattsAtUnknownLoad } from '../estimate/cpu.js';
import { readCpuIdentity, readMaxPowerWatts, readMemory } from '../estimate/machine.js';
import { readCpuTimes, utilisationBetween } from '../estimate/utilisation.js';
import { chooseModels, type EstimateOptions } from '../measure/components.js';
import type { StreamChannel, StreamNote } from '../stream/types.js';

const NS_PER_SECOND = 1e9;
/** Operating systems count CPU time in 10 ms: ten of these tell the load to a tenth. */
const LOAD_PERIOD_NS = 100e6;
/** For so long energy may be still to come, as the load cannot be told; then it is assumed. */
const MOST_WAIT_NS = 1e9;
const HIDDEN = ' The operating system hides how busy the CPU is: half load is assumed.';

/** A channel that is computed. */
export interface Modelled {
  channel: StreamChannel;
  /**
   * Joules at a time of the stream.
   * @param isExact whether the value must be of this very time
   * @param tell takes what is to be known of it from here on
   */
  at(timeNs: number, isExact: boolean, tell: (note: Pick<StreamNote, 'code' | 'message'>) => void): number;
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
  let isTold = false;
  const isHidden = model.idleWatts !== model.fullWatts && !(times.totalSeconds > 0);
  const isConstant = model.idleWatts === model.fullWatts || isHidden;
  /** At the latest known load. */
  let knownWatts = isConstant ? cpuPowerWattsAtUnknownLoad(model) : undefined;
  return {
    channel: {
      ...common,
      overlaps: [],
      id: 'model:cpu',
      name: 'cpu',
      domain: 'package',
      source: model.source,
      origin: isConstant ? 'constant' : 'CPU times of the operating system',
      kind: isHidden ? 'assumed' : model.kind,
      method: model.method,
      ...(isConstant ? {} : { updatePeriodNs: LOAD_PERIOD_NS }),
      detail: isHidden ? model.detail + HIDDEN : model.detail,
    },
    at(timeNs, isExact, tell) {
      if (isConstant) return ((knownWatts ?? 0) * timeNs) / NS_PER_SECOND;
      const spanNs = timeNs - sinceNs;
      if (!isExact && spanNs < LOAD_PERIOD_NS) return joules;
      const now = readCpuTimes();
      const utilisation = utilisationBetween(times, now);
      if (utilisation !== undefined) knownWatts = cpuPowerWatts(model, utilisation);
      // Until the load can be told, the energy of the time is still to come.
      else if (!isExact && spanNs < MOST_WAIT_NS) return joules;
      else if (!isTold && timeNs > 0 && (knownWatts === undefined || spanNs >= MOST_WAIT_NS)) {
        isTold = true;
        tell({
          code: 'load-unknown',
          message: `How busy the CPU is cannot be told for now: ${knownWatts === undefined ? 'half load' : 'the load as it was last'} is assumed.`,
        });
      }
      joules += ((knownWatts ?? cpuPowerWattsAtUnknownLoad(model)) * spanNs) / NS_PER_SECOND;
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
