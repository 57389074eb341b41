// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ProgressOptions, startProgress, startProgressLines } from '../../lib/cli/progress.js';

const CLEAR = '\r\u001b[K';
let written: string[] = [];

function start(options: Partial<ProgressOptions> = {}) {
  const stream = { write: (text: string) => written.push(text) };
  return startProgress({ stream, isTty: true, columns: 80, sample: () => '12.3 J', ...options });
}

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it('writes nothing when stderr is no terminal', () => {
  const progress = start({ isTty: false });
  vi.advanceTimersByTime(60_000);
  progress.stop();
  expect(written).toEqual([]);
});

it('writes nothing for a command shorter than the delay', () => {
  const progress = start();
  vi.advanceTimersByTime(2999);
  progress.stop();
  vi.advanceTimersByTime(60_000);
  expect(written).toEqual([]);
});

it('renews one line and erases it', () => {
  let count = 0;
  const progress = start({ sample: () => `${++count} J` });
  vi.advanceTimersByTime(5000);
  expect(written).toEqual([`${CLEAR}1 J`, `${CLEAR}2 J`, `${CLEAR}3 J`]);
  progress.stop();
  progress.stop();
  vi.advanceTimersByTime(60_000);
  expect(written.slice(3)).toEqual([CLEAR]);
  expect(vi.getTimerCount()).toBe(0);
});

it('keeps to its own delay and interval', () => {
  const progress = start({ delayMs: 100, intervalMs: 50 });
  vi.advanceTimersByTime(200);
  expect(written).toHaveLength(3);
  progress.stop();
});

it('erases the line while there is nothing to show', () => {
  const texts = ['1 J', undefined, '', '2 J'];
  const progress = start({ sample: () => texts.shift() });
  vi.advanceTimersByTime(6000);
  expect(written).toEqual([`${CLEAR}1 J`, CLEAR, `${CLEAR}2 J`]);
  progress.stop();
});

it('survives a sample that fails', () => {
  const progress = start({
    sample: () => {
      throw new Error('no counter');
    },
  });
  vi.advanceTimersByTime(10_000);
  progress.stop();
  expect(written).toEqual([]);
});

it.each([
  [10, '123456789', '123456789'],
  [10, '1234567890', '12345678…'],
  [4, '⚡⚡⚡⚡', '⚡⚡…'],
  [0, 'x'.repeat(100), `${'x'.repeat(78)}…`],
  [undefined, 'short', 'short'],
  [() => 5, '12345', '123…'],
  [80, 'two\nlines\r\u001b[2J', 'two lines [2J'],
])('fits the line into %s columns', (columns, text, expected) => {
  const progress = start({ columns, sample: () => text });
  vi.advanceTimersByTime(3000);
  expect(written).toEqual([CLEAR + expected]);
  progress.stop();
});

it('does not keep the process alive', () => {
  vi.useRealTimers();
  const set = vi.spyOn(globalThis, 'setTimeout');
  const progress = start();
  expect(set.mock.results[0]?.value.hasRef()).toBe(false);
  progress.stop();
  set.mockRestore();
});

const ERASING_OR_ANY = new RegExp(`${CLEAR.slice(1).replace('[', String.raw`\[`)}|[\\s\\S]`, 'g');

/** What a terminal of so many columns shows of `text`: line breaks, carriage returns, erasing, and lines that wrap. */
function shown(text: string, columns: number): string[] {
  const lines: string[][] = [[]];
  let column = 0;
  const line = () => lines.at(-1) as string[];
  const next = () => {
    lines.push([]);
    column = 0;
  };
  for (const part of text.match(ERASING_OR_ANY) ?? []) {
    if (part === CLEAR.slice(1)) line().splice(column);
    else if (part === '\r') column = 0;
    else if (part === '\n') next();
    else {
      if (column === columns) next();
      line()[column++] = part;
    }
  }
  return lines.map((characters) =>
    Array.from(characters, (one) => one ?? ' ')
      .join('')
      .trimEnd(),
  );
}

it.each([
  '',
  'a line\n',
  'a part',
  'x'.repeat(40),
  'x'.repeat(39),
])('leaves what a command wrote to the same terminal whole: %j', (before) => {
  const stream = { write: (text: string) => written.push(text) };
  const progress = startProgressLines({ stream, isTty: true, columns: 40, sample: () => '12.3 J' });
  vi.advanceTimersByTime(59_000);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(2000);
  const lines = shown(`${before}${written.join('')}after\n`, 40);
  expect(lines).toEqual([...(before === '' ? [] : [before.trimEnd()]), '12.3 J', 'after', '']);
  progress.stop();
});

it('writes ever fewer lines where a command writes, and none that it takes back', () => {
  const stream = { write: (text: string) => written.push(text) };
  const progress = startProgressLines({ stream, isTty: true, columns: 40, sample: () => '12.3 J' });
  for (const [minutes, count] of [
    [1, 1],
    [2, 2],
    [4, 3],
    [8, 4],
  ] as const) {
    vi.advanceTimersByTime(minutes * 60_000);
    expect(written).toHaveLength(count);
  }
  vi.advanceTimersByTime(24 * 3_600_000);
  const day = written.length;
  expect(day).toBeGreaterThan(20);
  progress.stop();
  vi.advanceTimersByTime(24 * 3_600_000);
  expect(written).toHaveLength(day);
  expect(vi.getTimerCount()).toBe(0);
});
