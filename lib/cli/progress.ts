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

/**
 * Shows one status line, renewed in place, while a long command runs. `stop()` erases it and may be called
 * twice. The timer does not keep the process alive.
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

/** One line that leaves the last column free, since a full line makes some terminals wrap. */
function truncate(text: string, columns: ProgressOptions['columns']): string {
  const columnCount = (typeof columns === 'function' ? columns() : columns) || DEFAULT_COLUMNS;
  // Line breaks and escape sequences would move the cursor off the line that stop() erases.
  const characters = Array.from(text.replace(/\p{Cc}+/gu, ' '));
  const widest = Math.max(columnCount - 1, 1);
  return characters.length <= widest ? characters.join('') : `${characters.slice(0, widest - 1).join('')}…`;
}
