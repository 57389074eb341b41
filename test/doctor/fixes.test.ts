// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../lib/core/vocabulary.js';
import type { Fix } from '../../lib/doctor/diagnosis.js';
import type { Facts } from '../../lib/doctor/facts.js';
import { fixesFor } from '../../lib/doctor/fixes.js';
import { type FoundSource, judgeAfterTest, judgeSources } from '../../lib/doctor/sources.js';
import { context, counter, EPYC, GUEST, inDocker, inKubernetes } from './fixtures.js';

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
    for (const [name, { title, commands, why, lasting }] of every) {
      expect(title, name).toMatch(/^[A-Z].+[^.]$/);
      expect(commands.length, name).toBeGreaterThan(0);
      expect(why, name).toMatch(/^\S.{20,}[.!?]$/);
      expect(typeof lasting).toBe('boolean');
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
    expect(fix?.lasting).toBe(true);
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
    expect(flat(fixes)).toContain('--group-add');
  });

  it('is mounted where a container masks it', () => {
    for (const place of [inDocker, {}]) {
      const [fix] = fixesFor('powercap', 'masked', context(place));
      expect(fix?.commands[0]).toMatch(/-v \/sys:\/host\/sys:ro[\s\S]*MICROJOULE_SYSFS=\/host\/sys/);
    }
    expect(flat(fixesFor('powercap', 'masked', context(inKubernetes)))).toContain('hostPath: { path: /sys }');
  });

  it('is loaded on bare metal only', () => {
    expect(flat(fixesFor('powercap', 'not-found', context()))).toContain('modprobe intel_rapl_msr');
    expect(fixesFor('powercap', 'not-found', context({ cpuModalias: GUEST }))).toEqual([]);
    expect(fixesFor('powercap', 'not-found', context({ architecture: 'arm64' }))).toEqual([]);
    const [judged] = judgeSources([found('powercap', 'not-found')], context({ cpuModalias: GUEST }));
    expect(judged?.reason).toMatch(/Nothing can be done.*QEMU 9\.1.*estimates/);
  });
});

describe('perf', () => {
  it('names the level that it found', () => {
    const [first, second, third] = fixesFor('perf', 'no-permission', context({ perfEventParanoid: 4 }));
    expect(first?.title).toContain('from 4 to 0');
    expect(first?.commands[0]).toBe('sudo sysctl kernel.perf_event_paranoid=0');
    expect(first?.commands[1]).toContain('/etc/sysctl.d/');
    expect(second?.commands.join('\n')).toContain('AmbientCapabilities=CAP_PERFMON');
    expect(second?.why).toMatch(/Never give node itself.*NODE_OPTIONS/);
    expect(third?.commands[0]).toContain('--ambient-caps +perfmon');
    const [judged] = judgeSources([found('perf', 'no-permission')], context({ perfEventParanoid: 4 }));
    expect(judged?.reason).toContain('kernel.perf_event_paranoid is 4');
  });

  it('does not blame a level that allows it', () => {
    const at = context({ perfEventParanoid: 0 });
    expect(flat(fixesFor('perf', 'no-permission', at))).not.toContain('sysctl');
    expect(judgeSources([found('perf', 'no-permission')], at)[0]?.reason).toContain('security module');
  });

  it('asks for CAP_SYS_ADMIN before Linux 5.8', () => {
    const fixes = flat(fixesFor('perf', 'no-permission', context({ kernelRelease: '5.4.0-1' })));
    expect(fixes).toContain('CAP_SYS_ADMIN');
    expect(fixes).not.toContain('CAP_PERFMON');
  });

  it('is let into a container by one capability', () => {
    const [first] = fixesFor('perf', 'no-permission', context(inDocker));
    expect(first?.commands[0]).toContain('--cap-add PERFMON');
  });
});

describe('msr', () => {
  it('is loaded, then read through msr-safe rather than CAP_SYS_RAWIO', () => {
    expect(flat(fixesFor('msr', 'not-found', context()))).toContain('sudo modprobe msr');
    const titles = fixesFor('msr', 'no-permission', context()).map(({ title }) => title);
    expect(titles[0]).toContain('msr-safe');
    expect(titles[1]).toContain('CAP_SYS_RAWIO');
  });

  it('has nothing to type under lockdown, and says so', () => {
    const locked = context({ lockdown: 'integrity' });
    expect(fixesFor('msr', 'no-permission', locked)).toEqual([]);
    expect(judgeSources([found('msr', 'no-permission')], locked)[0]?.reason).toContain(
      'locked down (integrity)',
    );
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
  });
});

