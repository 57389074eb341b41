// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ansiStyle } from '../../lib/format/ansi-style.js';
import {
  type MonitorView,
  monitorFrame,
  monitorIntroduction,
  monitorLine,
  newsText,
  sparkline,
} from '../../lib/format/monitor.js';
import { displayWidth } from '../../lib/format/wrap.js';
import { PowerHistory } from '../../lib/stream/power.js';
import { StreamTotals } from '../../lib/stream/totals.js';
import type { StreamRecord } from '../../lib/stream/types.js';
import { seededRandom } from '../report/fixtures.js';
import { channel, header } from '../stream/fixtures.js';

const CHANNELS = [
  channel('p', { name: 'package 0', source: 'perf' }),
  channel('r', { name: 'ram', domain: 'dram', kind: 'estimated', source: 'ram per-gib model' }),
  channel('c', {
    name: 'core 0',
    domain: 'core',
    inTotal: false,
    source: 'perf',
    apart: 'inside its package',
  }),
];

/** A minute of a package that works now and then. */
function viewOf(news: MonitorView['news'] = []): MonitorView {
  const head = { ...header(CHANNELS), intervalNs: 1e9 };
  const totals = new StreamTotals(head);
  const history = new PowerHistory(CHANNELS.map(({ inTotal }) => inTotal));
  const random = seededRandom(3);
  let [package0, core] = [0, 0];
  for (let second = 0; second <= 60; ++second) {
    const isLost = second >= 20 && second < 23;
    const row: StreamRecord = {
      type: 'row',
      timeNs: second * 1e9,
      energyJoules: [isLost ? null : package0, second * 11.9, core],
    };
    totals.add(row);
    history.add(row);
    const used = second % 15 < 5 ? 40 + 5 * random() : 9 + random();
    package0 += used;
    core += used - 6;
  }
  return {
    header: head,
    totals,
    history,
    location: {
      kind: 'assumed',
      source: 'user',
      method: '',
      detail: '',
      countryName: 'France',
      countryAlpha3: 'FRA',
    },
    intensity: {
      kind: 'estimated',
      source: 'Electricity Maps',
      method: '',
      detail: '',
      intensityGramsPerKwh: 31,
      zone: 'FR',
      year: 2025,
    },
    pueRatio: 1,
    news,
  };
}

describe('a frame of the monitor', () => {
  it('reads well at 80 columns and at 160', () => {
    expect(`\n${monitorFrame(viewOf(), 80, 24).join('\n')}\n`).toMatchSnapshot();
    expect(`\n${monitorFrame(viewOf(), 160, 24).join('\n')}\n`).toMatchSnapshot();
  });

  it('fits into any terminal', () => {
    const gap = { type: 'gap', fromNs: 20e9, toNs: 23e9, reason: 'unreadable', energyKept: true } as const;
    const view = viewOf(
      Array.from({ length: 9 }, () => ({ ...gap, channels: ['p'], detail: '\u001b[2J漢字'.repeat(30) })),
    );
    for (let columns = 20; columns <= 300; columns += 7) {
      for (let rows = 1; rows <= 40; rows += 3) {
        const lines = monitorFrame(view, columns, rows);
        expect(lines.length).toBeLessThanOrEqual(rows);
        expect(lines.join('')).not.toContain('\u001b');
        if (columns < 50) continue;
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('has the same text in colours', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
    const bare = monitorFrame(viewOf(), 80, 24, ansiStyle).map((line) => line.replace(/\u001b\[\d+m/g, ''));
    expect(bare).toEqual(monitorFrame(viewOf(), 80, 24));
  });

  it('says at least when something in the total was lost', () => {
    const view = viewOf();
    view.totals.add({ type: 'gap', fromNs: 1, toNs: 2, reason: 'break', energyKept: false, detail: '' });
    const text = monitorFrame(view, 80, 24).join('\n');
    expect(text).toMatch(/^total .*≥ 1\.\d+ kJ/m);
    expect(text).toMatch(/^CO2e +at least /m);
  });
});

it('a line for each interval says the same in words', () => {
  const view = viewOf();
  expect(`\n${monitorIntroduction(view)}\n${monitorLine(view)}\n`).toMatchSnapshot();
  expect(newsText({ type: 'clock', timeNs: 5e9, unixNs: '1', uncertaintyNs: 1 })).toBe(
    '5.000 s: the clock was set',
  );
});

it('a sparkline goes from 0 to its greatest point, with a blank where there is none', () => {
  expect(sparkline([0, 1, undefined, 7, 3.5], 7)).toBe('  ▁▂ █▅');
  expect(sparkline([1, 2, 3], 2)).toBe('▆█');
  expect(sparkline([0, 0], 2)).toBe('▁▁');
  expect(sparkline([1], 0)).toBe('');
});

describe('what is there and not metered', () => {
  const absent = {
    source: 'PCI bus',
    status: 'not-found' as const,
    detail: 'X at 01:00.0 is present, without a counter',
  };

  it('is told in the view and above the lines, where the total should hold it', () => {
    const view = viewOf();
    const lacking = { ...view, header: { ...view.header, absent: [{ ...absent, inTotal: true as const }] } };
    expect(monitorFrame(lacking, 80, 24).join('\n')).toContain('not counted: X at 01:00.0');
    expect(monitorIntroduction(lacking)).toContain(`not counted: ${absent.detail}`);
    const other = { ...view, header: { ...view.header, absent: [absent] } };
    expect(monitorFrame(other, 80, 24).join('\n') + monitorIntroduction(other)).not.toContain('not counted');
  });
});
