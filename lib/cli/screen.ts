// SPDX-License-Identifier: MIT
//
// A frame of text that is redrawn in place. The terminal is as it was before when it is closed, or when the process ends.
import type { ReadStream, WriteStream } from 'node:tty';

/** The alternate screen, so that what was there comes back; no cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';
/** Whoever is not stopped by then will not be: a process group without a shell is not. */
const STOPS_WITHIN_MS = 200;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export interface Screen {
  draw(): void;
  close(): void;
}

/**
 * Draws `frame` on the terminal whenever asked to, and when its size changes.
 * @param quit called for `q` and Ctrl-C, which in this mode is a key; Ctrl-Z stops the process as it does elsewhere
 */
export function openScreen(
  output: WriteStream,
  input: ReadStream,
  frame: (columns: number, rows: number) => string[],
  quit: () => void,
): Screen {
  let isOpen = true;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    if (!isOpen) return;
    const lines = frame(output.columns || DEFAULT_COLUMNS, output.rows || DEFAULT_ROWS);
    output.write(HOME + lines.map((line) => line + CLEAR_REST_OF_LINE).join('\r\n') + CLEAR_BELOW);
  };
  const onKey = (keys: Buffer): void => {
    const text = keys.toString('latin1');
    if (/q/i.test(text) || text.includes(CTRL_C)) quit();
    else if (text.includes(CTRL_Z)) stop();
  };
  /** Until it goes on, the terminal is another's. */
  const stop = (): void => {
    if (process.platform === 'win32' || timer !== undefined) return;
    input.setRawMode(false);
    output.write(LEAVE);
    process.on('SIGCONT', goOn);
    timer = setTimeout(goOn, STOPS_WITHIN_MS);
    // Ctrl-Z is for all processes in the foreground.
    process.kill(0, 'SIGTSTP');
  };
  const goOn = (): void => {
    clearTimeout(timer);
    timer = undefined;
    process.off('SIGCONT', goOn);
    if (!isOpen) return;
    input.setRawMode(true);
    output.write(ENTER);
    draw();
  };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(timer);
    process.off('SIGCONT', goOn);
    process.off('exit', close);
    output.off('resize', draw);
    if (input.isTTY) {
      input.off('data', onKey);
      input.setRawMode(false);
      input.pause();
    }
    output.write(LEAVE);
  };
  process.on('exit', close);
  output.write(ENTER);
  output.on('resize', draw);
  if (input.isTTY) {
    input.setRawMode(true);
    input.on('data', onKey);
    input.resume();
  }
  return { draw, close };
}
