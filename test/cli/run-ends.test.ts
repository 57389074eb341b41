// SPDX-License-Identifier: MIT
import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ended, saying } from '../support/run-child-fixture.js';
import { runCli, spawnCli } from '../support/run-cli.js';
import { on, parseReport, useWorkplace, zone } from './fixtures.js';

const place = useWorkplace();
const runFlags = () => ['run', ...on(place.machine(zone('intel-rapl:0', 'package-0')))];
const REPORT = 'CO2 emission report';

// Loaded before the command, since a silent wait shows nothing of itself.
const TELLS_WHEN_LISTENING = `data:text/javascript,${encodeURIComponent(
  `process.on('newListener', (name) => {
    if (name === 'SIGTERM') setImmediate(() => process.stdout.write('listening'));
  })`,
)}`;

describe.concurrent('the exit code', () => {
  it.each([3, 125])('is %i as the command had it', async (code) => {
    const { exitCode, stderr } = await runCli([...runFlags(), '--', 'sh', '-c', `exit ${code}`]);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(REPORT);
    expect(stderr.replace(/\s+/g, ' ')).toContain(`exit code ${code}`);
  });

  it('is 127 for a command that does not exist, without a report', async () => {
    const { exitCode, stdout, stderr } = await runCli([...runFlags(), '--', 'microjoule-no-such-command']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 127, stdout: '' });
    expect(stderr).toBe(
      'microjoule: Command not found: "microjoule-no-such-command".\n' +
        'Check the spelling, and that its folder is in PATH.\n',
    );
  });

  it('is 126 for a file that is not executable', async () => {
    const folder = place.newFolder();
    const file = folder.file('script');
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o644);
    const { exitCode, stderr } = await runCli([...runFlags(), '-o', folder.file('r.json'), '--', file]);
    expect(exitCode).toBe(126);
    expect(stderr).toContain(`chmod +x ${file}`);
    expect(() => folder.read('r.json')).toThrow('ENOENT');
  });
});

describe.concurrent('a signal', () => {
  it.each(['TERM', 'KILL'])('SIG%s that ends the child ends us, after the report', async (name) => {
    const folder = place.newFolder();
    const args = [...runFlags(), '-o', folder.file('r.json'), '--', 'sh', '-c', `kill -${name} $$`];
    const { exitCode, signal, stderr } = await runCli(args);
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: `SIG${name}` });
    expect(stderr).toContain(`ended by SIG${name}`);
    const { command } = parseReport(folder.read('r.json'));
    expect(command).toMatchObject({ signal: `SIG${name}` });
    expect(command).not.toHaveProperty('exitCode');
  });

  it('SIGTERM to us reaches the child, which decides', async () => {
    const script = 'trap "echo trapped; exit 9" TERM; echo ready; while :; do sleep 0.02; done';
    const child = spawnCli([...runFlags(), '--', 'sh', '-c', script]);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill('SIGTERM');
    const { exitCode, signal, stdout, stderr } = await end;
    expect({ exitCode, signal, stdout }).toEqual({ exitCode: 9, signal: null, stdout: 'ready\ntrapped\n' });
    expect(stderr).toContain(REPORT);
  });

  it('SIGINT away from a terminal reaches the child; the report comes, and we die by it', async () => {
    const folder = place.newFolder();
    const script = 'echo ready; exec sleep 10';
    const child = spawnCli([...runFlags(), '-o', folder.file('r.md'), '--', 'sh', '-c', script]);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill('SIGINT');
    const { exitCode, signal, stderr } = await end;
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: 'SIGINT' });
    expect(stderr).toContain(REPORT);
    expect(stderr).toContain('ended by SIGINT');
    expect(folder.read('r.md')).toContain('# CO2 Emission Report');
  });

  it('ends the repetitions', async () => {
    const script = 'echo ready; exec sleep 10';
    const child = spawnCli([...runFlags(), '-r', '3', '--', 'sh', '-c', script]);
    const end = ended(child);
    await saying(child, 'ready');
    child.kill('SIGTERM');
    const { signal, stdout, stderr } = await end;
    expect({ signal, stdout }).toEqual({ signal: 'SIGTERM', stdout: 'ready\n' });
    expect(stderr).toContain('1 of 3 runs were made');
  });

  it.each([
    'SIGINT',
    'SIGTERM',
    'SIGHUP',
    'SIGQUIT',
  ] as const)('%s ends --duration early, with a report', async (name) => {
    const folder = place.newFolder();
    const args = [...runFlags(), '--duration', '60', '-o', folder.file('r.json')];
    // SIGQUIT may leave a core dump, in a folder that goes away.
    const child = spawnCli(args, {
      env: { NODE_OPTIONS: `--import ${TELLS_WHEN_LISTENING}` },
      cwd: folder.path,
    });
    const end = ended(child);
    await saying(child, 'listening');
    child.kill(name);
    const { exitCode, signal, stderr } = await end;
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: name });
    expect(stderr).toContain(REPORT);
    expect(parseReport(folder.read('r.json')).duration.durationSeconds).toBeLessThan(60);
  });
});
