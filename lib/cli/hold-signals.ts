// SPDX-License-Identifier: MIT

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * Outlives the signals that end a process, so that what was measured is reported: between two runs, and from the
 * command's end to the report's last line. `exitLike` removes the listeners.
 */
export function holdSignals(): { received(): boolean } {
  let received = false;
  const listener = (): void => {
    received = true;
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return { received: () => received };
}
