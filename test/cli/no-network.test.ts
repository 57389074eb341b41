// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { useWorkplace } from './fixtures.js';

const place = useWorkplace();
const WATCH = fileURLToPath(new URL('../support/network-watch.cjs', import.meta.url));
const INDEX = new URL('../../dist/index.js', import.meta.url).href;

/** The environment of a process that is watched, and what it did. */
function watched() {
  const folder = place.newFolder();
  const log = folder.file('network.txt');
  return {
    folder,
    env: { NODE_OPTIONS: `--require ${WATCH}`, NETWORK_WATCH: log },
    uses: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

describe('the network', () => {
  it('is not touched by a run with every output, nor by a report of it, a doctor or a list of counters', async () => {
    const { folder, env, uses } = watched();
    const outputs = ['r.md', 'r.html', 'r.json', 'r.csv', 'r.yaml'].flatMap((name) => ['-o', name]);
    const run = await runCli(['run', '-q', ...outputs, '--model-card', 'README.md', '--duration', '0.1'], {
      cwd: folder.path,
      env,
    });
    expect(run.exitCode).toBe(0);
    for (const args of [['report', 'r.json', '-o', 'again.html'], ['counters']]) {
      expect((await runCli(args, { cwd: folder.path, env })).exitCode).toBe(0);
    }
    expect(uses()).toEqual([]);
  });

  it('is not touched by the tracker', () => {
    const { folder, env, uses } = watched();
    const script = `
      import { EmissionsTracker, OfflineEmissionsTracker } from ${JSON.stringify(INDEX)};
      const options = { output: ['r.html', 'emissions.csv'], trackingMode: 'process', onMeasure() {} };
      for (const Tracker of [EmissionsTracker, OfflineEmissionsTracker]) {
        const tracker = new Tracker({ ...options, ...(Tracker === EmissionsTracker ? {} : { countryIsoCode: 'FRA' }) });
        tracker.start();
        await tracker.trackTask('one', () => {});
        await tracker.flush();
        await tracker.stop();
      }`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder.path,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(uses()).toEqual([]);
  });

  it('is touched by a tracker with an endpoint, and by nothing but that', () => {
    const { folder, env, uses } = watched();
    const script = `
      import { EmissionsTracker } from ${JSON.stringify(INDEX)};
      await new EmissionsTracker({ output: [], emissionsEndpoint: 'http://127.0.0.1:59999/' }).start().stop();`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder.path,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('could not be sent');
    expect(uses().join(' ')).toContain('TCP');
  });

  it('is touched when the metadata service is asked for, which shows that the watch sees', async () => {
    const { folder, env, uses } = watched();
    const roots = ['--sysfs', folder.path, '--run-folder', folder.path];
    const args = ['run', '-q', ...roots, '--cloud-metadata', '--duration', '0.1'];
    expect((await runCli(args, { cwd: folder.path, env })).exitCode).toBe(0);
    expect(uses().join(' ')).toContain('TCP');
  });
});
