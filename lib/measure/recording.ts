// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type {
  Component,
  Components,
  Machine,
  Measurement,
  PowerSeries,
  TrackingMode,
} from '../core/report-types.js';
import type { Kind, Warning } from '../core/vocabulary.js';
import { findDisplayControllers } from '../estimate/display-controllers.js';
import {
  describeOs,
  describeRuntime,
  readCpuIdentity,
  readMaxPowerWatts,
  readMemory,
} from '../estimate/machine.js';
import { readMachineInstance } from '../estimate/machine-instance.js';
import { readProcessUsage } from '../estimate/process-usage.js';
import { type CpuTimes, readCpuTimes, utilisationBetween } from '../estimate/utilisation.js';
import { type Meter, openMeter } from '../meter/meter.js';
import { childCpuTimes, type Device } from '../meter/native.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';
import { type Reading, secondsBetween } from '../meter/reading.js';
import {
  buildComponents,
  chooseModels,
  type EstimateOptions,
  type Evidence,
  unmeteredControllers,
} from './components.js';
import { describeDevices } from './gpu.js';
import { Laps } from './laps.js';
import { PowerRecorder } from './power-recorder.js';
import { powerSeries, timingBounds } from './power-series.js';
import { joinLedger, type LedgerEntry, type Look, type ProcessLedger } from './process-ledger.js';
import { attribute, machineCpuSecondsBetween } from './process-share.js';

export interface RecordingOptions extends MeterOptions, EstimateOptions {
  /** A meter to use; it is not closed. Default: one of the recording's own. */
  meter?: Meter | undefined;
  /**
   * Whose energy: the whole machine's, or the share of this process and its children, by CPU time and resident memory.
   * Default: `machine`.
   */
  trackingMode?: TrackingMode | undefined;
  /**
   * Take down the power over time, for the report's chart; of a machine only. Default: no; a tracker does. What is
   * `deferred` starts a tenth of a second later and costs shorter regions nothing, where JavaScript is not kept busy until
   * then; the command does that.
   */
  powerSeries?: boolean | 'deferred' | undefined;
}

/** What a region has used so far. */
export interface Glimpse {
  durationSeconds: number;
  energyJoules: number;
  /** The worst that went into it. */
  kind: Kind;
  /** True when a part that is known to be there could not be read. */
  atLeast: boolean;
}

/** A region being measured. Nothing runs on the JavaScript thread in between. */
export interface Recording {
  /** The region up to now; it goes on. @throws MicrojouleError `ERR_METER_CLOSED` after stop() */
  peek(): Glimpse;
  /** The region up to now, in full; it goes on. @throws MicrojouleError `ERR_METER_CLOSED` after stop() */
  measurement(): Measurement;
  /**
   * The region up to now, and what of it came since the last lap (the first: since the start). It goes on. Laps have no
   * gaps: what they come to is the total of the last. A counter that did not move in a lap leaves it at nothing, and the lap
   * that it moves in has it all. Only where a counter is lost on the way, or where what was estimated before a counter's
   * first move was more than that then tells, laps may come to more.
   * @throws MicrojouleError `ERR_METER_CLOSED` after stop()
   */
  lap(): { total: Measurement; delta: Measurement };
  /** Ends the region and closes the meter, if it is the recording's own. Once. */
  stop(): Measurement;
}

/** Counters that move once a millisecond say little about less than this many seconds. */
const SHORT_REGION_SECONDS = 0.05;
/** Shorter regions have no power over time. */
const DEFERRED_MS = 100;
/** What slewing and scheduling can make of two clocks is less: adjtimex(2) slews by 500 ppm. */
const CLOCK_JUMP_SECONDS = 1;
const CLOCK_DRIFT_RATIO = 0.001;

/** All that is read at one time. */
interface Mark {
  atMs: number;
  times: CpuTimes;
  reading: Reading;
  devices: readonly Device[];
  ramTotalGib: number;
  ramUsedGib: number | undefined;
  /** There when a process is asked for. */
  entry: LedgerEntry | undefined;
}

/** What of a mark its evidence is made of. */
type Spanned = Pick<Mark, 'reading' | 'times' | 'ramTotalGib'>;

function usageNow(): Look['usage'] {
  const ended = childCpuTimes();
  return readProcessUsage(ended === undefined ? undefined : ended.userCpuSeconds + ended.systemCpuSeconds);
}

