// SPDX-License-Identifier: MIT
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseModalias } from '../../lib/core/modalias.js';
import type { Compared } from '../../lib/doctor/consistency.js';
import { checkConsistency } from '../../lib/doctor/consistency.js';
import type { CounterTest, Diagnosis } from '../../lib/doctor/diagnosis.js';
import type { Facts } from '../../lib/doctor/facts.js';
import type { LostMeter } from '../../lib/doctor/lost.js';
import { resolutionOf } from '../../lib/doctor/resolution.js';
import { type FoundSource, judgeSources } from '../../lib/doctor/sources.js';
import { judge } from '../../lib/doctor/verdict.js';
import { ansiStyle } from '../../lib/format/ansi-style.js';
import { formatDiagnosis } from '../../lib/format/doctor.js';
import { displayWidth } from '../../lib/format/wrap.js';
import { context, counter, lostMeter, SAPPHIRE_RAPIDS, schemaErrors } from '../doctor/fixtures.js';

function diagnosis(
  found: FoundSource[],
  compared: Compared[],
  changes: Partial<Facts> = {},
  lost: LostMeter[] = [],
): Diagnosis {
  const at = context(changes);
  const counters: CounterTest[] = compared.map(({ scaleNumerator: _, scaleDenominator: __, ...test }) => ({
    ...test,
    regionSeconds: { onePercentSeconds: 0.041, fivePercentSeconds: 0.0082 },
  }));
  const sources = judgeSources(found, at);
  return {
    schema: 'microjoule.doctor/1',
    generator: { name: 'microjoule', version: '1.2.3' },
    generatedAt: '2026-05-04T03:02:01.000Z',
    machine: at.machine,
    sources,
    ...(compared.length === 0
      ? {}
      : {
          test: {
            durationSeconds: 2.05,
            idleSeconds: 1,
            counters,
            readCosts: [
              {
                source: 'perf',
                counterCount: 4,
                readCount: 2000,
                medianNs: 1234.5,
                p99Ns: 9876,
                detail:
                  "2 packages: some of it is a read on another package's CPU, which this one must interrupt",
              },
            ],
            checks: checkConsistency(compared, 2.05, parseModalias(SAPPHIRE_RAPIDS)),
          },
        }),
    resolution: resolutionOf(counters),
    verdict: judge(sources, counters, lost),
  };
}

const listed = (id: string, status: 'ok' | 'no-permission', detail = '') => ({
  id,
  domain: 'package' as const,
  device: 0,
  origin: `/sys/${id}`,
  status,
  detail,
});

const working = diagnosis(
  [
    { source: 'perf', status: 'ok', detail: '', counters: [listed('perf:energy-pkg:0', 'ok')] },
    {
      source: 'powercap',
      status: 'ok',
      detail: '',
      counters: [listed('powercap:intel-rapl:0', 'no-permission', 'energy_uj may not be read')],
    },
    { source: 'nvml', status: 'not-found', detail: 'no NVML library', counters: [] },
  ],
  [
    counter({ id: 'perf:energy-pkg:0', source: 'perf' }),
    counter({
      id: 'perf:energy-ram:0',
      source: 'perf',
      domain: 'dram',
      energyJoules: 10.03,
      detail: 'a remark about it',
    }),
    counter({ id: 'msr:dram:0', source: 'msr', domain: 'dram', energyJoules: 40, inTotal: false }),
    counter({
      id: 'perf:energy-psys:0',
      source: 'perf',
      domain: 'psys',
      inTotal: false,
      moved: false,
      status: 'stale',
      detail: 'it did not move; so its energy is unknown, not 0',
    }),
  ],
);
const denied = diagnosis(
  [
    { source: 'perf', status: 'no-permission', detail: 'perf_event_open was refused', counters: [] },
    { source: 'powercap', status: 'no-permission', detail: '', counters: [] },
  ],
  [],
);
const texts = [working, denied].map((each) => formatDiagnosis(each));
const flat = (text = ''): string => text.replace(/\s+/g, ' ');

