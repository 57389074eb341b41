// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Machine, Measurement } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import { findDisplayControllers } from '../estimate/display-controllers.js';
import {
  describeOs,
  describeRuntime,
  readCpuIdentity,
  readMaxPowerWatts,
  readMemory,
} from '../estimate/machine.js';
import { readCpuTimes, utilisationBetween } from '../estimate/utilisation.js';
import { type Meter, openMeter } from '../meter/meter.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';
import { secondsBetween } from '../meter/reading.js';
import {
  buildComponents,
  chooseModels,
  type EstimateOptions,
  type Evidence,
  unmeteredControllers,
} from './components.js';
import { describeDevices } from './gpu.js';

export interface RecordingOptions extends MeterOptions, EstimateOptions {
  /** A meter to use; it is not closed. Default: one of the recording's own. */
  meter?: Meter | undefined;
}

/** What a region has used so far. */
export interface Glimpse {
  durationSeconds: number;
  energyJoules: number;
  /** False when a part of it is a model. */
  measured: boolean;
  /** True when a part that is known to be there could not be read. */
  atLeast: boolean;
}

/** A region being measured. Nothing runs on the JavaScript thread in between. */
export interface Recording {
  /** The region up to now; it goes on. @throws MicrojouleError `ERR_METER_CLOSED` after stop() */
  peek(): Glimpse;
  /** The region up to now, in full; it goes on. @throws MicrojouleError `ERR_METER_CLOSED` after stop() */
  measurement(): Measurement;
  /** Ends the region and closes the meter, if it is the recording's own. Once. */
  stop(): Measurement;
}

/** Counters that move once a millisecond say little about less than this many seconds. */
const SHORT_REGION_SECONDS = 0.05;

/**
 * Starts measuring the whole machine.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function startRecording(options: RecordingOptions = {}): Recording {
  const { sysfs } = resolveMeterOptions(options);
  const cpu = readCpuIdentity();
  const displayControllers = findDisplayControllers(sysfs);
  const maxPowerWatts = readMaxPowerWatts(sysfs);
  // A wrong option is told before the work starts, not after it.
  chooseModels({ cpu, maxPowerWatts, ramTotalGib: readMemory().ramTotalGib, estimates: options });
  const meter = options.meter ?? openMeter(options);

  const startedAtMs = Date.now();
  const startTimes = readCpuTimes();
  const start = meter.read(true);
  const startDevices = meter.devices();
  let stopped = false;

  function gather(): { evidence: Evidence; ramUsedGib: number | undefined } {
    const end = meter.read();
    // The readings' own times: what the counters metered and what it is divided by must be one span.
    const durationSeconds = secondsBetween(start, end);
    const utilisationRatio = utilisationBetween(startTimes, readCpuTimes());
    const memory = readMemory();
    return {
      ramUsedGib: memory.ramUsedGib,
      evidence: {
        durationSeconds,
        deltas: meter.between(start, end),
        sources: meter.sources,
        cpu,
        maxPowerWatts,
        utilisationRatio,
        ramTotalGib: memory.ramTotalGib,
        displayControllers,
        estimates: options,
      },
    };
  }

  function measure(): Measurement {
    const { evidence, ramUsedGib } = gather();
    const { components, apart, warnings } = buildComponents(evidence);
    return {
      startedAtMs,
      endedAtMs: Date.now(),
      durationSeconds: evidence.durationSeconds,
      components,
      apart,
      machine: {
        ...describeMachine(evidence, ramUsedGib),
        ...describeDevices(startDevices, meter.devices()),
      },
      warnings: [...warnings, ...shortRegion(evidence)],
    };
  }

  return {
    measurement: measure,
    peek() {
      const { evidence } = gather();
      const parts = Object.values(buildComponents(evidence).components);
      return {
        durationSeconds: evidence.durationSeconds,
        energyJoules: parts.reduce((sum, part) => sum + (part.energyJoules ?? 0), 0),
        measured: parts.every((part) => part.kind === 'measured' || part.kind === 'absent'),
        atLeast: parts.some((part) => part.atLeast),
      };
    },
    stop() {
      if (stopped) {
        throw new MicrojouleError('ERR_TRACKER_STATE', 'the recording has been stopped already', {
          hint: 'Start another with startRecording().',
        });
      }
      const measurement = measure();
      stopped = true;
      if (options.meter === undefined) meter.close();
      return measurement;
    },
  };
}

function shortRegion({ durationSeconds }: Evidence): Warning[] {
  if (durationSeconds >= SHORT_REGION_SECONDS) return [];
  const milliseconds = (durationSeconds * 1000).toPrecision(2);
  return [
    {
      code: 'short-region',
      message: `The region lasted ${milliseconds} ms, too short for its energy to be certain.`,
      hint: 'Measure many repetitions as one region.',
    },
  ];
}

/** `2 x NVIDIA A, 1 x AMD B`: every GPU that is known to be there, read or not. */
function describeGpus(evidence: Evidence): Pick<Machine, 'gpuCount' | 'gpuModel'> {
  const nameOnBus = (address: string | undefined): string | undefined =>
    evidence.displayControllers?.find((one) => one.address === address)?.name;
  const names = [
    ...evidence.deltas
      .filter(({ counter }) => counter.domain === 'gpu' && counter.source !== 'nvml-power')
      .map(({ counter }) => counter.deviceName ?? nameOnBus(counter.pciAddress) ?? 'unknown GPU'),
    ...unmeteredControllers(
      evidence.displayControllers ?? [],
      evidence.deltas.map((delta) => delta.counter),
    ).map((gpu) => gpu.name),
  ];
  // Without a bus to look at, no GPU seen is not no GPU.
  if (names.length === 0) return evidence.displayControllers === undefined ? {} : { gpuCount: 0 };
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    gpuCount: names.length,
    gpuModel: [...counts].map(([name, count]) => `${count} x ${name}`).join(', '),
  };
}

function describeMachine(evidence: Evidence, ramUsedGib: number | undefined): Machine {
  const { cpu, utilisationRatio, ramTotalGib } = evidence;
  return {
    os: describeOs(),
    runtime: describeRuntime(),
    ...(cpu.modelName === '' ? {} : { cpuModel: cpu.modelName }),
    cpuThreadCount: cpu.threadCount,
    ...(utilisationRatio === undefined ? {} : { cpuUtilisationRatio: utilisationRatio }),
    ...describeGpus(evidence),
    ramTotalGib,
    ...(ramUsedGib === undefined ? {} : { ramUsedGib }),
  };
}
