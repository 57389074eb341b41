// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../lib/core/report-types.js';
import { formatHtml } from '../../lib/format/html/index.js';
import { formatJson } from '../../lib/format/json.js';
import { formatMarkdown } from '../../lib/format/markdown.js';
import { formatModelCard } from '../../lib/format/model-card.js';
import { formatText } from '../../lib/format/text.js';
import { buildReport } from '../../lib/report/build.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { germanContext, goldenReport, schemaErrors, serverMeasurement } from '../report/fixtures.js';
import { channel, header } from '../stream/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { on, useWorkplace, zone } from './fixtures.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const place = useWorkplace();
const golden = goldenReport();
const server = buildReport(serverMeasurement, germanContext);

/** A folder with the two reports in it. */
function folderOfTwo() {
  const folder = place.newFolder();
  writeFileSync(folder.file('golden.json'), formatJson(golden));
  writeFileSync(folder.file('server.json'), formatJson(server));
  return folder;
}

/** Pipes a file into the command, which reads it as /dev/stdin: Node's own pipes are sockets there. */
async function piped(file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const script = 'file=$1; shift; cat "$file" | "$@"';
  const all = ['-c', script, 'sh', file, process.execPath, MAIN, ...args];
  const child = spawn('sh', all, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout: out, stderr: err };
}

describe.skipIf(process.platform === 'win32')('a pipe (needs /dev/stdin: not on Windows)', () => {
  it('is read as a report', async () => {
    const folder = folderOfTwo();
    const { stdout, stderr } = await piped(folder.file('golden.json'), 'report', '--json', '/dev/stdin');
    expect([stdout, stderr]).toEqual([formatJson(golden), '']);
  });

  it.each([
    '',
    '.gz',
  ])('is read as a trace, and refused as the report of one, with what to do (%s)', async (ending) => {
    const file = place.newFolder().file(`run.jsonl${ending}`);
    const rows = Array.from({ length: 20_000 }, (_, i) =>
      encodeRecord({ type: 'row', timeNs: i * 1e9, energyJoules: [20 * i] }),
    );
    const lines = [encodeRecord(header([channel('p')])), ...rows].join('');
    writeFileSync(file, ending === '' ? lines : gzipSync(lines));
    const { stdout, stderr } = await piped(file, 'trace', '/dev/stdin');
    expect(stdout).toBe((await runCli(['trace', file])).stdout);
    expect(stdout).toContain('20000 rows');
    expect(stderr).toBe('');
    const refused = await piped(file, 'report', '/dev/stdin');
    expect(refused.stderr).toMatch(/is a trace[\s\S]*where it is a file, not through a pipe/);
  });
});

