// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { chooseTotal, type DomainCounter } from '../../lib/meter/domains.js';

function counter(id: string, domain: DomainCounter['domain'], device = 0, more: Partial<DomainCounter> = {}) {
  return { id, domain, device, status: 'ok' as const, ...more };
}

function counted(counters: DomainCounter[], ticks?: (bigint | undefined)[]): string[] {
  return chooseTotal(counters, ticks).flatMap((member, i) => (member.inTotal ? (counters[i]?.id ?? '') : []));
}

describe('the one total', () => {
  it('is packages, memory and GPU boards of every device', () => {
    const counters = [
      counter('p0', 'package', 0),
      counter('p1', 'package', 1),
      counter('d0', 'dram', 0),
      counter('d1', 'dram', 1),
      counter('g0', 'gpu', 0),
      counter('g1', 'gpu', 1),
    ];
    expect(counted(counters)).toEqual(['p0', 'p1', 'd0', 'd1', 'g0', 'g1']);
  });

  it.each([
    'core',
    'uncore',
    'psys',
    'gpu-memory',
    'module',
    'other',
  ] as const)('never holds %s, and says why', (domain) => {
    const [member] = chooseTotal([counter('x', domain)]);
    expect(member?.inTotal).toBe(false);
    expect(member?.reason).not.toBe('');
  });

  it('counts a package once when two control types reach it', () => {
    const counters = [counter('msr', 'package'), counter('mmio', 'package')];
    expect(counted(counters)).toEqual(['msr']);
    expect(chooseTotal(counters)[1]?.reason).toContain('msr');
  });

  it('takes the twin when the preferred one cannot be read', () => {
    const counters = [counter('msr', 'package', 0, { status: 'no-permission' }), counter('mmio', 'package')];
    expect(counted(counters)).toEqual(['mmio']);
  });

  it('counts dies apart when they differ and once when they repeat one counter', () => {
    const dies = [counter('die0', 'package', 0, { die: 0 }), counter('die1', 'package', 0, { die: 1 })];
    expect(counted(dies, [1000n, 2000n])).toEqual(['die0', 'die1']);
    expect(counted(dies, [1000n, 1000n])).toEqual(['die0']);
    // Two idle counters at 0 say nothing about being one.
    expect(counted(dies, [0n, 0n])).toEqual(['die0', 'die1']);
    // Equal counts of two sockets are chance.
    const sockets = [counter('p0', 'package', 0), counter('p1', 'package', 1)];
    expect(counted(sockets, [1000n, 1000n])).toEqual(['p0', 'p1']);
  });
});
