// SPDX-License-Identifier: MIT
import {
  childCpuTimes,
  type Measurement,
  type Recording,
  type RecordingOptions,
  startRecording,
} from '../measures.js';
import { formatProgress } from '../reports.js';
import { type ChildOutcome, runChild } from './child.js';
import { HELD } from './exit.js';
import { startProgress, startProgressLines } from './progress.js';

export interface MeasuredRun {
  measurement: Measurement;
  outcome: ChildOutcome;
}

export interface MeasuredRunOptions {
  recording: RecordingOptions;
  /** Waited for when there is no command. */
  durationSeconds: number | undefined;
  /** Keeps the command off stdout. */
  stdoutIsOurs: boolean;
  showProgress: boolean;
  /** Before the progress line, e.g. `run 2 of 5, `. */
  label: string;
  /** Of the energy so far, for the progress line. */
  gramsPerKwh: number;
  /** Called when the recording has begun, and when it has ended. */
  trace?: { begin(recording: Recording): void; end(): void } | undefined;
  /** What sees the run up to then, every so often: what is left if this process is killed. */
  flush?: { everySeconds: number; take: (measurement: Measurement) => void } | undefined;
}

/** The longest that one timer can wait; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @internal */
export function progressLine(
  recording: Pick<Recording, 'peek'>,
  { label, gramsPerKwh }: Pick<MeasuredRunOptions, 'label' | 'gramsPerKwh'>,
): string {
  return `microjoule: ${label}${formatProgress(recording.peek(), gramsPerKwh)}`;
}

/** @internal Waits for so many seconds; Ctrl-C and the other signals that end a process end the wait early. */
export function waitSeconds(durationSeconds: number): Promise<ChildOutcome> {
  return new Promise((resolve) => {
    const endMs = performance.now() + durationSeconds * 1000;
    let timer: NodeJS.Timeout | undefined;
    const finish = (signal?: NodeJS.Signals): void => {
      clearTimeout(timer);
      for (const name of HELD) process.off(name, finish);
      resolve(signal === undefined ? { started: true, exitCode: 0 } : { started: true, signal });
    };
    const wait = (): void => {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) finish();
      else timer = setTimeout(wait, Math.min(leftMs, LONGEST_TIMER_MS));
    };
    for (const name of HELD) process.on(name, finish);
    wait();
  });
}

function startFlush(recording: Recording, flush: MeasuredRunOptions['flush']): NodeJS.Timeout | undefined {
  if (flush === undefined || flush.everySeconds <= 0) return undefined;
  const everyMs = Math.min(flush.everySeconds * 1000, LONGEST_TIMER_MS);
  return setInterval(() => flush.take(recording.measurement()), everyMs).unref();
}

/** Measures one run of the command, or one wait without a command. */
export async function measureRun(argv: string[], options: MeasuredRunOptions): Promise<MeasuredRun> {
  const before = childCpuTimes();
  const recording = startRecording(options.recording);
  options.trace?.begin(recording);
  // A command writes to the same terminal.
  const start = argv.length === 0 ? startProgress : startProgressLines;
  const progress = start({
    stream: process.stderr,
    isTty: options.showProgress && process.stderr.isTTY === true,
    columns: () => process.stderr.columns,
    sample: () => progressLine(recording, options),
  });
  const flush = startFlush(recording, options.flush);
  const outcome =
    argv.length === 0
      ? await waitSeconds(options.durationSeconds ?? 0)
      : await runChild(argv, { childStdout: options.stdoutIsOurs ? 'stderr' : 'inherit' });
  progress.stop();
  clearInterval(flush);
  const measurement = recording.stop();
  options.trace?.end();
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
