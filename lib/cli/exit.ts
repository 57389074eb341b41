// SPDX-License-Identifier: MIT
import os from 'node:os';
import type { Writable } from 'node:stream';
import type { ChildOutcome } from './child.js';

/** A signal sent to ourselves arrives at once; this is for one that does not end us. */
const SIGNAL_GRACE_MS = 200;

/**
 * Ends our process as the child ended: with its exit code, or by the same signal, so that a shell or a
 * supervisor sees what it would have seen without us. Waits for stdout and stderr to be written first.
 */
export async function exitLike(outcome: ChildOutcome): Promise<never> {
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  return exitUnread(outcome);
}

/** The same at once, for a reader that does not read: what waits for it is lost. */
export async function exitUnread(outcome: ChildOutcome): Promise<never> {
  if (!outcome.started || outcome.signal === undefined) return process.exit(outcome.exitCode ?? 0);
  await dieBy(outcome.signal);
  return process.exit(exitCodeOf(outcome));
}

/** The exit code that a shell shows for an outcome: 128 + n for death by signal n. */
export function exitCodeOf(outcome: ChildOutcome): number {
  if (!outcome.started || outcome.signal === undefined) return outcome.exitCode ?? 0;
  return 128 + (os.constants.signals[outcome.signal] ?? 0);
}

async function dieBy(signal: NodeJS.Signals): Promise<void> {
  // Windows has no signals to die by, only exit codes.
  if (process.platform === 'win32') return;
  try {
    // Node ignores SIGPIPE and starts its inspector on SIGUSR1. Removing a listener, be it our own, leaves
    // the system's default action, which is death. SIGKILL and SIGSTOP cannot be listened to.
    if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') {
      process.on(signal, () => {});
      process.removeAllListeners(signal);
    }
    process.kill(process.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_GRACE_MS));
  } catch {
    // A signal that this system does not know: the exit code has to tell.
  }
}

function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) {
      resolve();
      return;
    }
    // A reader that went away must not change how we end.
    stream.on('error', () => resolve());
    stream.write('', () => resolve());
  });
}

/** SIGBREAK is Windows' Ctrl-Break; there SIGHUP is the console's closing. */
export const HELD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK'];

/**
 * Outlives the signals that end a process, so that what was measured is reported: between two runs, and from the
 * command's end to the report's last line. `exitLike` removes the listeners.
 */
export function holdSignals(): { received(): boolean } {
  let received = false;
  const listener = (): void => {
    received = true;
  };
  for (const signal of HELD) process.on(signal, listener);
  return { received: () => received };
}