describe('the addon', () => {
  it('is compiled with what the distribution needs for it', () => {
    const commands = (changes: Partial<Facts>) =>
      fixesFor('native', 'addon-missing', context(changes))[0]?.commands;
    expect(commands({})).toEqual([
      'sudo apt-get install g++ make python3',
      'npm rebuild microjoule --ignore-scripts=false',
    ]);
    expect(commands({ distribution: 'alpine' })?.[0]).toBe('sudo apk add g++ make python3');
    expect(commands({ distribution: 'rocky rhel centos fedora' })?.[0]).toContain('dnf install gcc-c++');
    expect(commands({ packagePath: '/src/microjoule' })?.[1]).toContain('run build:native');
    expect(commands({ noAddons: true })).toEqual(['unset NODE_OPTIONS']);
  });
});

describe('judgeSources', () => {
  const zone = (status: Status, detail = '') => ({
    id: `powercap:${detail}`,
    domain: 'package' as const,
    device: 0,
    origin: '/sys/x',
    status,
    detail,
  });

  it('takes the status of the counters where all are lost', () => {
    const counters = [zone('no-permission', 'a may not be read'), zone('no-permission', 'b may not be read')];
    const [judged] = judgeSources([{ ...found('powercap', 'ok'), counters }], context());
    expect(judged?.status).toBe('no-permission');
    expect(judged?.reason).toBe('2 of 2 counters cannot be read. a may not be read.');
    expect(judged?.fixes).toHaveLength(1);
  });

  it('lets a source that says why speak for its counters, and says once what holds for all', () => {
    const lost = {
      ...found('perf', 'no-permission', 'refused'),
      counters: [zone('no-permission', 'refused, too')],
    };
    const open = context({ perfEventParanoid: 0 });
    expect(judgeSources([lost], open)[0]?.reason).toMatch(/^refused\. kernel/);
    const inGuest = judgeSources(
      [found('perf', 'not-found'), found('powercap', 'not-found'), found('msr', 'virtualised')],
      context({ cpuModalias: GUEST }),
    );
    expect(inGuest.filter(({ reason }) => reason.includes('QEMU'))).toHaveLength(1);
    expect(inGuest.every(({ reason }) => reason.includes('inside a virtual machine'))).toBe(true);
  });

  it('is ok where some can be read, and still helps the others', () => {
    const counters = [zone('ok'), zone('no-permission', 'b may not be read')];
    const [judged] = judgeSources([{ ...found('powercap', 'ok'), counters }], context());
    expect(judged).toMatchObject({ status: 'ok', needed: true, reason: 'b may not be read.' });
    expect(judged?.fixes).toHaveLength(1);
  });

  it('thinks again after the test', () => {
    const at = context({ cpuModalias: GUEST });
    const judged = judgeSources([{ ...found('powercap', 'ok'), counters: [zone('ok')] }], at);
    const still = counter({ moved: false, status: 'stale' });
    expect(judgeAfterTest(judged, [still], at)).toMatchObject([
      { status: 'stale', reason: expect.stringMatching(/does not move.*Virtual machines may list/) },
    ]);
    expect(judgeAfterTest(judged, [still, counter()], at)).toEqual(judged);
    expect(judgeAfterTest(judged, [], at)).toEqual(judged);
    const lost = counter({ moved: false, status: 'failed' });
    expect(judgeAfterTest(judged, [lost], at)[0]?.status).toBe('failed');
  });

  it('does not ask for what another source reads already', () => {
    const perf = { ...found('perf', 'ok'), counters: [zone('ok')] };
    const [, powercap, core] = judgeSources(
      [perf, found('powercap', 'no-permission'), found('perf-core', 'no-permission')],
      context(),
    );
    expect(powercap).toMatchObject({ needed: false, reason: expect.stringContaining('perf reads the same') });
    expect(core).toMatchObject({ needed: false, reason: expect.stringContaining('inside the packages') });
  });
});

it('asks for the user by name, and for another than root', () => {
  const asRoot = context({ isRoot: true, userName: 'root' });
  expect(flat(fixesFor('powercap', 'no-permission', asRoot))).toContain('power YOUR_USER');
});
