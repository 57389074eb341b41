// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type Facts, parseLockdown } from '../../lib/doctor/facts.js';
import { hasRapl, judgeContainer, judgeHardware, judgeMachine } from '../../lib/doctor/machine.js';
import { EPYC, facts, GUEST, inDocker, inKubernetes, SAPPHIRE_RAPIDS } from './fixtures.js';

describe('judgeHardware', () => {
  it.each<[string, Partial<Facts>, string, RegExp]>([
    ['CPUID without a hypervisor', {}, 'bare-metal', /no hypervisor/],
    ['the hypervisor bit', { cpuModalias: GUEST, dmiVendor: 'QEMU' }, 'virtual-machine', /CPUID.*QEMU/],
    ['WSL', { kernelRelease: '5.15.167.4-microsoft-standard-WSL2' }, 'virtual-machine', /WSL/],
    ['Xen', { hypervisorType: 'xen' }, 'virtual-machine', /xen/],
    [
      'an Arm cloud',
      { cpuModalias: 'cpu:type:aarch64', dmiVendor: 'Amazon EC2', dmiProduct: 't4g.nano' },
      'virtual-machine',
      /t4g/,
    ],
    [
      'its bare metal',
      { cpuModalias: 'cpu:type:aarch64', dmiVendor: 'Amazon EC2', dmiProduct: 'c7g.metal' },
      'bare-metal',
      /c7g/,
    ],
    ['nothing', { cpuModalias: '' }, 'unknown', /neither/],
  ])('is known by %s', (_, changes, state, detail) => {
    expect(judgeHardware(facts(changes))).toEqual({ state, detail: expect.stringMatching(detail) });
  });
});

describe('judgeContainer', () => {
  const marks = (changes: Partial<Facts['container']>): Facts =>
    facts({ container: { ...facts().container, ...changes } });

  it.each<[string, Facts, string]>([
    ['no mark', facts(), 'none'],
    ['/.dockerenv', facts(inDocker), 'docker'],
    ['/run/.containerenv', marks({ containerenv: true }), 'podman'],
    ['the service of Kubernetes', facts(inKubernetes), 'kubernetes'],
    ['a pod’s cgroup', marks({ cgroup: '0::/kubepods.slice/pod1' }), 'kubernetes'],
    ['a cgroup of docker', marks({ cgroup: '12:cpu:/docker/0123\n0::/' }), 'docker'],
    ['a cgroup of podman', marks({ cgroup: '0::/machine.slice/libpod-01.scope' }), 'podman'],
    ['systemd-nspawn', marks({ declared: 'systemd-nspawn' }), 'other'],
    ['$container', marks({ declared: 'podman' }), 'podman'],
  ])('is known by %s', (_, found, state) => {
    expect(judgeContainer(found).state).toBe(state);
    expect(judgeContainer(found).detail).not.toBe('');
  });
});

describe('judgeMachine', () => {
  it('tells how the addon came', () => {
    expect(judgeMachine(facts(), '').addon.state).toBe('prebuilt');
    const compiled = '/srv/app/node_modules/microjoule/build/Release/microjoule.node';
    expect(judgeMachine(facts({ addonPath: compiled }), '').addon).toMatchObject({
      state: 'compiled',
      path: compiled,
    });
    const { addonPath: _, ...without } = facts();
    expect(judgeMachine(without, 'no file')).toMatchObject({
      addon: { state: 'missing', detail: 'no file' },
    });
  });

  it('expects RAPL of Intel since Sandy Bridge and of AMD since Zen', () => {
    const of = (cpuModalias: string, architecture = 'x64') => hasRapl(facts({ cpuModalias, architecture }));
    expect(of(SAPPHIRE_RAPIDS)).toBe(true);
    expect(of(EPYC)).toBe(true);
    expect(of('cpu:type:x86,ven0002fam0015mod0002:feature:,0000')).toBe(false);
    const intel = (family: number, model: number) => {
      const hex = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
      return of(`cpu:type:x86,ven0000fam${hex(family)}mod${hex(model)}:feature:,0000`);
    };
    // Nehalem and Westmere, Atoms before Silvermont, NetBurst.
    for (const model of [0x1a, 0x27, 0x2c, 0x2e, 0x2f, 0x35, 0x36]) expect(intel(6, model)).toBe(false);
    for (const model of [0x2a, 0x2d, 0x37, 0x8f]) expect(intel(6, model)).toBe(true);
    expect([intel(5, 9), intel(15, 6), intel(18, 1), intel(19, 1)]).toEqual([false, false, true, true]);
    expect(of('', 'x64')).toBeUndefined();
    expect(of('', 'arm64')).toBe(false);
  });

  it('reads the state of lockdown', () => {
    expect(parseLockdown('none [integrity] confidentiality')).toBe('integrity');
    expect(parseLockdown('')).toBeUndefined();
  });
});
