// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { ModelDetails, Report } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import type { Recording, RecordingOptions } from '../measure/recording.js';
import type { Meter } from '../meter/meter.js';
import type { ReportOptions, ReportPlan } from './create-report.js';
import { unwatch, watch } from './endings.js';
import { checkInterval, every, guarded, type LiveMeasurement } from './live.js';
import { onDemand } from './on-demand.js';
import type { OutputFile, WriteOptions } from './output.js';
import { checkName, RunningTask, type Task } from './task.js';
import type { TaskFile } from './task-file.js';
import { isOfOutputs, tell, tellOfOptions } from './tell.js';

export interface TrackerOptions extends RecordingOptions, ReportOptions, WriteOptions {
  /**
   * Files to write the report to, by extension: `.md`, `.html`, `.json`, `.txt`, `.yaml` (Hugging Face's
   * `co2_eq_emissions`), `.csv` (a row of CodeCarbon's emissions.csv, and a file of the tasks beside it). For a file with
   * another name: `{ file: 'emissions', format: 'csv' }`.
   * Default: `emissions.csv`; `[]` writes none. Relative to the working directory of when the tracker is created.
   */
  output?: OutputFile | readonly OutputFile[] | undefined;
  /** A Hugging Face README.md whose front matter is to hold the emissions. Relative as `output`. */
  modelCard?: string | undefined;
  /**
   * Write the report, then die as intended, on SIGINT, SIGTERM and SIGHUP. A signal that the application listens for
   * itself is left to it, and the tracker goes on. Default: true.
   */
  handleSignals?: boolean | undefined;
  /**
   * An http or https URL of yours that gets CodeCarbon's row as JSON, by POST, when the tracker stops or is flushed. `''`:
   * none, whatever the configuration says. Without it nothing touches the network.
   */
  emissionsEndpoint?: string | undefined;
  /** Called while the tracker runs, at every interval, and a last time when it stops. Keeps no process alive. */
  onMeasure?: ((live: LiveMeasurement) => unknown) | undefined;
  /** The interval of `onMeasure`, in seconds. Default: 15. */
  measureEverySeconds?: number | undefined;
  /**
   * Write the report every so many seconds while the tracker runs, as far as the script leaves JavaScript the time; 0
   * never. A file `.csv` gains its row at the end only, its file of tasks those that ended. Default: 60.
   */
  flushSeconds?: number | undefined;
}

/** The longest that one timer can wait; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Measures the whole machine, idle included, from `start()` to `stop()`, and writes the CO2 emission report. The
 * report is written even when the script throws or calls `process.exit()`.
 */
export class EmissionsTracker implements Disposable, AsyncDisposable {
  readonly #options: TrackerOptions;
  readonly #optionWarnings: readonly Warning[];
  readonly #outputs: readonly OutputFile[];
  readonly #modelCard: string | undefined;
  #model: ModelDetails | undefined;
  #plan: ReportPlan | undefined;
  #recording: Recording | undefined;
  #meter: Meter | undefined;
  readonly #tasks = new Set<RunningTask>();
  #taskFile: TaskFile | undefined;
  #timer: { stop(): void } | undefined;
  /** The row on its way to the server. */
  #sending: Promise<void> | undefined;
  #report: Report | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  /** What was left of runs that were cut off, and has another name now. */
  #kept: readonly Warning[] = [];