/**
 * Starts measuring.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function startRecording(options: RecordingOptions = {}): Recording {
  const { sysfs } = resolveMeterOptions(options);
  const ofProcess = checkMode(options.trackingMode) === 'process';
  const cpu = readCpuIdentity();
  const displayControllers = findDisplayControllers(sysfs);
  const maxPowerWatts = readMaxPowerWatts(sysfs);
  // A wrong option is told before the work starts, not after it.
  const models = chooseModels({
    cpu,
    maxPowerWatts,
    ramTotalGib: readMemory().ramTotalGib,
    estimates: options,
  });
  const meter = options.meter ?? openMeter(options);

  const ledger = ofProcess ? joinLedger(meter, lookAtProcess, stretchBetween) : undefined;
  const laps = new Laps();
  let power: PowerRecorder | undefined;
  const recordPower = (): PowerRecorder => {
    power = new PowerRecorder({ ...options, meter, cpuModel: models.cpu });
    return power;
  };
  const ofMachine = ofProcess ? false : options.powerSeries;
  // What is opened and timed takes time that is not the region's.
  const recorder = ofMachine === true ? recordPower() : undefined;
  const deferred =
    ofMachine === 'deferred'
      ? setTimeout(() => recordPower().begin(start.reading, start.times), DEFERRED_MS).unref()
      : undefined;
  const start = look(true);
  let lapStart = start;
  recorder?.begin(start.reading, start.times);
  let stopped = false;

  function readUsage(): Look['usage'] | undefined {
    return ofProcess ? usageNow() : undefined;
  }

  function enter(reading: Reading, times: CpuTimes, usage: Look['usage'] | undefined): Mark['entry'] {
    return usage === undefined ? undefined : ledger?.ledger.add({ reading, times, usage });
  }

  function lookAtProcess(): Look {
    return { reading: meter.read(), times: readCpuTimes(), usage: usageNow() };
  }

  function stretchBetween(from: Look, to: Look) {
    const { ramTotalGib } = readMemory();
    const evidence = gather({ ...from, ramTotalGib }, { ...to, ramTotalGib });
    return { components: buildComponents(evidence).components, threadCount: cpu.threadCount, ramTotalGib };
  }

  function look(atStart = false): Mark {
    // The counters nearest to the work: last of all at its start, first at its end.
    if (!atStart) {
      const reading = meter.read();
      const [times, usage, memory] = [readCpuTimes(), readUsage(), readMemory()];
      const entry = enter(reading, times, usage);
      return { atMs: Date.now(), times, reading, devices: meter.devices(), entry, ...withUsed(memory) };
    }
    const [memory, usage, times, atMs] = [readMemory(), readUsage(), readCpuTimes(), Date.now()];
    const reading = meter.read(true);
    const entry = enter(reading, times, usage);
    return { atMs, times, reading, devices: meter.devices(), entry, ...withUsed(memory) };
  }

  function gather(from: Spanned, to: Spanned): Evidence {
    return {
      // The readings' own times: what the counters metered and what it is divided by must be one span.
      durationSeconds: secondsBetween(from.reading, to.reading),
      deltas: meter.between(from.reading, to.reading),
      sources: meter.sources,
      cpu,
      maxPowerWatts,
      utilisationRatio: utilisationBetween(from.times, to.times),
      ramTotalGib: to.ramTotalGib,
      displayControllers,
      estimates: options,
    };
  }

  function measure(from: Mark, to: Mark): Measurement {
    const evidence = gather(from, to);
    const { warnings, ...parts } = buildAll(evidence, from, to, ledger?.ledger);
    const series =
      power === undefined || from !== start ? undefined : overTime(power, evidence, parts.components);
    return {
      startedAtMs: from.atMs,
      endedAtMs: to.atMs,
      durationSeconds: evidence.durationSeconds,
      ...parts,
      machine: {
        ...describeMachine(evidence, to.ramUsedGib),
        ...describeDevices(from.devices, to.devices),
      },
      warnings: [...warnings, ...shortRegion(evidence), ...clockJumped(from, to, evidence.durationSeconds)],
      ...(series === undefined ? {} : { series }),
    };
  }

  /** Power is looked at before the reading that ends a region, so that nothing later is in it. */
  function end(): Mark {
    power?.look();
    return look();
  }

  return {
    measurement: () => measure(start, end()),
    lap() {
      const to = end();
      const total = measure(start, to);
      const delta = laps.settle(total, measure(lapStart, to));
      lapStart = to;
      return { total, delta };
    },
    peek() {
      const end = look();
      const evidence = gather(start, end);
      const parts = Object.values(buildAll(evidence, start, end, ledger?.ledger).components);
      return {
        durationSeconds: evidence.durationSeconds,
        energyJoules: parts.reduce((sum, part) => sum + (part.energyJoules ?? 0), 0),
        kind: worstKind(parts),
        atLeast: parts.some((part) => part.atLeast),
      };
    },
    stop() {
      if (stopped) {
        throw new MicrojouleError('ERR_TRACKER_STATE', 'the recording has been stopped already', {
          hint: 'Start another with startRecording().',
        });
      }
      const measurement = measure(start, end());
      stopped = true;
      clearTimeout(deferred);
      power?.stop();
      ledger?.leave();
      if (options.meter === undefined) meter.close();
      return measurement;
    },
  };
}

