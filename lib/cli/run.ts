// SPDX-License-Identifier: MIT

import type { OutputFile } from '../formats.js';
import {
  type EstimateOptions,
  type Measurement,
  type Meter,
  MicrojouleError,
  mergeMeasurements,
  missingCounters,
  openMeter,
  type Recording,
} from '../measures.js';
import {
  type CloudPlace,
  type ConfigOptions,
  checkFlushSeconds,
  detectCloud,
  loadConfig,
  type ModelDetails,
  override,
  planReport,
  type Report,
  type ReportPlan,
  type Warning,
} from '../reports.js';
import type { ChildOutcome } from './child.js';
import { holdSignals } from './exit.js';
import { type MeasuredRun, measureRun } from './measure-run.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { readTextFile } from './read-file.js';
import { showReport } from './show-report.js';
import { complain } from './terminal.js';

export interface RunFlags extends MeterFlags {
  output?: string[];
  json?: boolean;
  repeat: number;
  flush?: number;
  trace?: string;
  traceInterval: number;
  duration?: number;
  require?: boolean;
  quiet?: boolean;
  progress: boolean;
  projectName?: string;
  runId?: string;
  country?: string;
  region?: string;
  intensity?: number;
  intensityUncertainty?: number;
  pue?: number;
  wue?: number;
  embodiedKg?: number;
  lifespanYears?: number;
  reservedShare?: number;
  unit?: string;
  unitCount?: number;
  cloudProvider?: string;
  cloudRegion?: string;
  cloudMetadata?: boolean;
  runFolder?: string;
  cpuWatts?: number;
  cpuFullWatts?: number;
  ramWattsPerGib?: number;
  ramModel?: 'per-gib' | 'per-dimm';
  model?: string;
  modelCard?: string;
  trackingMode?: 'machine' | 'process';
  onCsvWrite?: 'append' | 'update';
  experimentId?: string;
  experimentName?: string;
  emissionsEndpoint?: string;
}

/** Loaded only when a file is read or written: most runs end in the terminal. */
const formats = () => import('../formats.js');

/** Our own failure, as GNU env and timeout have it. */
const OWN_FAILURE = 125;
const MS_PER_SECOND = 1000;

async function readModel(file: string | undefined): Promise<ModelDetails | undefined> {
  if (file === undefined) return undefined;
  const { parseModelDetails } = await formats();
  return parseModelDetails(readTextFile(file), file);
}

function checkWork(argv: readonly string[], { duration }: RunFlags): void {
  if (argv.length === 0 && duration === undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'no command was given', {
      hint: 'microjoule run -- COMMAND [ARGUMENT...], or --duration SECONDS to measure without one.',
    });
  }
  if (argv.length > 0 && duration !== undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', '--duration goes without a command', {
      hint: 'Leave one of the two out; a command is measured until it ends.',
    });
  }
}

function checkTrace({ trace, repeat, traceInterval }: RunFlags): void {
  if (trace === undefined) return;
  if (traceInterval < 0.001 || traceInterval > 3600) {
    throw new MicrojouleError('ERR_BAD_OPTION', '--trace-interval takes 0.001 to 3600 seconds', {
      hint: 'For example 0.1. More than 0.5 makes a crash cost more than a second.',
    });
  }
  if (/\.(parquet|csv|json|md|html|txt|yaml|yml)(\.gz)?$/i.test(trace)) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `--trace ${trace}: a trace is recorded as .jsonl or .jsonl.gz`,
      {
        hint: 'Other formats are made of it: microjoule trace run.jsonl -o run.parquet; its report: microjoule report run.jsonl.',
      },
    );
  }
  if (repeat === 1) return;
  throw new MicrojouleError('ERR_BAD_OPTION', '--trace goes with a single run', {
    hint: 'Leave --repeat out, or trace each run for itself.',
  });
}

