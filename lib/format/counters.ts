// SPDX-License-Identifier: MIT

import { formatEnergy } from '../core/numbers.js';
import type { CounterDelta, SourceState } from '../meter/meter.js';
import type { Style } from './text.js';
import { padLeft, padRight, wrap } from './wrap.js';

const COLUMNS = 80;
const plain: Style = (_, text) => text;

function paragraph(text: string, indent: string): string[] {
  return wrap(text, COLUMNS - indent.length).map((line) => indent + line);
}

function rowsOf(deltas: readonly CounterDelta[], style: Style): string[] {
  if (deltas.length === 0) return [];
  const widest = Math.max(...deltas.map(({ counter }) => counter.id.length));
  return deltas.flatMap(({ counter, status, detail, energyJoules, inTotal, apart }) => {
    // What is integrated from power begins at 0 with each meter, which tells nothing.
    const energy =
      energyJoules === undefined ? '-' : counter.kind === 'power' ? 'power' : formatEnergy(energyJoules);
    const name = `${counter.domain} ${counter.device}${counter.die === undefined ? '' : `.${counter.die}`}`;
    const line = `  ${padRight(counter.id, widest)}  ${padRight(name, 10)} ${padLeft(energy, 10)}`;
    const note = status !== 'ok' ? status : inTotal ? 'in the total' : 'apart';
    const reason = [detail, status === 'ok' ? apart : ''].filter((part) => part !== '').join('; ');
    const remark = [counter.deviceName ?? '', reason].filter((part) => part !== '').join(': ');
    return [
      `${line}  ${style(status === 'ok' ? (inTotal ? 'measured' : 'muted') : 'warning', note)}`,
      ...(remark === '' ? [] : paragraph(remark, '      ')),
    ];
  });
}

function conclusion(deltas: readonly CounterDelta[]): string {
  const plural = (count: number): string => `${count} counter${count === 1 ? '' : 's'}`;
  const counted = deltas.filter(({ inTotal }) => inTotal).length;
  if (counted > 0) return `${plural(counted)} in the total; the others overlap with them or cannot be read.`;
  const readable = deltas.filter(({ status }) => status === 'ok').length;
  return readable === 0
    ? 'No counter can be read: reports will be estimates.'
    : `${plural(readable)} can be read, and none is of the total: reports will be estimates.`;
}

/** All sources and their counters for a terminal, with a final newline. Energies are the counters' own counts. */
export function formatCounters(
  sources: readonly SourceState[],
  deltas: readonly CounterDelta[],
  style: Style = plain,
): string {
  const blocks = sources.map(({ source, status, detail }) => {
    const own = deltas.filter((delta) => delta.counter.source === source);
    const mark = status === 'ok' ? style('measured', 'ok') : style('warning', status);
    return [
      `${style('heading', source)}  ${mark}`,
      ...(detail === '' ? [] : paragraph(detail, '  ')),
      ...rowsOf(own, style),
    ];
  });
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n\n${conclusion(deltas)}\n`;
}