  /**
   * What `options` leave out comes from configuration: see `loadConfig` of microjoule/report. Names that neither has are
   * warnings of the report and of the process.
   *
   * @throws MicrojouleError `ERR_BAD_OPTION` for configuration, and for an output whose extension names no format; `ERR_BAD_MODEL` for
   * model details
   */
  constructor(options: TrackerOptions = {}) {
    const config = onDemand().loadConfig();
    this.#optionWarnings = [...config.warnings, ...onDemand().unknownOptions(options)];
    tellOfOptions(this.#optionWarnings);
    this.#options = onDemand().override(config.options, options);
    const { output = 'emissions.csv', modelCard, emissionsEndpoint = '' } = this.#options;
    const files = [output].flat();
    for (const file of files) onDemand().checkOutput(file);
    // Now, because the script may change its working directory before it stops.
    this.#outputs = files.map((file) => onDemand().resolveOutput(file));
    this.#modelCard = modelCard === undefined ? undefined : resolve(modelCard);
    onDemand().checkWriteOptions(this.#options);
    if (emissionsEndpoint !== '') onDemand().checkEndpoint(emissionsEndpoint);
    // A configuration may have one for CodeCarbon, to which others are good.
    if (this.#options.onMeasure !== undefined) checkInterval(this.#options.measureEverySeconds);
    else checkInterval(options.measureEverySeconds);
    onDemand().checkFlushSeconds(this.#options.flushSeconds);
    if (options.model !== undefined) this.#model = onDemand().checkModelDetails(options.model, 'model');
  }

  /** Arguments over configuration. */
  protected get settledOptions(): Readonly<TrackerOptions> {
    return this.#options;
  }

  /**
   * Starts measuring. Returns the tracker, so that `using tracker = new EmissionsTracker().start()` stops by itself.
   * @throws MicrojouleError `ERR_TRACKER_STATE` when started before; `ERR_BAD_OPTION`, `ERR_UNKNOWN_COUNTRY`,
   * `ERR_UNKNOWN_REGION` for options
   */
  start(): this {
    if (this.#recording !== undefined) {
      throw new MicrojouleError('ERR_TRACKER_STATE', 'the tracker has been started already', {
        hint: 'Create a new EmissionsTracker for each measurement.',
      });
    }
    // Place and grid before the clock starts: looking them up is not the user's work.
    this.#plan = onDemand().planReport(this.#options);
    const { meter = onDemand().openMeter(this.#options) } = this.#options;
    this.#meter = meter;
    // The first flush would replace it.
    this.#kept = onDemand().keepUnfinished(this.#outputs);
    for (const warning of this.#kept) tell(warning);
    const { powerSeries = true } = this.#options;
    this.#recording = onDemand().startRecording({ ...this.#options, meter, powerSeries });
    watch(this, this.#options.handleSignals ?? true);
    const { onMeasure, measureEverySeconds } = this.#options;
    const [recording, plan] = [this.#recording, this.#plan];
    if (onMeasure !== undefined) {
      this.#timer = every(checkInterval(measureEverySeconds), () => this.#tell(recording.lap(), plan));
    }
    this.#flushEvery(onDemand().checkFlushSeconds(this.#options.flushSeconds));
    return this;
  }

  #flushEvery(seconds: number): void {
    if (seconds === 0) return;
    const flush = (): void => {
      try {
        const { recording, plan } = this.#running('a flush');
        const report = plan.report(recording.measurement(), this.#model);
        this.#taskFile?.flush(report);
        onDemand().flushOutputs(report, this.#outputs);
      } catch {
        // The run is what counts; what goes wrong with its report is told at the end.
      }
    };
    this.#flushTimer = setInterval(flush, Math.min(seconds * 1000, LONGEST_TIMER_MS)).unref();
  }

  /**
   * Adds a line such as `Test accuracy` to the model details of the report.
   * @throws MicrojouleError `ERR_BAD_MODEL` for what is neither text nor a finite number; `ERR_TRACKER_STATE` after
   * stop()
   */
  setModelResult(name: string, value: string | number): void {
    if (this.#report !== undefined) {
      throw new MicrojouleError('ERR_TRACKER_STATE', `"${name}" came after the report was written`, {
        hint: 'Call setModelResult() before stop().',
      });
    }
    const results = { ...this.#model?.results, [name]: value };
    this.#model = onDemand().checkModelDetails({ ...this.#model, results }, 'setModelResult()');
  }

  /**
   * Stops measuring and writes the outputs. An output that cannot be written becomes a warning of the report and
   * of the process; the others are written. A second call gives the same report.
   * @throws MicrojouleError `ERR_TRACKER_STATE` when not started
   */
  async stop(): Promise<Report> {
    const known = this.#report;
    const report = this.#finish();
    if (known === undefined) await this.#sendAndWarn(report);
    // A second call waits for what the first sends.
    else await this.#sending;
    return report;
  }

  /**
   * The report up to now, written to every output that is written anew, and sent where `emissionsEndpoint` says: `.csv`
   * gains its row at the end, unless `onCsvWrite` is `update`, where rows of one run replace each other; the file of tasks
   * gains those that ended. What a crash leaves, for one. Measuring goes on.
   * @throws MicrojouleError `ERR_TRACKER_STATE` unless the tracker runs
   */
  async flush(): Promise<Report> {
    const { recording, plan } = this.#running('flush()');
    const report = plan.report(recording.measurement(), this.#model);
    const updates = this.#options.onCsvWrite === 'update';
    const files = this.#outputs.filter((file) => updates || !onDemand().isCsv(file));
    this.#taskFile?.flush(report);
    onDemand().writeOutputs(report, files, this.#modelCard, this.#options);
    await this.#sendAndWarn(report);
    return report;
  }

  /**
   * Starts a task. Tasks nest and overlap; those that run when the tracker stops end with it.
   * @throws MicrojouleError `ERR_TRACKER_STATE` unless the tracker runs; `ERR_BAD_OPTION` for a name that is none
   */
  startTask(name: string): Task {
    const { meter, plan } = this.#running('startTask()');
    checkName(name);
    const model = () => this.#model;
    const recording = onDemand().startRecording({ ...this.#options, meter, powerSeries: false });
    const task: RunningTask = new RunningTask(name, recording, (measurement, named) => {
      this.#tasks.delete(task);
      const report = { ...plan.report(measurement, model()), task: named };
      this.#taskFile ??= onDemand().openTaskFile(this.#outputs, this.#options);
      this.#taskFile.add(report);
      return report;
    });
    this.#tasks.add(task);
    return task;
  }

  /**
   * Runs one function as a task. When it throws, the task ends and the error goes on.
   * @throws whatever `work` throws; MicrojouleError as {@link startTask}
   */
  async trackTask<T>(name: string, work: () => T | Promise<T>): Promise<{ result: T; report: Report }> {
    const task = this.startTask(name);
    try {
      const result = await work();
      return { result, report: await task.stop() };
    } finally {
      await task.stop();
    }
  }

  /** Stops a tracker that was started, as `stop()` does. */
  [Symbol.dispose](): void {
    if (this.#recording === undefined || this.#report !== undefined) return;
    // What goes to a server is under way when the block ends, and keeps the process for five seconds at most.
    void this.#sendAndWarn(this.#finish());
  }

  /** Stops a tracker that was started, as `stop()` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#recording !== undefined) await this.stop();
  }

  #tell({ total, delta }: ReturnType<Recording['lap']>, plan: ReportPlan): unknown {
    return this.#options.onMeasure?.({
      total: plan.report(total, this.#model),
      delta: plan.report(delta, this.#model),
    });
  }

  async #sendAndWarn(report: Report): Promise<void> {
    // The files are written: whoever waits for a server has them.
    report.warnings.filter(isOfOutputs).forEach(tell);
    const { emissionsEndpoint = '' } = this.#options;
    if (emissionsEndpoint === '') return;
    this.#sending = onDemand()
      .sendReport(report, emissionsEndpoint)
      .then((warning) => {
        if (warning === undefined) return;
        report.warnings.push(warning);
        tell(warning);
      });
    await this.#sending;
  }

  #running(call: string): { recording: Recording; plan: ReportPlan; meter: Meter } {
    const [recording, plan, meter] = [this.#recording, this.#plan, this.#meter];
    if (recording === undefined || plan === undefined || meter === undefined || this.#report !== undefined) {
      throw new MicrojouleError('ERR_TRACKER_STATE', `${call} needs a tracker that runs`, {
        hint: 'Call it between start() and stop().',
      });
    }
    return { recording, plan, meter };
  }

  /** @internal What the process's end calls: writes the report at once. */
  finishEarly(why: string): void {
    try {
      const report = this.#finish(why);
      for (const { message, hint } of report.warnings.filter(isOfOutputs)) {
        process.stderr.write(`microjoule: ${message}\n${hint === undefined ? '' : `${hint}\n`}`);
      }
    } catch (error) {
      process.stderr.write(`microjoule: no report (${String(error)})\n`);
    }
  }

  #finish(early?: string): Report {
    if (this.#report !== undefined) return this.#report;
    if (this.#recording === undefined || this.#plan === undefined) {
      throw new MicrojouleError('ERR_TRACKER_STATE', 'the tracker has not been started', {
        hint: 'Call start() first.',
      });
    }
    unwatch(this);
    this.#timer?.stop();
    clearInterval(this.#flushTimer);
    const lost = [...this.#tasks].flatMap(lossOf);
    const last = this.#timer === undefined || early !== undefined ? undefined : this.#recording.lap();
    const stopped = this.#recording.stop();
    // The last lap's own end, so that what was told comes to the report.
    const measurement = last?.total ?? stopped;
    measurement.warnings.push(...this.#optionWarnings, ...this.#kept, ...lost);
    if (this.#options.meter === undefined) this.#meter?.close();
    if (early !== undefined) {
      measurement.warnings.push({
        code: 'ended-early',
        message: `The region ended early: ${early}.`,
        hint: 'Await stop() before the script ends.',
      });
      if ((this.#options.emissionsEndpoint ?? '') !== '') {
        measurement.warnings.push({
          code: 'endpoint-failed',
          message: 'The row was not sent to the server: a process that ends cannot wait for it.',
          hint: 'Await stop() before the script ends.',
        });
      }
    }
    const report = this.#plan.report(measurement, this.#model);
    this.#report = report;
    this.#taskFile?.finish(report);
    onDemand().writeOutputs(report, this.#outputs, this.#modelCard, this.#options);
    const plan = this.#plan;
    if (last !== undefined) guarded(() => this.#tell(last, plan));
    return report;
  }
}

/** Ends a task with its tracker, whose own report is to be written whatever becomes of the task's. */
function lossOf(task: RunningTask): Warning[] {
  try {
    task.finish();
    return [];
  } catch (error) {
    return [{ code: 'task-lost', message: `The task "${task.name}" has no report: ${String(error)}.` }];
  }
}

/**
 * Runs one function with a tracker around it. When it throws, the report is written and the error goes on.
 * @throws whatever `work` throws; MicrojouleError as {@link EmissionsTracker.start}
 */
export async function trackEmissions<T>(
  work: () => T | Promise<T>,
  options: TrackerOptions = {},
): Promise<{ result: T; report: Report }> {
  const tracker = new EmissionsTracker(options);
  tracker.start();
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await tracker.stop();
    throw error;
  }
  return { result, report: await tracker.stop() };
}
