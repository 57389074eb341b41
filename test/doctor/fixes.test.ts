// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../lib/core/vocabulary.js';
import type { Fix } from '../../lib/doctor/diagnosis.js';
import type { Facts } from '../../lib/doctor/facts.js';
import { fixesFor } from '../../lib/doctor/fixes.js';
import { type FoundSource, judgeSources } from '../../lib/doctor/sources.js';
import { context, EPYC, GUEST, inDocker, inKubernetes, inLxc, inPodman } from './fixtures.js';

const STATUSES: Status[] = [
  'ok',
  'not-found',
  'no-permission',
  'masked',
  'virtualised',
  'not-supported',
  'stale',
  'implausible',
  'failed',
  'addon-missing',
];
const SOURCES = ['perf', 'powercap', 'msr', 'perf-core', 'msr-core', 'nvml', 'native', 'something-new'];
const PLACES: [string, Partial<Facts>][] = [
  ['on bare metal', {}],
  ['in a virtual machine', { cpuModalias: GUEST }],
  ['in docker', inDocker],
  ['in a pod', inKubernetes],
  ['in podman', { ...inPodman, isRoot: true, userName: 'root' }],
  ['in LXC', { ...inLxc, distribution: 'alpine' }],
  ['on Alpine', { distribution: 'alpine' }],
  ['as root on old Ubuntu', { distribution: 'ubuntu debian', isRoot: true, kernelRelease: '5.4.0-1' }],
  ['on AMD', { cpuModalias: EPYC, packageWritable: false, perfEventParanoid: 4 }],
  ['on an unknown machine', { cpuModalias: '', distribution: '', dev: '/dev' }],
];

const found = (source: string, status: Status, detail = ''): FoundSource => ({
  source,
  status,
  detail,
  counters: [],
});

/** Everything that can be asked for on all of these machines. */
const every: [string, Fix][] = PLACES.flatMap(([place, changes]) =>
  SOURCES.flatMap((source) =>
    STATUSES.flatMap((status) =>
      fixesFor(source, status, context({ nvidiaGpus: ['NVIDIA A100'], ...changes })).map(
        (fix): [string, Fix] => [`${source} ${status} ${place}`, fix],
      ),
    ),
  ),
);
const flat = (fixes: readonly Fix[]): string =>
  fixes.map(({ title, commands, why }) => [title, ...commands, why].join('\n')).join('\n');

describe.each(PLACES)('%s', (_, changes) => {
  it('has a sentence for every status of every source', () => {
    for (const source of SOURCES) {
      for (const status of STATUSES) {
        const [judged] = judgeSources([found(source, status)], context(changes));
        expect(judged?.reason, `${source} ${status}`).toMatch(/^\S.*[.!?]$/);
        expect(judged?.status).toBe(status === 'ok' ? 'not-found' : status);
      }
    }
  });
});

describe('every fix', () => {
  it('is whole', () => {
    expect(every.length).toBeGreaterThan(40);
    for (const [name, { title, commands, why, holds }] of every) {
      expect(title, name).toMatch(/^[A-Z].+[^.]$/);
      expect(commands.length, name).toBeGreaterThan(0);
      expect(why, name).toMatch(/^\S.{20,}[.!?]$/);
      expect(['lasting', 'until-restart', 'until-it-ends', 'changes-nothing']).toContain(holds);
    }
  });

  it('has lines of at most 74 columns, so that a terminal of 80 shows them whole', () => {
    const long = every.flatMap(([name, { commands }]) =>
      commands.flatMap((command) => command.split('\n')).filter((line) => line.length > 74 && name !== ''),
    );
    expect([...new Set(long)]).toEqual([]);
  });

  it('never opens energy to all, and never gives node a capability', () => {
    for (const [name, { commands }] of every) {
      expect(commands.join('\n'), name).not.toMatch(/a\+r|o\+r|setcap|0?444/);
    }
  });

  it('is what a shell takes, but for lines of settings', () => {
    const commands = [...new Set(every.flatMap(([, fix]) => fix.commands))].filter(
      (command) => !/^\[Service\]|^#.*\n/.test(command),
    );
    expect(commands.length).toBeGreaterThan(15);
    for (const command of commands) {
      const { stderr } = spawnSync('bash', ['-n', '-c', command], { encoding: 'utf8' });
      expect(stderr, command).toBe('');
    }
  });
});

