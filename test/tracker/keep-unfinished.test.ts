// SPDX-License-Identifier: MIT
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../lib/core/report-types.js';
import { formatJson } from '../../lib/format/json.js';
import { mergeReports } from '../../lib/report/merge.js';
import { keepUnfinished } from '../../lib/tracker/keep-unfinished.js';
import { readReport } from '../../lib/tracker/read-report.js';
import { goldenReport } from '../report/fixtures.js';
import { runCli } from '../support/run-cli.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microjoule-unfinished-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const cutOff = (): Report => {
  const report = goldenReport();
  return { ...report, warnings: [...report.warnings, { code: 'unfinished', message: 'It went on.' }] };
};

describe('what a run that was cut off had used', () => {
  it('has another name before the next run takes its own', () => {
    const file = join(folder, 'run.json');
    const text = formatJson(cutOff());
    writeFileSync(file, text);
    const kept = join(folder, 'run-20221225T114007Z.json');
    expect(keepUnfinished([join(folder, 'run.md'), file])).toMatchObject([
      {
        code: 'unfinished-kept',
        message: expect.stringContaining(kept),
        hint: `To add both up: microjoule report ${kept} ${file}`,
      },
    ]);
    expect(readdirSync(folder)).toEqual(['run-20221225T114007Z.json']);
    expect(readFileSync(kept, 'utf8')).toBe(text);
  });

  it('is all that is moved, and replaces nothing', () => {
    const file = join(folder, 'run.json');
    for (const text of [formatJson(goldenReport()), 'no report', '']) {
      writeFileSync(file, text);
      expect(keepUnfinished([file, join(folder, 'none.json')])).toEqual([]);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
    writeFileSync(file, formatJson(cutOff()));
    writeFileSync(join(folder, 'run-20221225T114007Z.json'), 'taken');
    expect(keepUnfinished([file])).toEqual([]);
    expect(readFileSync(join(folder, 'run-20221225T114007Z.json'), 'utf8')).toBe('taken');
  });

  it('can be added up with the same run, started again', async () => {
    const file = join(folder, 'run.json');
    writeFileSync(file, formatJson(cutOff()));
    const { runId } = cutOff();
    const { exitCode, stderr } = await runCli([
      ...['run', '--sysfs', '/nonexistent', '--dev', '/nonexistent', '--nvml-library', '/nonexistent'],
      ...['--cpu-watts', '10', '--duration', '0.1', '-q', '--run-id', runId, '-o', file],
    ]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('microjoule report');
    const again = readReport(file);
    expect(again.warnings.map(({ code }) => code)).toContain('unfinished-kept');
    const [kept = ''] = readdirSync(folder).filter((name) => name !== 'run.json');
    const first = readReport(join(folder, kept));
    const sum = mergeReports([first, again], { generatedAtMs: 0, version: '0.0.0' });
    expect(sum.energy.energyJoules).toBeCloseTo(first.energy.energyJoules + again.energy.energyJoules, 6);
  });
});
