// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../measures.js';
import { loadConfig, override } from '../reports.js';
import {
  csvEncoder,
  encodeRecord,
  findUpdatePeriods,
  type RunningStream,
  type StreamEnd,
  type StreamOptions,
  startStream,
} from '../streams.js';
import type { ChildOutcome } from './child.js';
import { exitUnread } from './exit.js';
import { type Follower, watch, writeRecords } from './monitor-follow.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { complain } from './terminal.js';

export interface MonitorFlags extends MeterFlags {
  jsonl?: boolean;
  csv?: boolean;
  interval: number;
  duration?: number;
  estimates: boolean;
  cpuWatts?: number;
  cpuFullWatts?: number;
  ramWattsPerGib?: number;
  ramModel?: 'per-gib' | 'per-dimm';
  country?: string;
  region?: string;
  intensity?: number;
  pue?: number;
}

const MS_PER_SECOND = 1000;
/** A reader that does not read may not keep us from ending when we are told to. */
const GRACE_MS = 1000;
const OWN_FAILURE = 125;
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** `microjoule monitor`: energy as it is used, for a person or for a program. Resolves to how this process should end. */
export async function runMonitor(flags: MonitorFlags): Promise<ChildOutcome> {
  if (flags.jsonl === true && flags.csv === true) {
    throw new MicrojouleError('ERR_BAD_OPTION', '--jsonl and --csv exclude each other', {
      hint: 'Give one of the two.',
    });
  }
  const config = loadConfig();
  for (const { message, hint } of config.warnings) complain(message, hint);
  const { cpuWatts, cpuFullWatts, ramWattsPerGib, ramModel, country, region, intensity, pue } = flags;
  const settled = override(config.options, {
    ...{ cpuWatts, cpuFullWatts, ramWattsPerGib, ramModel, country, region, pue },
    intensityGramsPerKwh: intensity,
  });
  const options: StreamOptions = {
    ...toMeterOptions(flags),
    cpuWatts: settled.cpuWatts,
    cpuFullWatts: settled.cpuFullWatts,
    ramWattsPerGib: settled.ramWattsPerGib,
    ramModel: settled.ramModel,
    estimates: flags.estimates,
    intervalMs: flags.interval * MS_PER_SECOND,
    durationSeconds: flags.duration,
    sleeps: true,
  };
  if (flags.jsonl === true) {
    const updatePeriodsNs = await findUpdatePeriods(toMeterOptions(flags));
    return follow({ ...options, updatePeriodsNs }, writeRecords(encodeRecord));
  }
  if (flags.csv === true) return follow(options, writeRecords(csvEncoder(), true));
  return follow(options, watch(settled));
}

/** Runs a stream until its duration is over, a signal arrives, the reader goes away or the follower has enough. */
async function follow(options: StreamOptions, follower: Follower): Promise<ChildOutcome> {
  const { stdout } = process;
  let stream: RunningStream | undefined;
  let outcome: ChildOutcome = { started: true, exitCode: 0 };
  let isStopped = false;
  let isGone = false;
  let hasEnded = (): void => {};
  const ending = new Promise<void>((resolve) => {
    hasEnded = resolve;
  });
  const stop = (reason: StreamEnd['reason']): void => {
    isStopped = true;
    stream?.stop(reason);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    outcome = { started: true, signal: name };
    // The second one wants it now.
    if (isStopped) {
      follower.close();
      void exitUnread(outcome);
    }
    stop('signal');
    hasEnded();
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    if (isGone) return;
    isGone = true;
    // A reader that goes away has what it wanted.
    if (error.code !== 'EPIPE') {
      outcome = { started: true, exitCode: OWN_FAILURE };
      complain(
        `cannot write to stdout (${error.message})`,
        'What was written until here is whole, but for the last line.',
      );
    }
    stop('stopped');
  };
  stdout.on('error', onError);
  for (const name of ENDING) process.on(name, onSignal);
  try {
    stream = startStream(options, (record) => follower.take(record, () => stop('stopped')));
    if (isStopped) stream.stop('stopped');
    await stream.ended;
    follower.close();
    const written = new Promise<'written'>((resolve) => {
      stdout.write('', () => resolve('written'));
    });
    const late = ending.then(
      () => new Promise<'late'>((resolve) => setTimeout(resolve, GRACE_MS, 'late').unref()),
    );
    if ((await Promise.race([written, late])) === 'late') await exitUnread(outcome);
    return outcome;
  } finally {
    follower.close();
    for (const name of ENDING) process.off(name, onSignal);
  }
}
