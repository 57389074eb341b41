// SPDX-License-Identifier: MIT
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ansiStyle } from '../../lib/format/ansi-style.js';
import { formatText } from '../../lib/format/text.js';
import { displayWidth, wrap } from '../../lib/format/wrap.js';
import { buildReport } from '../../lib/report/build.js';
import {
  germanContext,
  goldenContext,
  goldenMeasurement,
  goldenReport,
  noGpu,
  serverMeasurement,
  sharedHint,
} from '../report/fixtures.js';

const golden = formatText(goldenReport());
const server = formatText(buildReport(serverMeasurement, germanContext));
/** One paragraph, so that wrapping does not hide a sentence. */
const flat = (text: string) => text.replace(/\s+/g, ' ');

describe('formatText', () => {
  it.each([
    '19 min 52.96 s duration',
    'at least 30.90 kJ energy (0.008585 kWh, mean 25.91 W), assumed',
    'at least 1.056 g CO2eq (0.001056 kg), assumed',
    'at least 885.6 µg/s CO2eq rate (8.86e-7 kg/s)',
    'at least 27.95 kg CO2eq in a year at this rate',
    '16.70 kJ 14.00 W CPU assumed user: constant',
    '- - GPU absent present, not measured',
    'The whole machine was accounted for, idle included: no part was measured by counters.',
    '123.068 g CO2eq/kWh (year not stated); assumed (user)',
    'Brazil (BRA), rio grande do sul; assumed (user)',
    'Not counted GPU: present, not measured. NVIDIA GeForce MX450 is on the PCI bus',
    'Warning NVIDIA GeForce MX450 is there and its power cannot be read. Hint: Take the total',
  ])('says of the classic run: %s', (sentence) => expect(flat(golden)).toContain(sentence));

  it.each([
    'at least 61.50 J 10.20 W RAM measured powercap: counter difference',
    'The whole machine was measured, idle included: all of it by counters.',
    '(year 2025, zone DE); estimated (Electricity Maps 2025 via @tgwf/co2)',
    'estimated (time zone)',
    "node train.js --name 'two words'; exit code 0; user 20.50 s, system 750.0 ms",
    'mean ± standard deviation of 3 runs',
    'at least 624.6 ± 25.4 J energy, measured',
    'at least 57.34 ± 2.33 mg CO2eq, estimated',
    'Shown apart psys: 2.100 kJ (not in the total)',
    'RAM: dram-1 is not measured.',
  ])('says of the server: %s', (sentence) => expect(flat(server)).toContain(sentence));

  it('says how much of a partly measured run rests on counters', () => {
    const { cpu, ...rest } = serverMeasurement.components;
    const components = { ...rest, cpu: { ...cpu, kind: 'estimated' as const } };
    const text = formatText(buildReport({ ...serverMeasurement, components }, germanContext));
    expect(text).toContain('The whole machine was measured, idle included: 67 % of it by counters.');
  });

  it('gives a hint once to warnings that share it and their code', () => {
    const text = formatText(buildReport({ ...serverMeasurement, warnings: sharedHint }, germanContext));
    expect(text).toMatch(
      /\nWarning {7}Counter a is lost\.\n {14}Counter b is lost\.\n {14}Hint: Run as root\.\nWarning {7}Other\.\n {14}Hint: Run as root\.\n$/,
    );
  });

  it('names the signal and what is not known', () => {
    const text = formatText(
      buildReport(
        {
          ...goldenMeasurement,
          components: { ...goldenMeasurement.components, gpu: noGpu },
          command: { argv: ['sleep', '1'], signal: 'SIGTERM' },
        },
        goldenContext,
      ),
    );
    expect(flat(text)).toContain('sleep 1; ended by SIGTERM; user and system time unknown');
    expect(text).not.toContain('at least');
    expect(text).not.toContain('Not counted');
  });

  it('stays within 80 columns but for words that cannot break', () => {
    const path = `/very/${'long/'.repeat(20)}path`;
    const report = buildReport(
      {
        ...serverMeasurement,
        command: { argv: ['node', path, ...Array.from({ length: 30 }, (_, index) => `--option-${index}`)] },
      },
      { ...germanContext, projectName: '訓練 '.repeat(30) },
    );
    for (const text of [golden, server, formatText(report)]) {
      for (const line of text.split('\n')) {
        if (!line.includes(path)) expect(displayWidth(line)).toBeLessThanOrEqual(80);
        expect(line).toBe(line.trimEnd());
      }
    }
    expect(formatText(report)).toContain(path);
  });

  it('lets nothing from outside steer the terminal', () => {
    const text = formatText(
      buildReport(goldenMeasurement, { ...goldenContext, projectName: 'a\u001b[31mb\u0007\nc' }),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it('is the same text under its colours', () => {
    const coloured = formatText(goldenReport(), ansiStyle);
    expect(coloured).not.toBe(golden);
    expect(stripVTControlCharacters(coloured)).toBe(golden);
  });
});

describe('wrap', () => {
  it('breaks at spaces and keeps long words whole', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('aaaaaaaa b', 3)).toEqual(['aaaaaaaa', 'b']);
    expect(wrap('', 3)).toEqual(['']);
    expect(displayWidth('日本e\u0301')).toBe(5);
  });
});
