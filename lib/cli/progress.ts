// SPDX-License-Identifier: MIT

const CLEAR_LINE = '\r\u001b[K';
const DEFAULT_COLUMNS = 80;

export interface ProgressOptions {
  /** Where the line is shown; stderr. */
  stream: { write(text: string): unknown };
  /** Without a terminal nothing is ever written. */
  isTty: boolean;
  /** Width of the terminal; a function where it may change. Unknown (0 or undefined) stands for 80. */
  columns: number | undefined | (() => number | undefined);
  /** The text to show: plain, without colours. `undefined` shows nothing this time. */
  sample: () => string | undefined;
  /** A command shorter than this sees no line at all. */
  delayMs?: number;
  intervalMs?: number;
}

/** In a terminal that others write to a line stays, so there are few. */
const FIRST_LINE_MS = 60_000;
const MOST_MS = 3_600_000;

/**
 * For a terminal that a command writes to as well, where nothing can be renewed in place: whole lines, after one minute,
 * three, seven and so on, an hour apart at most.
 */
export function startProgressLines({
  stream,
  isTty,
  columns,
  sample,
}: Omit<ProgressOptions, 'delayMs' | 'intervalMs'>): { stop(): void } {
  if (!isTty) return { stop: () => {} };
  let everyMs = FIRST_LINE_MS;
  const show = (): void => {
    const text = sampleSafely(sample);
    if (text) stream.write(`${freshLine(widthOf(columns))}${truncate(text, columns)}\n`);
    everyMs = Math.min(2 * everyMs, MOST_MS);
    timer = setTimeout(show, everyMs).unref();
  };
  let timer = setTimeout(show, everyMs).unref();
  return { stop: () => clearTimeout(timer) };
}

/**
 * Where the cursor stands is not known: one blank less than a line takes it to the next line from anywhere but a line's
 * beginning, so that a line which the command has not ended yet stays whole.
 */
function freshLine(columnCount: number): string {
  return `${' '.repeat(columnCount - 1)}${CLEAR_LINE}`;
}

/**
 * Shows one status line, renewed in place, while something long goes on that writes nothing itself. `stop()` erases it and
 * may be called twice. The timer does not keep the process alive.
 */
export function startProgress(options: ProgressOptions): { stop(): void } {
  const { stream, isTty, delayMs = 3000, intervalMs = 1000 } = options;
  if (!isTty) return { stop: () => {} };

  let isShown = false;
  const erase = (): void => {
    if (isShown) stream.write(CLEAR_LINE);
    isShown = false;
  };
  const show = (): void => {
    const text = sampleSafely(options.sample);
    if (text === undefined || text === '') {
      erase();
      return;
    }
    stream.write(CLEAR_LINE + truncate(text, options.columns));
    isShown = true;
  };

  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, intervalMs).unref();
  }, delayMs).unref();
  return {
    stop: () => {
      // One function clears both kinds of timer.
      clearTimeout(timer);
      erase();
    },
  };
}

/** A status line is no reason to end the run it tells about. */
function sampleSafely(sample: ProgressOptions['sample']): string | undefined {
  try {
    return sample();
  } catch {
    return undefined;
  }
}

function widthOf(columns: ProgressOptions['columns']): number {
  return (typeof columns === 'function' ? columns() : columns) || DEFAULT_COLUMNS;
}

/** One line that leaves the last column free, since a full line makes some terminals wrap. */
function truncate(text: string, columns: ProgressOptions['columns']): string {
  // Line breaks and escape sequences would move the cursor off the line that stop() erases.
  const characters = Array.from(text.replace(/\p{Cc}+/gu, ' '));
  const widest = Math.max(widthOf(columns) - 1, 1);
  return characters.length <= widest ? characters.join('') : `${characters.slice(0, widest - 1).join('')}…`;
}
