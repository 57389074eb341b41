// SPDX-License-Identifier: MIT
//
// Our users' compilers must know what Disposable is, whatever libraries they chose.
/// <reference lib="esnext.disposable" preserve="true" />
import { MicrojouleError } from '../core/errors.js';
import type { Measurement, Report } from '../core/report-types.js';
import type { Recording } from '../measure/recording.js';

/**
 * A piece of a tracker's time with a name. Tasks nest and overlap freely: each is the whole machine from its own start to
 * its own stop, so the energies of tasks at the same time hold the same joules and do not add up.
 */
export interface Task extends Disposable, AsyncDisposable {
  readonly name: string;
  /** Ends the task. A second call gives the same report. The tracker's end ends its tasks. */
  stop(): Promise<Report>;
}

/** @internal */
export class RunningTask implements Task {
  readonly name: string;
  readonly #recording: Recording;
  readonly #report: (measurement: Measurement, task: string) => Report;
  #finished: Report | undefined;

  constructor(
    name: string,
    recording: Recording,
    report: (measurement: Measurement, task: string) => Report,
  ) {
    this.name = name;
    this.#recording = recording;
    this.#report = report;
  }

  /** What `stop` does, at once. */
  finish(): Report {
    this.#finished ??= this.#report(this.#recording.stop(), this.name);
    return this.#finished;
  }

  async stop(): Promise<Report> {
    return this.finish();
  }

  [Symbol.dispose](): void {
    this.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.finish();
  }
}

/** @internal */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw new MicrojouleError('ERR_BAD_OPTION', 'a task needs a name', {
    hint: "For example tracker.startTask('load data').",
  });
}
