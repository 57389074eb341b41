// SPDX-License-Identifier: MIT
//
// Output that has no room.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const NOWHERE = ['--sysfs', '/nonexistent', '--dev', '/nonexistent', '--nvml-library', '/nonexistent'];
const RUN = ['run', ...NOWHERE, '--cpu-watts', '10', '--duration', '0.1'];
const FULL = '/dev/full';

let folder: string;
let report: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-stdout-'));
  report = path.join(folder, 'run.json');
  await runCli([...RUN, '-o', report, '--trace', path.join(folder, 'run.jsonl')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function into(file: string, args: string[]) {
  const stdout = openSync(file, 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', stdout, 'pipe'],
      encoding: 'utf8',
    });
    return { status, stderr };
  } finally {
    closeSync(stdout);
  }
}

describe.runIf(existsSync(FULL))('stdout without room', () => {
  it('is a failure of a run, whose report is on stderr then', () => {
    const { status, stderr } = into(FULL, [...RUN, '-q', '--json']);
    expect(status).toBe(125);
    expect(stderr).toContain('CO2 emission report');
    expect(stderr).toContain('microjoule: cannot write to stdout (ENOSPC)');
  });

  it("leaves a failed command's exit code alone", () => {
    const { status, stderr } = into(FULL, [
      ...['run', ...NOWHERE, '--cpu-watts', '10'],
      ...['--json', '--', 'sh', '-c', 'exit 3'],
    ]);
    expect(status).toBe(3);
    expect(stderr).toContain('cannot write to stdout');
  });

  it.each([
    ['report', () => [report]],
    ['report', () => [report, '--json']],
    ['trace', () => [path.join(folder, 'run.jsonl')]],
    ['counters', () => NOWHERE],
    ['counters', () => [...NOWHERE, '--json']],
    ['doctor', () => [...NOWHERE, '--json']],
  ])('is a failure of %s', (command, args) => {
    const { status, stderr } = into(FULL, [command, ...args()]);
    expect(status).toBe(125);
    expect(stderr).toContain('microjoule: cannot write to stdout (ENOSPC)\nThe disk is full.');
  });

  it('is a failure of a benchmark, whose results are on stderr then', () => {
    const { status, stderr } = into(FULL, [
      'bench',
      ...NOWHERE,
      '--allow-estimates',
      '--runs',
      '2',
      '--warmup',
      '0',
      'sleep 0.01',
    ]);
    expect(stderr).toContain('cannot write to stdout (ENOSPC)');
    expect(stderr).toContain('sleep 0.01');
    expect(status).toBe(125);
  });
});

describe('a disk with room for a part', () => {
  const disk = mountTinyDisk(16);
  afterAll(() => disk?.unmount());

  it.runIf(disk !== undefined)('is told, too', () => {
    const file = path.join(disk?.folder ?? '', 'run.json');
    // Leaves one page, less than a report.
    writeFileSync(path.join(disk?.folder ?? '', 'filler'), Buffer.alloc(12 << 10));
    const { status, stderr } = into(file, [...RUN, '--json']);
    expect(readFileSync(file, 'utf8')).not.toBe('');
    expect(status).toBe(125);
    expect(stderr).toContain('cannot write to stdout (ENOSPC)');
  });
});

it('is no failure when the reader goes away', () => {
  const line = `set -o pipefail; "$0" "$1" report "$2" | true`;
  const { status, stderr } = spawnSync('bash', ['-c', line, process.execPath, MAIN, report], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