describe('formatDiagnosis', () => {
  it('is about a diagnosis that its schema knows', () => {
    expect(schemaErrors(working)).toEqual([]);
    expect(schemaErrors(denied)).toEqual([]);
  });

  it('tells of a machine that measures', () => {
    expect(texts[0]).toMatchSnapshot();
  });

  it('tells of one that does not let us', () => {
    expect(texts[1]).toMatchSnapshot();
  });

  it.each([
    'a region must last 40.82 ms for 1 %, or 8.165 ms for 5 % (one sigma)',
    'perf:energy-psys:0 psys 0: does not move',
    'Linux 5.9 to 6.0 take the DRAM unit of older servers',
    'Not needed: perf reads the same meters.',
    'some of it is a read on another package',
    'This machine measures the CPU and memory, through perf.',
  ])('says: %s', (sentence) => expect(flat(texts[0])).toContain(sentence));

  it('calls no time between two reads an update period', () => {
    const found = { source: 'emi', status: 'ok' as const, detail: '', counters: [] };
    const every = counter({ id: 'emi:package:0', source: 'emi', movedAtEveryRead: true });
    const told = diagnosis([found], [every]);
    expect(schemaErrors(told)).toEqual([]);
    const text = flat(formatDiagnosis(told));
    expect(text).toContain('an update every 1.000 ms or less; steps');
    expect(text).toContain('the time between two reads of emi:package:0 sets that.');
  });

  it('lists a counter that the total lacks, as what it is', () => {
    const {
      updatePeriodSeconds: _,
      jitterSeconds: __,
      idleWatts: ___,
      ...unread
    } = counter({
      updateCount: 0,
      id: 'powercap:intel-rapl:1',
      device: 1,
      status: 'no-permission',
      moved: false,
      inTotal: false,
      detail: 'mount it and give its place with sysfs',
    });
    const found = { source: 'powercap', status: 'ok' as const, detail: '', counters: [] };
    const text = flat(formatDiagnosis(diagnosis([found], [counter(), unread], {}, [lostMeter()])));
    expect(text).toContain('package 1: no-permission mount it and give its place with --sysfs');
    expect(text).toContain('not powercap:intel-rapl:1 (no-permission), so totals are "at least".');
  });

  it('counts what repeats the meters of a large machine', () => {
    const counters = Array.from({ length: 16 }, (_, device) => [
      counter({ id: `perf:energy-pkg:${device}`, source: 'perf', device }),
      counter({ id: `powercap:intel-rapl:${device.toString(16)}`, device, inTotal: false }),
      counter({ id: `perf:energy-cores:${device}`, source: 'perf', domain: 'core', device, inTotal: false }),
    ]).flat();
    const text = formatDiagnosis(diagnosis([], counters));
    expect(text).toContain('perf:energy-pkg:15  package 15');
    expect(text).toContain(
      '16 others repeat these meters and agree.\n  16 others move, and are not in the total.',
    );
    expect(text).not.toContain('energy-cores');
    // What is off is shown.
    const odd = counters.map((one) =>
      one.id === 'powercap:intel-rapl:f' ? { ...one, energyJoules: 7 } : one,
    );
    expect(formatDiagnosis(diagnosis([], odd))).toContain('powercap:intel-rapl:f  package 15');
  });

  it('says how long a fix holds, but not of one that only looks', () => {
    const failed = { source: 'perf', status: 'failed' as const, detail: '', counters: [] };
    expect(formatDiagnosis(diagnosis([failed], []))).toContain('Fix  See what the kernel says of it.\n');
    const closed = { source: 'msr', status: 'no-permission' as const, detail: '', counters: [] };
    expect(flat(formatDiagnosis(diagnosis([closed], [])))).toContain('may read (until the next start).');
  });

  it('shows no fix that is not needed', () => {
    expect(texts[0]).not.toContain('udevadm');
    expect(texts[1]).toContain('udevadm');
    expect(flat(texts[1])).toContain('Next the first fix of powercap');
  });

  it('stays within 80 columns, commands and all', () => {
    for (const line of texts.join('').split('\n')) {
      if (!line.includes('node_modules')) expect(displayWidth(line), line).toBeLessThanOrEqual(80);
      expect(line).toBe(line.trimEnd());
    }
  });

  it('lets nothing from outside steer the terminal', () => {
    const found = { source: 'a\u001b[31m', status: 'failed' as const, detail: 'b\u0007\nc', counters: [] };
    const text = formatDiagnosis(diagnosis([found], [], { cpuName: 'x\u001b]0;y\u0007' }));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it('is the same text under its colours', () => {
    const coloured = formatDiagnosis(denied, ansiStyle);
    expect(coloured).not.toBe(texts[1]);
    expect(stripVTControlCharacters(coloured)).toBe(texts[1]);
  });
});
