// SPDX-License-Identifier: MIT
import {
  childCpuTimes,
  type Measurement,
  type Recording,
  type RecordingOptions,
  startRecording,
} from '../measures.js';
import { type ChildOutcome, runChild } from './child.js';
import { HELD } from './exit.js';
import { startProgress } from './progress.js';

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
}

/** The longest that one timer can wait; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @internal */
export function progressLine(recording: Pick<Recording, 'peek'>, label: string): string {
  const { durationSeconds, energyJoules, measured, atLeast } = recording.peek();
  const power = (energyJoules / durationSeconds).toPrecision(3);
  const kind = measured ? 'measured' : 'estimated';
  const used = `${energyJoules.toFixed(0)} J, ${power} W ${kind}`;
  return `microjoule: ${label}${durationSeconds.toFixed(0)} s, ${atLeast ? 'at least ' : ''}${used}`;
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

/** Measures one run of the command, or one wait without a command. */
export async function measureRun(argv: string[], options: MeasuredRunOptions): Promise<MeasuredRun> {
  const before = childCpuTimes();
  const recording = startRecording(options.recording);
  const progress = startProgress({
    stream: process.stderr,
    isTty: options.showProgress && process.stderr.isTTY === true,
    columns: () => process.stderr.columns,
    sample: () => progressLine(recording, options.label),
  });
  const outcome =
    argv.length === 0
      ? await waitSeconds(options.durationSeconds ?? 0)
      : await runChild(argv, { childStdout: options.stdoutIsOurs ? 'stderr' : 'inherit' });
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
