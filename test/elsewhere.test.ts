// SPDX-License-Identifier: MIT
//
// Systems for which there is no addon here. The process is told that it runs on one before anything of the package is
// loaded, so this shows how the package goes on, and not what such a system does.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

describe.each(['darwin', 'freebsd', 'openbsd', 'sunos', 'aix'])('on %s', (platform) => {
  let folder: string;
  let preload: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-elsewhere-'));
    preload = path.join(folder, 'platform.mjs');
    writeFileSync(
      preload,
      `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
       Object.defineProperty(process, 'platform', { value: '${platform}' });
       os.platform = () => '${platform}';
       os.type = () => '${platform}';
       syncBuiltinESMExports();`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function microjoule(...args: string[]) {
    const { PREBUILDS_ONLY: _, ...inherited } = process.env;
    return spawnSync(process.execPath, ['--import', pathToFileURL(preload).href, MAIN, ...args], {
      cwd: folder,
      // What was compiled here is of this system.
      env: {
        ...inherited,
        PREBUILDS_ONLY: '1',
        MICROJOULE_SYSFS: folder,
        MICROJOULE_DEV: folder,
        NO_COLOR: '1',
      },
      encoding: 'utf8',
    });
  }

  it('counters says which are not there', () => {
    const { status, stdout, stderr } = microjoule('counters', '--json');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { sources } = JSON.parse(stdout);
    expect(sources.map(({ source, status: each }: Record<string, string>) => `${source} ${each}`)).toEqual([
      'native addon-missing',
      'perf not-supported',
      'powercap not-supported',
      'msr not-supported',
      'emi not-supported',
    ]);
    expect(sources[1].detail).toContain(`Linux has it and ${platform} has not`);
    expect(sources[0].detail).toContain(`${platform}-${process.arch}`);
  });

  it('a command runs and its energy is estimated', () => {
    const { status, stdout, stderr } = microjoule(
      'run',
      '--json',
      '--',
      process.execPath,
      '--eval',
      'process.exit(3)',
    );
    expect(status, stderr).toBe(3);
    const { components, energy, warnings } = JSON.parse(stdout);
    expect(['estimated', 'assumed']).toContain(components.cpu.kind);
    expect(energy).toMatchObject({ kind: components.cpu.kind, measuredJoules: 0 });
    expect(energy.energyJoules).toBeGreaterThan(0);
    expect(JSON.stringify([components, warnings])).toContain(`Linux has it and ${platform} has not`);
  });

  it('doctor says what is missing, and asks for nothing of Linux', () => {
    const { status, stdout } = microjoule('doctor');
    expect(status).toBe(1);
    expect(stdout).toContain(platform);
    expect(stdout).toMatch(/^native {2}addon-missing/m);
    expect(stdout).toMatch(/^emi {2}not-supported/m);
    expect(stdout).toMatch(/Reports\s+will be estimates/);
    expect(stdout.replace(/\s+/g, ' ')).not.toMatch(/perf_event_paranoid|\/etc\/udev|apt-get|setcap/);
  });
});
