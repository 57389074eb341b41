// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import {
  childCpuTimes,
  type Measurement,
  MicrojouleError,
  type ModelDetails,
  mergeMeasurements,
  missingCounters,
  openMeter,
  type Recording,
  type RecordingOptions,
  type Report,
  startRecording,
} from '../index.js';
import { formatText, planReport } from '../reports.js';
import { type ChildOutcome, runChild } from './child.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { startProgress } from './progress.js';
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
  cloudProvider?: string;
  cloudRegion?: string;
  cpuWatts?: number;
  ramWattsPerGib?: number;
  ramModel?: 'per-gib' | 'per-dimm';
  model?: string;
}

/** Loaded only when a file is read or written: most runs end in the terminal. */
const formats = () => import('../formats.js');

/** Our own failure, as GNU env and timeout have it. */
const OWN_FAILURE = 125;

async function readModel(file: string | undefined): Promise<ModelDetails | undefined> {
  if (file === undefined) return undefined;
  const { parseModelDetails } = await formats();
  try {
    return parseModelDetails(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof MicrojouleError) throw error;
    throw new MicrojouleError('ERR_BAD_MODEL', `cannot read ${file} (${(error as Error).message})`, {
      hint: 'Give a JSON file with the model details.',
      cause: error,
    });
  }
}

function progressLine(recording: Recording, run: string): string {
  const { durationSeconds, energyJoules, measured } = recording.peek();
  const power = (energyJoules / durationSeconds).toPrecision(3);
  return `microjoule: ${run}${durationSeconds.toFixed(0)} s, ${energyJoules.toFixed(0)} J, ${power} W ${measured ? 'measured' : 'estimated'}`;
}

/** Waits for so many seconds; Ctrl-C and SIGTERM end the wait early. */
function waitSeconds(durationSeconds: number): Promise<ChildOutcome> {
  return new Promise((resolve) => {
    const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const finish = (signal?: NodeJS.Signals): void => {
      clearTimeout(timer);
      for (const name of signals) process.off(name, finish);
      resolve(signal === undefined ? { started: true, exitCode: 0 } : { started: true, signal });
    };
    const timer = setTimeout(() => finish(), durationSeconds * 1000);
    for (const name of signals) process.on(name, finish);
  });
}

interface Run {
  measurement: Measurement;
  outcome: ChildOutcome;
}

async function measureOnce(
  argv: string[],
  flags: RunFlags,
  options: RecordingOptions,
  label: string,
): Promise<Run> {
  const before = childCpuTimes();
  const recording = startRecording(options);
  const progress = startProgress({
    stream: process.stderr,
    isTty: process.stderr.isTTY === true && flags.progress && flags.quiet !== true,
    columns: () => process.stderr.columns,
    sample: () => progressLine(recording, label),
  });
  const outcome =
    argv.length === 0
      ? await waitSeconds(flags.duration ?? 0)
      : await runChild(argv, { childStdout: flags.json === true ? 'stderr' : 'inherit' });
  progress.stop();
  const measurement = recording.stop();
  const after = childCpuTimes();
  if (argv.length > 0 && outcome.started) {
    measurement.command = {
      argv,
      ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
      ...(outcome.signal === undefined ? {} : { signal: outcome.signal }),
      ...(before === undefined || after === undefined
        ? {}
        : {
            userCpuSeconds: after.userCpuSeconds - before.userCpuSeconds,
            systemCpuSeconds: after.systemCpuSeconds - before.systemCpuSeconds,
          }),
    };
  }
  return { measurement, outcome };
}

/** Writes every output that can be written. The failures, as sentences. */
async function writeOutputs(report: Report, files: readonly string[]): Promise<MicrojouleError[]> {
  if (files.length === 0) return [];
  const { writeReport } = await formats();
  const failures: MicrojouleError[] = [];
  for (const file of files) {
    try {
      const { remark } = writeReport(report, file);
      if (remark !== undefined) complain(`${remark}.`);
    } catch (error) {
      failures.push(error as MicrojouleError);
    }
  }
  return failures;
}

/**
 * `microjoule run`: measures a command, or a time, and reports. Resolves to how this process should end.
 * @throws MicrojouleError for what is wrong before the command starts
 */
export async function runRun(argv: string[], flags: RunFlags): Promise<ChildOutcome> {
  if (argv.length === 0 && flags.duration === undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'no command was given', {
      hint: 'microjoule run -- COMMAND [ARGUMENT...], or --duration SECONDS to measure without one.',
    });
  }
  if (argv.length > 0 && flags.duration !== undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', '--duration goes without a command', {
      hint: 'Leave one of the two out; a command is measured until it ends.',
    });
  }
  const outputs = flags.output ?? [];
  for (const file of outputs) (await formats()).checkOutput(file);
  const model = await readModel(flags.model);
  const plan = planReport({ ...flags, intensityGramsPerKwh: flags.intensity, model });

  const meterOptions = toMeterOptions(flags);
  const meter = openMeter(meterOptions);
  if (flags.require === true) {
    const missing = missingCounters(meter, meterOptions);
    if (missing.length > 0) {
      throw new MicrojouleError('ERR_NO_COUNTERS', 'counters are missing, and --require was given', {
        hint: `${missing.map((line) => `  ${line}`).join('\n')}\nThe command was not started.`,
      });
    }
  }
  const options = {
    ...meterOptions,
    cpuWatts: flags.cpuWatts,
    ramWattsPerGib: flags.ramWattsPerGib,
    ramModel: flags.ramModel,
    meter,
  };

  const runs: Run[] = [];
  let last: Run;
  do {
    last = await measureOnce(
      argv,
      flags,
      options,
      flags.repeat > 1 ? `run ${runs.length + 1} of ${flags.repeat}, ` : '',
    );
    if (!last.outcome.started) break;
    runs.push(last);
  } while (runs.length < flags.repeat && last.outcome.exitCode === 0);
  meter.close();
  const { outcome } = last;
  if (!outcome.started) complain(outcome.message, outcome.hint);
  const [first, ...others] = runs.map((run) => run.measurement);
  if (first === undefined) return outcome;

  const merged = mergeMeasurements([first, ...others]);
  if (runs.length < flags.repeat) {
    merged.warnings.push({
      code: 'repetitions-ended',
      message: `${runs.length} of ${flags.repeat} runs were made: the command failed.`,
    });
  }
  const report = plan.report(merged);
  const failures = await writeOutputs(report, outputs);
  if (flags.json === true) process.stdout.write((await formats()).formatJson(report));
  else if (flags.quiet !== true) process.stderr.write(`\n${formatText(report, styleFor(process.stderr))}`);
  for (const { message, hint } of failures) complain(message, hint);
  const childWasFine = outcome.started && outcome.exitCode === 0;
  return failures.length > 0 && childWasFine ? { started: true, exitCode: OWN_FAILURE } : outcome;
}