function checkMode(mode: TrackingMode = 'machine'): TrackingMode {
  if (['machine', 'process'].includes(mode)) return mode;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `trackingMode must be machine or process, not ${String(mode)}`,
    {
      hint: '"process" is the share of this process and its children; the default, "machine", is all of it.',
    },
  );
}

/** Of what has energy; of all where nothing has any. */
function worstKind(parts: readonly Component[]): Kind {
  const contributing = parts.filter(({ energyJoules = 0 }) => energyJoules > 0);
  const behind = contributing.length > 0 ? contributing : parts;
  const kinds = ['assumed', 'estimated', 'measured'] as const;
  return kinds.find((kind) => behind.some((part) => part.kind === kind)) ?? 'absent';
}

function withUsed(memory: { ramTotalGib: number; ramUsedGib?: number }) {
  return { ramTotalGib: memory.ramTotalGib, ramUsedGib: memory.ramUsedGib };
}

/** The machine's components, or the process's share of them. */
function buildAll(
  evidence: Evidence,
  { entry: from }: Mark,
  { entry: to }: Mark,
  ledger: ProcessLedger | undefined,
): Pick<Measurement, 'apart' | 'attribution' | 'warnings'> & { components: Components } {
  const machine = buildComponents(evidence);
  if (from === undefined || to === undefined || ledger === undefined) return machine;
  const span = ledger.span(from, to);
  const { components, attribution, warnings } = attribute(machine.components, {
    before: from.usage,
    after: to.usage,
    residentGib: span.residentGib ?? to.usage.residentGib,
    durationSeconds: evidence.durationSeconds,
    machineCpuSeconds: machineCpuSecondsBetween(from.times, to.times),
    ofEnergy: span,
    threadCount: evidence.cpu.threadCount,
    ramTotalGib: evidence.ramTotalGib,
  });
  return { components, attribution, apart: machine.apart, warnings: [...machine.warnings, ...warnings] };
}

/** The power over time; adds to the components what it tells of how well they are known. */
function overTime(
  power: PowerRecorder,
  { durationSeconds, deltas }: Evidence,
  components: Components,
): PowerSeries | undefined {
  const evidence = { durationSeconds, deltas, components };
  for (const key of ['cpu', 'ram'] as const) {
    const bounds = timingBounds(power, evidence, key);
    if (bounds.confidenceRatio === undefined) continue;
    const detail = `${components[key].detail} The interval is of when its counters update, not of how right they are.`;
    components[key] = { ...components[key], ...bounds, detail };
  }
  return powerSeries(power, evidence);
}

/** The time of day is set by people and programs; what was measured comes from a clock that is not. */
function clockJumped(from: Mark, to: Mark, durationSeconds: number): Warning[] {
  const jumpSeconds = (to.atMs - from.atMs) / 1000 - durationSeconds;
  if (Math.abs(jumpSeconds) < CLOCK_JUMP_SECONDS + CLOCK_DRIFT_RATIO * durationSeconds) return [];
  return [
    {
      code: 'clock-jumped',
      message: `The time of day was set ${jumpSeconds > 0 ? 'forward' : 'back'} by ${Math.abs(jumpSeconds).toPrecision(2)} s during the run, or the machine slept: start and end do not fit the duration, which is right.`,
    },
  ];
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
    instanceId: readMachineInstance(),
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
