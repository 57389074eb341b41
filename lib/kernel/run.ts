// SPDX-License-Identifier: MIT
//
// Calling a function again and again, with as little as possible around it.
import { performance } from 'node:perf_hooks';
import { MicrojouleError } from '../core/errors.js';
import type { Region } from '../precision/types.js';
import type { Recorder } from '../region/recorder.js';
import type { StopSignal } from './types.js';

/** Calls a function a number of times: at once, or one after the other was awaited. */
export interface Runner {
  readonly isAsync: boolean;
  run(callCount: number): void | Promise<void>;
}

/** Where results go, so that no compiler finds calls useless. */
let sink: unknown;

export function lastResult(): unknown {
  return sink;
}

function runSync(fn: () => unknown, callCount: number): void {
  for (let i = 0; i < callCount; ++i) sink = fn();
  // Nobody waited for it: what was counted is not the function's energy.
  if (isThenable(sink)) throw turnedAsync();
}

function turnedAsync(): MicrojouleError {
  return new MicrojouleError(
    'ERR_BAD_OPTION',
    'the function returned a promise, which its first call did not: its calls were not awaited',
    { hint: 'Pass an async function, so that every call is awaited.' },
  );
}

async function runAsync(fn: () => unknown, callCount: number): Promise<void> {
  for (let i = 0; i < callCount; ++i) sink = await fn();
}

export function runnerOf(fn: () => unknown, isAsync: boolean): Runner {
  return isAsync
    ? { isAsync, run: (callCount) => runAsync(fn, callCount) }
    : { isAsync, run: (callCount) => runSync(fn, callCount) };
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

/** A stretch of calls, and how long the process's threads ran in it, all together. */
export interface TimedRegion extends Region {
  cpuSeconds: number;
}

/** Runs calls and gives the time they took, in a recorder's time. */
export async function timed(runner: Runner, callCount: number, recorder: Recorder): Promise<TimedRegion> {
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  const pending = runner.run(callCount);
  // Awaiting nothing would cost a turn of the microtask queue.
  if (pending !== undefined) await pending;
  const end = process.hrtime.bigint();
  const { user, system } = process.cpuUsage(before);
  return { startNs: recorder.at(start), endNs: recorder.at(end), cpuSeconds: (user + system) / 1e6 };
}

export function secondsOf({ startNs, endNs }: Region): number {
  return (endNs - startNs) / 1e9;
}

/** Waits for so long, or until the signal is aborted, which is no error. */
export const wait = (seconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });

/** Two windows this much alike are stable. */
const STABLE_RATIO = 0.02;
const WINDOW_SECONDS = 0.02;
const FEWEST_WINDOWS = 3;

export interface WarmUp {
  callCount: number;
  durationSeconds: number;
  isStable: boolean;
  callSeconds: number;
}

/**
 * Calls until the time of a call is stable, two windows in a row within 2 %, or the time is over.
 * @param firstSeconds what the first call took
 */
export async function warmUp(
  runner: Runner,
  firstSeconds: number,
  mostSeconds: number,
  signal?: StopSignal,
): Promise<WarmUp> {
  const startMs = performance.now();
  let [callCount, windowCount, previous] = [0, 0, 0];
  let callSeconds = Math.max(firstSeconds, 1e-9);
  for (;;) {
    signal?.throwIfAborted();
    const count = Math.max(1, Math.ceil(WINDOW_SECONDS / callSeconds));
    const windowMs = performance.now();
    // From one call that was slow to a great many that are not takes a few windows.
    const limited = Math.min(count, Math.max(1, 10 * callCount));
    const pending = runner.run(limited);
    if (pending !== undefined) await pending;
    callCount += limited;
    windowCount += 1;
    const now = performance.now();
    callSeconds = Math.max((now - windowMs) / 1000 / limited, 1e-10);
    const durationSeconds = (now - startMs) / 1000;
    const isWhole = limited === count;
    const isStable =
      isWhole && windowCount >= FEWEST_WINDOWS && Math.abs(callSeconds / previous - 1) < STABLE_RATIO;
    if (isStable || durationSeconds >= mostSeconds) {
      return { callCount, durationSeconds, isStable, callSeconds };
    }
    previous = isWhole ? callSeconds : 0;
  }
}
