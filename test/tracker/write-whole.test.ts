// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { formatJson, writeReport } from '../../lib/formats.js';
import { useWorkplace } from '../cli/fixtures.js';
import { goldenReport } from '../report/fixtures.js';
import { withoutPrivilege } from '../support/without-privilege.js';

const FORMATS = new URL('../../dist/formats.js', import.meta.url).href;
const place = useWorkplace();
let folder = place.newFolder();
const file = () => folder.file('data/report.json');
beforeEach(() => {
  folder = place.newFolder();
  mkdirSync(folder.file('data'));
});

/** Writes a report from a process of its own, behind a prefix that takes something from it. */
function writeIn(prefix: string[]): { failure?: string; file?: string } {
  writeFileSync(folder.file('report.json'), formatJson({ ...goldenReport(), projectName: 'x'.repeat(8192) }));
  const script = `
    import { readFileSync } from 'node:fs';
    import { writeReport } from ${JSON.stringify(FORMATS)};
    const report = JSON.parse(readFileSync('report.json', 'utf8'));
    try {
      console.log(JSON.stringify(writeReport(report, 'data/report.json')));
    } catch (error) {
      console.log(JSON.stringify({ failure: error.message }));
    }`;
  const [command = '', ...args] = [...prefix, process.execPath, '--input-type=module', '--eval', script];
  const ended = spawnSync(command, args, { cwd: folder.path, encoding: 'utf8' });
  expect(ended.status, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout);
}

describe.runIf(process.platform !== 'win32')('a report in place of another', () => {
  it.each([0o600, 0o640, 0o666, 0o777])('keeps its mode, %o', (mode) => {
    writeFileSync(file(), 'old');
    chmodSync(file(), mode);
    writeReport(goldenReport(), file());
    expect(readFileSync(file(), 'utf8')).not.toBe('old');
    expect(statSync(file()).mode & 0o7777).toBe(mode);
  });

  it('leaves the other whole where it may not become so large', () => {
    writeFileSync(file(), 'old');
    const limited = ['bash', '-c', `trap '' XFSZ; ulimit -f 4; exec "$@"`, 'limited'];
    expect(writeIn(limited).failure).toContain('EFBIG');
    expect(readFileSync(file(), 'utf8')).toBe('old');
    expect(readdirSync(folder.file('data'))).toEqual(['report.json']);
  });

  const prefix = withoutPrivilege();
  it.skipIf(prefix === undefined)('is written in place where its folder takes no other file', () => {
    writeFileSync(file(), 'old');
    chmodSync(folder.file('data'), 0o555);
    const written = writeIn(prefix ?? []);
    chmodSync(folder.file('data'), 0o755);
    expect(written).toEqual({ file: 'data/report.json' });
    expect(JSON.parse(readFileSync(file(), 'utf8')).projectName).toHaveLength(8192);
  });
});