describe.concurrent('microjoule report', () => {
  it('writes every format of one report, the same as its first', async () => {
    const folder = folderOfTwo();
    const outputs = ['r.md', 'r.html', 'r.json', 'r.txt', 'r.yaml', 'r.csv'].flatMap((name) => ['-o', name]);
    const { exitCode, stdout, stderr } = await runCli(['report', 'golden.json', ...outputs], {
      cwd: folder.path,
    });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(folder.read('r.md')).toBe(formatMarkdown(golden));
    expect(folder.read('r.html')).toBe(formatHtml(golden));
    expect(folder.read('r.json')).toBe(formatJson(golden));
    expect(folder.read('r.txt')).toBe(formatText(golden));
    expect(folder.read('r.yaml')).toBe(formatModelCard(golden));
    expect(folder.read('r.csv').split('\n')).toHaveLength(3);
  });

  it('shows the text without -o, and JSON with --json', async () => {
    const folder = folderOfTwo();
    const { stdout } = await runCli(['report', 'golden.json'], { cwd: folder.path });
    expect(stdout).toBe(formatText(golden));
    const json = await runCli(['report', 'golden.json', '--json'], { cwd: folder.path });
    expect(json.stdout).toBe(formatJson(golden));
  });

  it('adds several up', async () => {
    const folder = folderOfTwo();
    const args = ['report', 'golden.json', 'server.json', '--json', '--project-name', 'both'];
    const { stdout } = await runCli(args, { cwd: folder.path });
    const merged = JSON.parse(stdout) as Report;
    expect(schemaErrors(merged)).toEqual([]);
    expect(merged.projectName).toBe('both');
    expect(merged.merged?.map((run) => run.projectName)).toEqual(['cifar10-cnn', 'server']);
    expect(merged.emissionsKg).toBeCloseTo(golden.emissionsKg + server.emissionsKg, 12);
  });

  it('puts the emissions into a model card, which keeps its mode and stays a link', async () => {
    const folder = folderOfTwo();
    mkdirSync(folder.file('card'));
    writeFileSync(folder.file('card/README.md'), '---\nlicense: mit\n---\n\n# Mine\n');
    chmodSync(folder.file('card/README.md'), 0o640);
    symlinkSync('card/README.md', folder.file('README.md'));
    const { exitCode } = await runCli(['report', 'golden.json', '--model-card', 'README.md'], {
      cwd: folder.path,
    });
    expect(exitCode).toBe(0);
    expect(folder.read('card/README.md')).toBe(
      `---\nlicense: mit\n${formatModelCard(golden)}---\n\n# Mine\n`,
    );
    expect(statSync(folder.file('card/README.md')).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder.file('card'))).toEqual(['README.md']);
  });

  it('leaves a model card alone that it cannot edit, and writes the rest', async () => {
    const folder = folderOfTwo();
    writeFileSync(folder.file('README.md'), '---\na: [1\n---\n');
    const args = ['report', 'golden.json', '--model-card', 'README.md', '-o', 'r.md'];
    const { exitCode, stderr } = await runCli(args, { cwd: folder.path });
    expect(exitCode).toBe(125);
    expect(stderr).toContain('the front matter of README.md cannot be edited');
    expect(folder.read('README.md')).toBe('---\na: [1\n---\n');
    expect(folder.read('r.md')).toContain('# CO2 Emission Report');
  });

  it.each<[string, string[], string]>([
    ['a file that is not there', ['gone.json'], 'cannot read gone.json as a report'],
    ['a file that is not JSON', ['text.json'], 'cannot read text.json as a report'],
    ['other JSON', ['other.json'], 'other.json is no report of microjoule: /schema is missing'],
    [
      'a damaged report',
      ['damaged.json'],
      'damaged.json is no report of microjoule: /energy/energyJoules must be',
    ],
    ['a run twice', ['golden.json', 'golden.json'], 'was given twice'],
    ['an unknown extension', ['golden.json', '-o', 'x.pdf'], '"x.pdf" has no known extension'],
    ['no file', [], "missing required argument 'file'"],
  ])('refuses %s', async (_, args, message) => {
    const folder = folderOfTwo();
    writeFileSync(folder.file('text.json'), 'hello');
    writeFileSync(folder.file('other.json'), '{"a":1}');
    writeFileSync(
      folder.file('damaged.json'),
      JSON.stringify({ ...golden, energy: { ...golden.energy, energyJoules: '5' } }),
    );
    const { exitCode, stderr } = await runCli(['report', ...args], { cwd: folder.path });
    expect(exitCode).toBe(125);
    expect(stderr).toContain(message);
  });
});

describe.concurrent('microjoule run', () => {
  it('writes HTML, YAML, text and a model card', async () => {
    const folder = place.newFolder();
    const machine = place.machine(zone('intel-rapl:0', 'package-0'));
    const outputs = ['r.html', 'r.yml', 'r.txt'].flatMap((name) => ['-o', name]);
    const args = ['run', '-q', ...on(machine), ...outputs, '--model-card', 'README.md', '--', 'true'];
    const { exitCode, stderr } = await runCli(args, { cwd: folder.path });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(folder.read('r.html')).toMatch(/^<!doctype html>/);
    expect(folder.read('r.txt')).toContain('CO2 emission report');
    expect(folder.read('README.md')).toBe(`---\n${folder.read('r.yml')}---\n`);
  });
});

describe('runs of one machine at the same time', () => {
  it('are not added up without a word', async () => {
    const folder = place.newFolder();
    const flags = ['run', ...on(place.machine(zone('intel-rapl:0', 'package-0'))), '--duration', '0.2', '-q'];
    const files = ['a.json', 'b.json'].map((name) => folder.file(name)) as [string, string];
    await runCli([...flags, '-o', files[0]]);
    const other: Report = {
      ...JSON.parse(readFileSync(files[0], 'utf8')),
      runId: 'another at the same time',
    };
    writeFileSync(files[1], formatJson(other));
    const sum = folder.file('sum.json');
    const { exitCode, stderr } = await runCli(['report', ...files, '-o', sum]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('microjoule: The sum is too high');
    const report = JSON.parse(readFileSync(sum, 'utf8')) as Report;
    expect(report.warnings.map(({ code }) => code)).toContain('machine-counted-twice');
  });
});
