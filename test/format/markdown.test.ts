// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { FORMATTERS } from '../../lib/format/index.js';
import { formatMarkdown } from '../../lib/format/markdown.js';
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
import { resultValues, splitRow, withoutPadding } from '../report/markdown-results.js';

const server = withoutPadding(formatMarkdown(buildReport(serverMeasurement, germanContext)));

describe('formatMarkdown', () => {
  it('is what .md stands for', () => expect(FORMATTERS.get('.md')).toBe(formatMarkdown));

  it('has the parts of the classic report in their order', () => {
    const headings = formatMarkdown(goldenReport()).match(/^#+ .*$/gm);
    expect(headings).toEqual([
      '# CO2 Emission Report',
      '## Carbon footprint',
      '## How these numbers came about: microjoule',
      '## How to use it',
      '## Model details',
      '## Results',
      '## Provenance',
      '## Warnings',
      '## References',
    ]);
    expect(formatMarkdown(goldenReport())).toMatch(/^# .*\n\nGenerated at: 2022-12-25 12:00:01 UTC\n/);
  });

  it('cites only references that are listed, and the data credit', () => {
    const [text = '', list = ''] = server.split('## References');
    const listed = new Set(list.match(/^\d+(?=\.)/gm));
    const cited = [...text.matchAll(/\[(\d[\d, ]*)\]/g)].flatMap(([, numbers = '']) => numbers.split(', '));
    expect(cited.length).toBeGreaterThan(5);
    for (const number of cited) expect(listed).toContain(number);
    expect(new Set(cited)).toEqual(listed);
    expect(list).toContain('Electricity Maps, ODbL.');
  });

  it('shows measured values, what is missing, counters, command and repetitions', () => {
    const values = resultValues(server);
    expect(values.get('GPU power (W)')).toBe('199.0 (measured)');
    expect(values.get('RAM power (W)')).toBe('at least 10.20 (measured)');
    expect(values.get('RAM energy (kWh)')).toBe('at least 1.708e-5 (measured)');
    expect(values.get('Emissions (kg CO2eq)')).toBe('at least 0.0001720 (estimated)');
    expect(values.get('Cloud provider')).toBe('gcp');
    expect(values.get('Region')).toBe('unknown');
    expect(server).toContain('- RAM: dram-1 is not measured. energy_uj may only be read by root.');
    expect(server).toContain('| dram-1 | dram | 1 |');
    expect(server).toContain('| no-permission | absent | no |');
    expect(server).toContain("`node train.js --name 'two words'`; exit code 0; 20.50 s of user");
    expect(server).toContain('| Energy | at least 624.6 ± 25.4 J (measured) |');
    expect(server).toContain('Mean CPU utilisation over the run: 43.1 %');
    expect(server).toContain('One DRAM domain could not be read. Run as root. (dram-unreadable)');
  });

  it('says when there is no GPU, no cloud knowledge, no model, no warning and no place', () => {
    const { model: _, ...context } = goldenContext;
    const unknown = { kind: 'absent', source: 'none', method: 'none', detail: 'Nothing was known.' } as const;
    const markdown = formatMarkdown(
      buildReport(
        {
          ...goldenMeasurement,
          components: { ...goldenMeasurement.components, gpu: noGpu },
          machine: { os: 'Linux', runtime: 'node v24.0.0', cpuThreadCount: 2, gpuCount: 0, ramTotalGib: 8 },
          warnings: [],
        },
        { ...context, location: unknown, cloud: { ...unknown, onCloud: false } },
      ),
    );
    const values = resultValues(markdown);
    for (const name of ['Country', 'ISO', 'Region', 'Cloud provider', 'On cloud', 'CPU model']) {
      expect(values.get(name)).toBe('unknown');
    }
    for (const name of ['GPU power (W)', 'GPU energy (kWh)', 'GPU count', 'GPU model']) {
      expect(values.get(name)).toBe('none found');
    }
    expect(values.get('Total energy (kWh)')).toBe('0.008585 (assumed)');
    expect(markdown).toContain('## Model details\n\nNone were given.');
    expect(markdown).toContain('## Warnings\n\nNone.');
    expect(markdown).not.toMatch(/\bnan\b/i);
  });

  it('does not say that there is no GPU where nobody looked', () => {
    const { gpuCount: _, gpuModel: __, ...machine } = goldenMeasurement.machine;
    const components = { ...goldenMeasurement.components, gpu: noGpu };
    const values = resultValues(
      formatMarkdown(buildReport({ ...goldenMeasurement, components, machine }, goldenContext)),
    );
    for (const name of ['GPU power (W)', 'GPU energy (kWh)', 'GPU count', 'GPU model']) {
      expect(values.get(name)).toBe('unknown');
    }
  });

  it('gives a hint once to warnings that share it and their code', () => {
    const warnings = [...sharedHint, { code: 'bare', message: 'One.' }, { code: 'bare', message: 'Two.' }];
    const markdown = formatMarkdown(buildReport({ ...serverMeasurement, warnings }, germanContext));
    expect(markdown).toContain(
      [
        '## Warnings\n',
        '- Run as root. (counter-lost, 2 times)',
        '  - Counter a is lost.',
        '  - Counter b is lost.',
        '- Other. Run as root. (other)',
        '- One. (bare)',
        '- Two. (bare)\n',
      ].join('\n'),
    );
  });

  it('escapes what would break a table or a page', () => {
    const report = buildReport(
      {
        ...serverMeasurement,
        machine: { ...serverMeasurement.machine, cpuModel: 'a|b\\|c\nd <script>' },
        command: { argv: ['echo', '`id`'], signal: 'SIGTERM' },
      },
      {
        ...germanContext,
        projectName: '<img src=x>',
        model: { name: 'x\n\n# y', results: { 'F1 | macro': 0.5 } },
      },
    );
    const markdown = formatMarkdown(report);
    expect(resultValues(markdown).get('CPU model')).toBe('a|b\\|c d &lt;script>');
    expect(markdown).not.toMatch(/<script|<img|^# y/m);
    expect(markdown).toContain("`` echo '`id`' ``; ended by SIGTERM; its CPU time is unknown.");
    expect(markdown).toContain('- **F1 | macro:** 0.5');
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('| '));
    expect(tables.length).toBeGreaterThanOrEqual(4);
    for (const table of tables) {
      const [header = '', rule = '', ...rows] = table.split('\n');
      expect(rule).toMatch(/^\|( -{3,} \|)+$/);
      for (const row of rows) expect(splitRow(row)).toHaveLength(splitRow(header).length);
    }
  });
});
