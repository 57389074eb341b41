// SPDX-License-Identifier: MIT
import { type Meter, MicrojouleError, mergeMeasurements, missingCounters, openMeter } from '../measures.js';
import {
  detectCloud,
  formatText,
  loadConfig,
  type ModelDetails,
  override,
  planReport,
  type Report,
} from '../reports.js';
import type { ChildOutcome } from './child.js';
import { holdSignals } from './exit.js';
import { type MeasuredRun, measureRun } from './measure-run.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { readTextFile } from './read-file.js';
import { complain, styleFor } from './terminal.js';

export interface RunFlags extends MeterFlags {
  output?: string[];
  json?: boolean;
  repeat: number;
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

function requireCounters(meter: Meter, flags: RunFlags): void {
  const missing = missingCounters(meter, toMeterOptions(flags));
  if (missing.length === 0) return;
  throw new MicrojouleError('ERR_NO_COUNTERS', 'counters are missing, and --require was given', {
    hint: `${missing.map((line) => `  ${line}`).join('\n')}\nThe command was not started. How to get them: microjoule doctor`,
  });
}

/** Runs until a run fails, a signal arrives or the repetitions are done. The last may not have started. */
async function measureRuns(argv: string[], flags: RunFlags, meter: Meter): Promise<MeasuredRun[]> {
  const signals = holdSignals();
  const runs: MeasuredRun[] = [];
  do {
    const run = await measureRun(argv, {
      recording: {
        ...toMeterOptions(flags),
        cpuWatts: flags.cpuWatts,
        ramWattsPerGib: flags.ramWattsPerGib,
        ramModel: flags.ramModel,
        trackingMode: flags.trackingMode,
        meter,
      },
      durationSeconds: flags.duration,
      stdoutIsOurs: flags.json === true,
      showProgress: flags.progress && flags.quiet !== true,
      label: flags.repeat > 1 ? `run ${runs.length + 1} of ${flags.repeat}, ` : '',
    });
    runs.push(run);
    if (!run.outcome.started || run.outcome.exitCode !== 0) break;
  } while (runs.length < flags.repeat && !signals.received());
  return runs;
}

function showReport(report: Report): void {
  // Failed outputs are told at the very end instead, with what to do.
  const warnings = report.warnings.filter(
    ({ code }) => code !== 'output-failed' && code !== 'endpoint-failed',
  );
  process.stderr.write(`\n${formatText({ ...report, warnings }, styleFor(process.stderr))}`);
}

/**
 * `microjoule run`: measures a command, or a time, and reports. Resolves to how this process should end.
 * @throws MicrojouleError for what is wrong before the command starts
 */
export async function runRun(argv: string[], flags: RunFlags): Promise<ChildOutcome> {
  checkWork(argv, flags);
  const config = loadConfig();
  const outputs = flags.output ?? [config.options.output ?? []].flat();
  for (const file of outputs) (await formats()).checkOutput(file);
  const endpoint = flags.emissionsEndpoint ?? config.options.emissionsEndpoint ?? '';
  if (endpoint !== '') (await formats()).checkEndpoint(endpoint);
  const model = await readModel(flags.model);
  const provider = flags.cloudProvider ?? config.options.cloudProvider;
  const metadata = flags.cloudMetadata === true && provider === undefined;
  const asked = metadata ? await detectCloud({ ...flags, metadata }) : {};
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
  const meter = openMeter(toMeterOptions(flags));
  if (flags.require === true) requireCounters(meter, flags);

  const runs = await measureRuns(argv, settled, meter);
  meter.close();
  const outcome = runs.at(-1)?.outcome ?? { started: true };
  if (!outcome.started) complain(outcome.message, outcome.hint);
  const [first, ...others] = runs.filter((run) => run.outcome.started).map((run) => run.measurement);
  if (first === undefined) return outcome;

  const merged = mergeMeasurements([first, ...others]);
  merged.warnings.push(...config.warnings);
  if (others.length + 1 < flags.repeat) {
    merged.warnings.push({
      code: 'repetitions-ended',
      message: `${others.length + 1} of ${flags.repeat} runs were made: the command failed or was interrupted.`,
    });
  }
  const report = plan.report(merged);
  const { modelCard } = settled;
  const writes = outputs.length > 0 || modelCard !== undefined;
  const failures = writes ? (await formats()).writeOutputs(report, outputs, modelCard, settled) : [];
  // The files are written: a server that hangs keeps nothing from anybody.
  const unsent = endpoint === '' ? undefined : await (await formats()).sendReport(report, endpoint);
  if (unsent !== undefined) report.warnings.push(unsent);
  if (flags.json === true) process.stdout.write((await formats()).formatJson(report));
  // What a file should have held and does not is shown in spite of -q: there is no second chance to measure it.
  else if (flags.quiet !== true || failures.length > 0) showReport(report);
  else
    for (const { code, message } of report.warnings)
      if (/^output-(elsewhere|remark)$/.test(code)) complain(message);
  for (const { message, hint } of failures) complain(message, hint);
  if (unsent !== undefined) complain(unsent.message, unsent.hint);
  const childWasFine = outcome.started && outcome.exitCode === 0;
  return failures.length > 0 && childWasFine ? { started: true, exitCode: OWN_FAILURE } : outcome;
}
