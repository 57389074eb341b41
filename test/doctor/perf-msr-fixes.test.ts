// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../lib/core/vocabulary.js';
import type { Fix } from '../../lib/doctor/diagnosis.js';
import type { Facts } from '../../lib/doctor/facts.js';
import { fixesFor } from '../../lib/doctor/fixes.js';
import { type FoundSource, judgeSources } from '../../lib/doctor/sources.js';
import { context, EPYC, inDocker, inKubernetes, inLxc, inPodman } from './fixtures.js';

const found = (source: string, status: Status, detail = ''): FoundSource => ({
  source,
  status,
  detail,
  counters: [],
});
const flat = (fixes: readonly Fix[]): string =>
  fixes.map(({ title, commands, why }) => [title, ...commands, why].join('\n')).join('\n');

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