/** The trace of a run, its file opened before the run so that what is wrong with it is told in time. */
async function openTrace(flags: RunFlags, context: ReportPlan['context'], meter: Meter) {
  if (flags.trace === undefined) return undefined;
  const { startTrace, TraceFile } = await import('../traces.js');
  const file = new TraceFile(flags.trace);
  let trace: ReturnType<typeof startTrace> | undefined;
  return {
    begin(recording: Recording) {
      trace = startTrace({
        ...estimatesOf(flags),
        ...toMeterOptions(flags),
        meter,
        file,
        context,
        intervalMs: flags.traceInterval * MS_PER_SECOND,
        // This process has nothing to do but to wait for the command.
        sleeps: true,
        measurement: () => recording.measurement(),
      });
    },
    end: () => trace?.halt(),
    abandon: () => trace?.abandon(),
    finish: (measurement: Measurement) => trace?.finish(measurement),
  };
}

function estimatesOf({ cpuWatts, cpuFullWatts, ramWattsPerGib, ramModel }: RunFlags): EstimateOptions {
  return { cpuWatts, cpuFullWatts, ramWattsPerGib, ramModel };
}

/** What the metadata service tells, where the user wants it and gave no region. */
async function askCloud(flags: RunFlags, config: ConfigOptions): Promise<Partial<CloudPlace>> {
  const { cloudMetadata = false } = flags;
  const { cloudProvider, cloudRegion } = override(config, flags);
  if (!cloudMetadata || cloudRegion !== undefined) return {};
  return detectCloud({ ...flags, cloudProvider, metadata: true });
}

function requireCounters(meter: Meter, flags: RunFlags): void {
  const missing = missingCounters(meter, toMeterOptions(flags));
  if (missing.length === 0) return;
  throw new MicrojouleError('ERR_NO_COUNTERS', 'counters are missing, and --require was given', {
    hint: `${missing.map((line) => `  ${line}`).join('\n')}\nThe command was not started. How to get them: microjoule doctor`,
  });
}

type Trace = NonNullable<Awaited<ReturnType<typeof openTrace>>>;

interface Surroundings {
  meter: Meter;
  gramsPerKwh: number;
  trace: Trace | undefined;
  /** Takes all runs so far, the one that goes on as the last. */
  flush(measurements: [Measurement, ...Measurement[]]): void;
  flushSeconds: number;
}

/** Runs until a run fails, a signal arrives or the repetitions are done. The last may not have started. */
async function measureRuns(
  argv: string[],
  flags: RunFlags,
  { meter, gramsPerKwh, trace, flush, flushSeconds }: Surroundings,
): Promise<MeasuredRun[]> {
  const signals = holdSignals();
  const runs: MeasuredRun[] = [];
  do {
    const run = await measureRun(argv, {
      recording: {
        ...toMeterOptions(flags),
        ...estimatesOf(flags),
        trackingMode: flags.trackingMode,
        powerSeries: 'deferred',
        meter,
      },
      durationSeconds: flags.duration,
      stdoutIsOurs: flags.json === true,
      showProgress: flags.progress && flags.quiet !== true,
      label: flags.repeat > 1 ? `run ${runs.length + 1} of ${flags.repeat}, ` : '',
      gramsPerKwh,
      trace,
      flush: {
        everySeconds: flushSeconds,
        take: (latest) => {
          const [first = latest, ...others] = [...runs.map(({ measurement }) => measurement), latest];
          flush([first, ...others]);
        },
      },
    });
    runs.push(run);
    if (!run.outcome.started || run.outcome.exitCode !== 0) break;
  } while (runs.length < flags.repeat && !signals.received());
  return runs;
}

function traceFailed({ message, hint }: MicrojouleError): Warning {
  return { code: 'trace-failed', message, ...(hint === undefined ? {} : { hint }) };
}

/** Tries, while a run goes on; at its end, failures are told. */
async function flushReport(report: Report, outputs: readonly OutputFile[]): Promise<void> {
  try {
    (await formats()).flushOutputs(report, outputs);
  } catch {
    // The run is what counts.
  }
}