describe('powercap', () => {
  it('is opened to a group by a udev rule, and says why', () => {
    const [fix, ...others] = fixesFor('powercap', 'no-permission', context());
    expect(others).toEqual([]);
    expect(fix?.holds).toBe('lasting');
    expect(fix?.why).toMatch(/PLATYPUS, CVE-2020-8694.*never chmod a\+r/);
    expect(fix?.commands).toContain('sudo usermod --append --groups power ana');
    expect(fix?.commands).toContain('sudo udevadm control --reload');
    const write = fix?.commands.find((command) => command.startsWith('printf')) ?? '';
    const run = write.replace(/\|\n.*sudo tee \/etc\/udev\/rules.d\/70-microjoule-rapl.rules$/, '');
    const { stdout } = spawnSync('sh', ['-c', run], { encoding: 'utf8' });
    expect(stdout).toBe(
      [
        'SUBSYSTEM=="powercap", KERNEL=="intel-rapl*:*", \\',
        '  RUN+="/bin/chgrp power /sys/%p/energy_uj", \\',
        '  RUN+="/bin/chmod g+r /sys/%p/energy_uj"',
        '',
      ].join('\n'),
    );
  });

  it('is opened on the host, and the group handed on, for a container', () => {
    const fixes = fixesFor('powercap', 'no-permission', context(inDocker));
    expect(fixes.map(({ title }) => title)).toEqual([
      expect.stringMatching(/^On the host/),
      expect.stringContaining('group'),
    ]);
    expect(flat(fixes)).toContain('--group-add "$(getent');
    // The container's user is none of the host's, and gets the group by its number.
    expect(flat(fixes)).not.toMatch(/usermod|newgrp|\bana\b/);
    const podman = flat(fixesFor('powercap', 'no-permission', context(inPodman)));
    expect(podman).toContain('--group-add keep-groups');
    expect(podman).not.toContain('getent');
  });

  it('is opened with the tools of Alpine', () => {
    const commands = fixesFor('powercap', 'no-permission', context({ distribution: 'alpine' }))[0]?.commands;
    expect(commands?.slice(0, 4)).toEqual([
      'doas addgroup -S power',
      'doas adduser ana power',
      'doas apk add eudev',
      'doas setup-devd udev',
    ]);
    expect(commands?.join('\n')).not.toMatch(/sudo|newgrp/);
  });

  it('is mounted where a container masks it', () => {
    for (const place of [inDocker, {}]) {
      const [fix] = fixesFor('powercap', 'masked', context(place));
      expect(fix?.commands[0]).toMatch(/-v \/sys:\/host\/sys:ro[\s\S]*MICROJOULE_SYSFS=\/host\/sys/);
    }
    expect(flat(fixesFor('powercap', 'masked', context(inKubernetes)))).toContain('hostPath: { path: /sys }');
  });

  it('is mounted in words where the engine has no flags', () => {
    const [fix] = fixesFor('powercap', 'masked', context(inLxc));
    expect(fix?.commands.join('\n')).not.toContain('docker');
    expect(fix?.commands[0]).toMatch(/^# in the container's settings: bind/);
  });

  it('is of another module on old kernels', () => {
    const at = (kernelRelease: string, cpuModalias?: string) =>
      flat(
        fixesFor(
          'powercap',
          'not-found',
          context({ kernelRelease, ...(cpuModalias ? { cpuModalias } : {}) }),
        ),
      );
    expect(at('5.2.0')).toMatch(/modprobe intel_rapl\n/);
    expect(at('5.4.0', EPYC)).toBe('');
    expect(at('5.11.0', EPYC)).toContain('intel_rapl_msr');
  });

  it('is loaded on bare metal only', () => {
    expect(flat(fixesFor('powercap', 'not-found', context()))).toContain('modprobe intel_rapl_msr');
    expect(fixesFor('powercap', 'not-found', context({ cpuModalias: GUEST }))).toEqual([]);
    expect(fixesFor('powercap', 'not-found', context({ architecture: 'arm64' }))).toEqual([]);
    const [judged] = judgeSources([found('powercap', 'not-found')], context({ cpuModalias: GUEST }));
    expect(judged?.reason).toMatch(/Nothing can be done.*QEMU 9\.1.*estimates/);
  });
});

describe('the energy of single cores', () => {
  it('is AMD’s: elsewhere there is nothing to do', () => {
    for (const name of ['perf-core', 'msr-core']) {
      expect(fixesFor(name, 'no-permission', context())).toEqual([]);
      expect(fixesFor(name, 'no-permission', context({ cpuModalias: EPYC })).length).toBeGreaterThan(0);
      expect(fixesFor(name, 'not-found', context({ cpuModalias: EPYC }))).toEqual([]);
      const [judged] = judgeSources([found(name, 'not-found')], context());
      expect(judged).toMatchObject({ needed: false, reason: expect.stringContaining('Only AMD') });
    }
  });
});

describe('NVML', () => {
  it('needs nothing where there is no GPU', () => {
    const [judged] = judgeSources([found('nvml', 'not-found')], context());
    expect(judged).toMatchObject({ fixes: [], needed: false });
    expect(judged?.reason).toContain('nothing is missing');
  });

  it('needs its driver, or the container the GPUs', () => {
    const gpu = { nvidiaGpus: ['NVIDIA A100'] };
    expect(flat(fixesFor('nvml', 'not-found', context(gpu)))).toContain('apt-get install nvidia-driver');
    expect(flat(fixesFor('nvml', 'not-found', context({ ...gpu, ...inDocker })))).toContain('--gpus all');
    expect(flat(fixesFor('nvml', 'not-found', context({ ...gpu, ...inPodman })))).toContain(
      '--device nvidia.com/gpu=all',
    );
    const on = (distribution: string) =>
      flat(fixesFor('nvml', 'not-found', context({ ...gpu, distribution })));
    expect(on('ubuntu debian')).toContain('sudo ubuntu-drivers install');
    expect(on('debian')).toContain('non-free');
    expect(on('fedora')).toContain('RPM Fusion');
  });
});

describe('the addon', () => {
  it('is compiled with what the distribution needs for it', () => {
    const commands = (changes: Partial<Facts>) =>
      fixesFor('native', 'addon-missing', context(changes))[0]?.commands;
    const build = (sudo = '') => `(cd '/srv/app/node_modules/microjoule' &&\n  ${sudo}npx node-gyp-build)`;
    expect(commands({})).toEqual(['sudo apt-get install g++ make python3', build()]);
    expect(commands({ packageWritable: false })?.[1]).toBe(build('sudo '));
    expect(commands({ distribution: 'alpine' })?.[0]).toBe('doas apk add g++ make python3');
    expect(commands({ distribution: 'rocky rhel centos fedora' })?.[0]).toContain('dnf install gcc-c++');
    expect(commands({ isRoot: true, ...inDocker })?.[0]).toBe('apt-get install g++ make python3');
    expect(commands({ packagePath: "/src/ana's" })?.[1]).toContain("(cd '/src/ana'\\''s' &&");
  });

  it('is let in where Node was told not to', () => {
    const commands = (noAddons: 'arguments' | 'environment') =>
      fixesFor('native', 'addon-missing', context({ noAddons }))[0]?.commands;
    expect(commands('environment')).toEqual(['unset NODE_OPTIONS']);
    expect(commands('arguments')).toEqual([
      "node '/srv/app/node_modules/microjoule/dist/cli/main.js' doctor",
    ]);
  });
});

it('asks for the user by name, and for another than root', () => {
  const asRoot = context({ isRoot: true, userName: 'root' });
  expect(flat(fixesFor('powercap', 'no-permission', asRoot))).toContain('power YOUR_USER');
});

it('names no user of the container to the host, and says which one to root', () => {
  expect(flat(fixesFor('nvml', 'no-permission', context({ isRoot: true })))).toContain('video YOUR_USER');
  const asRoot = flat(fixesFor('perf', 'no-permission', context({ isRoot: true })));
  expect(asRoot).toContain('--reuid "$(id -u YOUR_USER)"');
});
