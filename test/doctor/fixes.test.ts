// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../lib/core/vocabulary.js';
import type { Fix } from '../../lib/doctor/diagnosis.js';
import type { Facts } from '../../lib/doctor/facts.js';
import { fixesFor } from '../../lib/doctor/fixes.js';
import { type FoundSource, judgeSources } from '../../lib/doctor/sources.js';
import {
  context,
  counter,
  EPYC,
  GUEST,
  inDocker,
  inKubernetes,
  inLxc,
  inPodman,
  lostMeter,
} from './fixtures.js';

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

describe('perf', () => {
  it('names the level that it found', () => {
    const [first, second, third] = fixesFor('perf', 'no-permission', context({ perfEventParanoid: 4 }));
    expect(first?.title).toContain('from 4 to 0');
    expect(first?.commands[0]).toBe('sudo sysctl kernel.perf_event_paranoid=0');
    expect(first?.commands[1]).toContain('/etc/sysctl.d/');
    expect(second?.commands.join('\n')).toContain('AmbientCapabilities=CAP_PERFMON');
    expect(second?.why).toMatch(/Never give node itself.*NODE_OPTIONS/);
    // Old libcap-ng knows the number alone; the group need not have the user's name.
    expect(third?.commands[1]).toContain('--ambient-caps +cap_38');
    expect(third?.commands[1]).toContain('--reuid "$(id -u)"');
    expect(third?.commands[1]).toContain('--regid "$(id -g)"');
    expect(third?.commands[1]).toContain("'/srv/app/node_modules/microjoule/dist/cli/main.js' doctor");
    const [judged] = judgeSources([found('perf', 'no-permission')], context({ perfEventParanoid: 4 }));
    expect(judged?.reason).toContain('kernel.perf_event_paranoid is 4');
  });

  it('lowers the levels of Debian and Ubuntu first, where CAP_PERFMON is not asked', () => {
    const first = (changes: Partial<Facts>) =>
      fixesFor('perf', 'no-permission', context(changes))
        .filter(({ title }) => title.includes('CAP_'))
        .map(({ commands, why }) => ({ command: commands[0], isExplained: why.includes("Debian's") }));
    const lower = 'sudo sysctl kernel.perf_event_paranoid=2';
    for (const perfEventParanoid of [3, 4]) {
      expect(first({ perfEventParanoid })).toEqual([
        { command: lower, isExplained: true },
        { command: lower, isExplained: false },
      ]);
      for (const place of [inDocker, inPodman, inKubernetes]) {
        const inside = { command: `# on the host:\n${lower}`, isExplained: true };
        expect(first({ perfEventParanoid, ...place })).toEqual([inside]);
      }
    }
    for (const place of [{}, inDocker]) {
      expect(JSON.stringify(first({ perfEventParanoid: 2, ...place }))).not.toContain('sysctl');
    }
    // CAP_SYS_ADMIN passes at every level.
    expect(JSON.stringify(first({ kernelRelease: '5.4.0' }))).not.toContain('sysctl');
  });

  it('is not blamed on the level where a filter of system calls refuses', () => {
    const detail = 'power/energy-pkg/ may not be opened: kernel.perf_event_paranoid is above 0; set it to 0';
    for (const place of [inDocker, inPodman]) {
      expect(flat(fixesFor('perf', 'no-permission', context(place)))).not.toContain('paranoid=0');
      const [judged] = judgeSources([found('perf', 'no-permission', detail)], context(place));
      expect(judged?.reason).toMatch(/may not be opened\. The engine's filter.*whatever kernel/);
      expect(judged?.reason).not.toContain('above 0');
    }
    expect(flat(fixesFor('perf', 'no-permission', context(inKubernetes)))).toContain('paranoid=0');
    const [outside] = judgeSources([found('perf', 'no-permission', detail)], context());
    expect(outside?.reason.match(/paranoid/g)).toHaveLength(1);
  });

  it('takes root’s podman, and more of an older one', () => {
    const [fix, ...others] = fixesFor('perf', 'no-permission', context(inPodman));
    expect(others).toEqual([]);
    const [, now, before] = fix?.commands ?? [];
    expect(now).toMatch(/^sudo podman run \\\n {2}--cap-add PERFMON \\\n {2}YOUR_IMAGE$/);
    expect(before).toContain('--security-opt seccomp=unconfined');
  });

  it('may be hidden by a missing system call, or a missing folder', () => {
    const fixes = flat(fixesFor('perf', 'masked', context(inDocker)));
    expect(fixes).toContain('--cap-add PERFMON');
    expect(fixes).toContain('-v /sys:/host/sys:ro');
  });

  it('is of another module before Linux 5.8, and not AMD’s', () => {
    const old = { kernelRelease: '5.4.0-1' };
    expect(flat(fixesFor('perf', 'not-found', context(old)))).toContain('modprobe intel_rapl_perf');
    expect(fixesFor('perf', 'not-found', context({ ...old, cpuModalias: EPYC }))).toEqual([]);
    expect(flat(fixesFor('perf', 'not-found', context()))).toContain('modprobe rapl\n');
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
    expect(first?.commands[1]).toContain('--cap-add PERFMON');
    expect(first?.why).toContain('add --user 0');
    const [asRoot] = fixesFor('perf', 'no-permission', context({ ...inDocker, isRoot: true }));
    expect(asRoot?.why).not.toContain('--user 0');
  });
});

describe('msr', () => {
  it('is loaded, then read through msr-safe rather than CAP_SYS_RAWIO', () => {
    expect(flat(fixesFor('msr', 'not-found', context()))).toContain('sudo modprobe msr');
    const titles = fixesFor('msr', 'no-permission', context()).map(({ title }) => title);
    expect(titles[0]).toContain('msr-safe');
    expect(titles[1]).toContain('CAP_SYS_RAWIO');
  });

  it('lets the group open the nodes, and lists the registers', () => {
    const [safe, service, once] = fixesFor('msr', 'no-permission', context());
    expect(flat(safe ? [safe] : [])).toContain('0x606 0x611 0x619 0x639 0x641 0x64D');
    expect(flat(fixesFor('msr', 'no-permission', context({ cpuModalias: EPYC })))).toContain(
      '0xC0010299 0xC001029A 0xC001029B',
    );
    const write = service?.commands.find((command) => command.startsWith('printf')) ?? '';
    const { stdout } = spawnSync('sh', ['-c', write.replace(/\|\n.*$/, '')], { encoding: 'utf8' });
    expect(stdout).toBe('SUBSYSTEM=="msr", KERNEL=="msr[0-9]*", \\\n  GROUP="power", MODE="0640"\n');
    expect(service?.commands.at(-1)).toContain('SupplementaryGroups=power');
    expect(once?.commands).toContain('sudo chgrp power /dev/cpu/*/msr');
    expect(once?.commands.at(-1)).toContain('--regid power');
  });

  it('takes one device a socket in a container, and no privileged one', () => {
    for (const place of [inDocker, inPodman, inLxc]) {
      const fixes = flat(fixesFor('msr', 'no-permission', context(place)));
      expect(fixes).not.toContain('privileged');
      expect(fixes).toContain('/dev/cpu/56/msr');
    }
    const docker = fixesFor('msr', 'not-found', context(inDocker))[0]?.commands[0];
    expect(docker).toContain('--device /dev/cpu/0/msr:/dev/cpu/0/msr:r');
    expect(flat(fixesFor('msr', 'no-permission', context(inKubernetes)))).toContain('privileged: true');
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
    expect(inGuest.filter(({ reason }) => reason.includes('inside a virtual machine'))).toHaveLength(1);
    // Where one works there is no more to say.
    const one = judgeSources(
      [found('perf', 'not-found'), { ...found('msr', 'ok'), counters: [zone('ok')] }],
      context({ cpuModalias: GUEST }),
    );
    expect(one[0]?.reason).not.toContain('QEMU');
  });

  it('gives no advice that does not hold in a virtual machine', () => {
    const details = [
      'x: No such file, so the kernel offers none. On bare metal try modprobe a; in a container mount b',
      'x does not exist: load the driver with modprobe msr; in a container pass the devices in',
      'x does not exist: this is a virtual machine, which seldom has energy counters; measure on its host',
    ];
    for (const status of ['not-found', 'not-supported'] as const) {
      for (const detail of details) {
        const [judged] = judgeSources([found('powercap', status, detail)], context({ cpuModalias: GUEST }));
        expect(judged?.reason).toMatch(/^x.*(none|exist|counters)\. Nothing can be done/);
        expect(judged?.reason).not.toContain('modprobe');
        expect(judgeSources([found('powercap', status, detail)], context())[0]?.reason).toContain(detail);
      }
    }
  });

  it('is ok where some can be read, and still helps the others', () => {
    const counters = [zone('ok'), zone('no-permission', 'b may not be read')];
    const [judged] = judgeSources([{ ...found('powercap', 'ok'), counters }], context());
    expect(judged).toMatchObject({ status: 'ok', needed: true, reason: 'b may not be read.' });
    expect(judged?.fixes).toHaveLength(1);
  });

  it('thinks again after the test', () => {
    const at = context({ cpuModalias: GUEST });
    const readable = {
      ...found('powercap', 'ok'),
      counters: [{ ...zone('ok'), id: 'powercap:intel-rapl:0' }],
    };
    const afterTest = (...tests: Parameters<typeof judgeSources>[2] & object) =>
      judgeSources([readable], at, tests)[0];
    const still = counter({ moved: false, status: 'stale' });
    expect(afterTest(still)).toMatchObject({
      status: 'stale',
      reason: expect.stringMatching(/^It can be read, and does not move.*Virtual machines may list/),
    });
    expect(afterTest(counter())).toEqual(afterTest());
    expect(afterTest(counter({ moved: false, status: 'failed' }))?.status).toBe('failed');
  });

  it('asks for another source where the first was seen not to move', () => {
    const perf = { ...found('perf', 'ok'), counters: [{ ...zone('ok'), id: 'perf:energy-pkg:0' }] };
    const still = counter({ id: 'perf:energy-pkg:0', source: 'perf', moved: false, status: 'stale' });
    const sources = judgeSources([perf, found('powercap', 'no-permission')], context(), [still]);
    expect(sources[0]).toMatchObject({ status: 'stale' });
    expect(sources[1]).toMatchObject({ needed: true, reason: expect.not.stringContaining('Not needed') });
    expect(sources[1]?.fixes).toHaveLength(1);
  });

  it('asks for another source where it lists a meter that the first lost', () => {
    const perf = { ...found('perf', 'ok'), counters: [zone('ok'), zone('failed')] };
    const denied = found('powercap', 'no-permission');
    const needed = (sources: string[]) =>
      judgeSources([perf, denied], context(), [], [lostMeter({ sources })])[1]?.needed;
    expect(needed(['perf', 'powercap'])).toBe(true);
    expect(needed(['perf'])).toBe(false);
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

it('names no user of the container to the host, and says which one to root', () => {
  expect(flat(fixesFor('nvml', 'no-permission', context({ isRoot: true })))).toContain('video YOUR_USER');
  const asRoot = flat(fixesFor('perf', 'no-permission', context({ isRoot: true })));
  expect(asRoot).toContain('--reuid "$(id -u YOUR_USER)"');
});
