// SPDX-License-Identifier: MIT
//
// What trackers do when the process ends before they are stopped.

/** Writes its report at once, saying why. */
interface Finishable {
  finishEarly(why: string): void;
}

/** SIGBREAK is Windows' Ctrl-Break; there SIGHUP is the console's closing. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'];
/** The exit code of a process of Windows that a key of its console ended (STATUS_CONTROL_C_EXIT). */
const ENDED_BY_CONSOLE = 0xc000013a;

/** Trackers that run: a process that ends must not take their reports with it. */
const running = new Set<Finishable>();
/** Those of them that a signal ends too. */
const interruptible = new Set<Finishable>();

function onExit(): void {
  for (const tracker of running) tracker.finishEarly('the process ended before stop() was called');
}

function onSignal(signal: NodeJS.Signals): void {
  // Another listener decides what the signal does; if the process ends, onExit writes the report.
  if (process.listenerCount(signal) > 1) {
    stepAside(signal);
    return;
  }
  for (const tracker of interruptible) {
    tracker.finishEarly(`the process received ${signal} before stop() was called`);
  }
  // Windows has no signals to die by.
  if (process.platform === 'win32') process.exit(ENDED_BY_CONSOLE);
  process.kill(process.pid, signal);
}

/** First in line, because a listener that is there once is gone when its turn has come. */
function listenFor(signal: NodeJS.Signals): void {
  process.off(signal, onSignal);
  process.prependListener(signal, onSignal);
}

/**
 * Hides our listener from the others while they have a signal: libraries such as signal-exit send it again, to end
 * the process, only if theirs are the last. They remove theirs first, and then ours must be back to see it.
 */
function stepAside(signal: NodeJS.Signals): void {
  const onRemoved = (event: string | symbol): void => {
    if (event === signal && process.listenerCount(signal) === 0) comeBack();
  };
  const comeBack = (): void => {
    clearImmediate(timer);
    process.off('removeListener', onRemoved);
    if (interruptible.size > 0) listenFor(signal);
  };
  process.off(signal, onSignal);
  process.on('removeListener', onRemoved);
  const timer = setImmediate(comeBack);
}

/** Sees to it that an ending of the process finishes the tracker first. */
export function watch(tracker: Finishable, handleSignals: boolean): void {
  if (running.size === 0) process.on('exit', onExit);
  running.add(tracker);
  if (!handleSignals) return;
  if (interruptible.size === 0) for (const signal of SIGNALS) listenFor(signal);
  interruptible.add(tracker);
}

/** Called when the tracker is done. */
export function unwatch(tracker: Finishable): void {
  if (running.delete(tracker) && running.size === 0) process.off('exit', onExit);
  if (interruptible.delete(tracker) && interruptible.size === 0) {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
