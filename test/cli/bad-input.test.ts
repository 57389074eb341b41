// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';

// One folder for all, so that the tests may run at the same time.
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-work-'));
  writeFileSync(path.join(folder, 'broken.json'), '{"name":');
  writeFileSync(path.join(folder, 'odd.json'), '{"licens":"MIT"}');
  writeFileSync(path.join(folder, 'list.json'), '[]');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('run refuses before the command starts', () => {
  it.concurrent.each([
    [['--country', 'Brasil'], 'Brazil (BR, BRA)'],
    [['--country', 'US', '--region', 'Califrnia'], 'California'],
    [['--sources', 'powrcap'], 'Known here: perf, powercap'],
    [['-r', '0'], 'whole number of at least 1'],
    [['--intensity', 'low'], 'number of at least 0'],
    [['--cpu-watts', 'Infinity'], 'number above 0'],
    [['--ram-model', 'per-stick'], 'per-gib, per-dimm'],
    [['--cloud-region', 'eu-west-1'], 'Give the provider as well'],
    [['--duration', '1'], 'Leave one of the two out'],
    [['--model', 'none.json'], 'cannot read none.json'],
    [['--model', 'broken.json'], 'not valid JSON'],
    [['--model', 'odd.json'], 'licence'],
    [['--model', 'list.json'], 'an array'],
    [['-o', 'report.pdf'], '.md, .html, .json, .txt, .yaml, .yml, .csv'],
    [['--nope'], "unknown option '--nope'"],
  ])('%j: %s', async (flags, message) => {
    const started = path.join(folder, `started-${flags.join()}`);
    const args = ['run', ...flags, '--', 'touch', started];
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: folder });
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
    expect(existsSync(started)).toBe(false);
    expect(stderr).toContain(message);
    // A second line says what to do.
    expect(stderr.trimEnd().split('\n').length).toBeGreaterThan(1);
  });
});

describe('microjoule refuses', () => {
  it.concurrent.each([
    [[], 'Usage: microjoule'],
    [['frob'], "unknown command 'frob'"],
    [['--nope'], "unknown option '--nope'"],
    [['run'], 'run -- COMMAND'],
  ])('%j: %s', async (args, message) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/microjoule run|microjoule --help|Commands:/);
  });
});

describe('help', () => {
  const global = [
    '--sysfs',
    '--dev',
    '--nvml-library',
    '--wake-gpus',
    '--sources',
    '--help',
    'MICROJOULE_SYSFS',
  ];

  it.concurrent.each([
    [['--help'], ['--version', 'run', 'counters']],
    [
      ['run', '--help'],
      '--output --json --repeat --duration --require --quiet --no-progress --project-name --run-id --model'
        .concat(' --country --region --intensity --cloud-provider --cloud-region --cpu-watts')
        .concat(' --ram-watts-per-gib --ram-model 125 126 127 nohup Examples')
        .split(' '),
    ],
    [['counters', '--help'], ['--json']],
  ])('%j tells every flag', async (args, words) => {
    const { stdout, stderr, exitCode } = await runCli(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const word of [...global, ...words]) expect(stdout).toContain(word);
  });

  it.concurrent.each(['--version', '-V'])('%s prints the version alone', async (flag) => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const { stdout, exitCode } = await runCli([flag]);
    expect({ stdout, exitCode }).toEqual({ stdout: `${manifest.version}\n`, exitCode: 0 });
  });
});