/**
 * `microjoule run`: measures a command, or a time, and reports. Resolves to how this process should end.
 * @throws MicrojouleError for what is wrong before the command starts
 */
export async function runRun(argv: string[], flags: RunFlags): Promise<ChildOutcome> {
  checkWork(argv, flags);
  checkTrace(flags);
  const config = loadConfig();
  const outputs = flags.output ?? [config.options.output ?? []].flat();
  for (const file of outputs) (await formats()).checkOutput(file);
  const endpoint = flags.emissionsEndpoint ?? config.options.emissionsEndpoint ?? '';
  if (endpoint !== '') (await formats()).checkEndpoint(endpoint);
  const model = await readModel(flags.model);
  const asked = await askCloud(flags, config.options);
  const settled = override(config.options, {
    ...flags,
    ...asked,
    intensityGramsPerKwh: flags.intensity,
    intensityUncertaintyGramsPerKwh: flags.intensityUncertainty,
    reservedRatio: flags.reservedShare,
    functionalUnit: flags.unit,
  });
  if (settled.onCsvWrite !== undefined) (await formats()).checkWriteOptions(settled);
  const plan = planReport({ ...settled, model });
  const flushSeconds = checkFlushSeconds(flags.flush ?? config.options.flushSeconds);
  const meter = openMeter(toMeterOptions(flags));
  if (flags.require === true) requireCounters(meter, flags);

  const { intensity, facility } = plan.context;
  // The first flush would replace it.
  const kept = outputs.length > 0 ? (await formats()).keepUnfinished(outputs) : [];
  for (const { message, hint } of kept) complain(message, hint);
  const trace = await openTrace(settled, plan.context, meter);
  const runs = await measureRuns(argv, settled, {
    meter,
    trace,
    gramsPerKwh: intensity.intensityGramsPerKwh * (facility?.pue ?? 1),
    flush: (measurements) => {
      if (outputs.length > 0) flushReport(plan.report(mergeMeasurements(measurements)), outputs);
    },
    flushSeconds,
  });
  meter.close();
  const outcome = runs.at(-1)?.outcome ?? { started: true };
  if (!outcome.started) complain(outcome.message, outcome.hint);
  const [first, ...others] = runs.filter((run) => run.outcome.started).map((run) => run.measurement);
  if (first === undefined) {
    // A file without a run would be in the way of the next try.
    trace?.abandon();
    return outcome;
  }

  const merged = mergeMeasurements([first, ...others]);
  merged.warnings.push(...config.warnings, ...kept);
  if (others.length + 1 < flags.repeat) {
    merged.warnings.push({
      code: 'repetitions-ended',
      message: `${others.length + 1} of ${flags.repeat} runs were made: the command failed or was interrupted.`,
    });
  }
  const untraced = trace?.finish(merged);
  if (untraced !== undefined) merged.warnings.push(traceFailed(untraced));
  const report = plan.report(merged);
  const { modelCard } = settled;
  const writes = outputs.length > 0 || modelCard !== undefined;
  const failures = writes ? (await formats()).writeOutputs(report, outputs, modelCard, settled) : [];
  // The files are written: a server that hangs keeps nothing from anybody.
  const unsent = endpoint === '' ? undefined : await (await formats()).sendReport(report, endpoint);
  if (unsent !== undefined) report.warnings.push(unsent);
  const unshown = await showReport(report, { ...flags, anyFailed: failures.length > 0 });
  for (const { message, hint } of failures) complain(message, hint);
  if (unshown !== undefined) complain(unshown.message, unshown.hint);
  if (unsent !== undefined) complain(unsent.message, unsent.hint);
  if (untraced !== undefined) complain(untraced.message, untraced.hint);
  const childWasFine = outcome.started && outcome.exitCode === 0;
  return ([unshown, untraced].some((one) => one !== undefined) || failures.length > 0) && childWasFine
    ? { started: true, exitCode: OWN_FAILURE }
    : outcome;
}
