// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Domain, Status } from '../../lib/core/vocabulary.js';
import { chooseTotal, type DomainCounter, groupMeters, PLAUSIBLE_WATTS } from '../../lib/meter/domains.js';

type Readable = DomainCounter & { status: Status };

function counter(id: string, domain: Domain, device = 0, more: Partial<Readable> = {}): Readable {
  return { id, domain, device, status: 'ok', ...more };
}

/** Memberships where two counters agree if their counts at open are the same, 0 excepted. */
function members(counters: Readable[], counts: number[] = []) {
  const groups = groupMeters(
    counters,
    (one, other) => (counts[one] ?? 0) !== 0 && counts[one] === counts[other],
  );
  return chooseTotal(counters, groups);
}

function counted(counters: Readable[], counts?: number[]): string[] {
  return members(counters, counts).flatMap((member, i) => (member.inTotal ? (counters[i]?.id ?? '') : []));
}

describe('what no meter draws more than', () => {
  it('is what the addon tells resets by', () => {
    const source = readFileSync(new URL('../../native/count.cc', import.meta.url), 'utf8');
    const body = /uint64_t PlausibleWatts\(Domain domain\) \{([^}]+)\}/.exec(source)?.[1] ?? '';
    const found = new Map<string, number>();
    let names: string[] = [];
    for (const [, name, watts] of body.matchAll(/case Domain::k(\w+):|return (\d+);/g)) {
      if (name !== undefined) names.push(name.toLowerCase());
      for (const one of watts === undefined ? [] : [...names, 'default']) {
        if (one !== 'default' || names.length === 0) found.set(one, Number(watts));
      }
      if (watts !== undefined) names = [];
    }
    for (const [domain, watts] of Object.entries(PLAUSIBLE_WATTS)) {
      expect(watts, domain).toBe(found.get(domain.replace('-', '')) ?? found.get('default'));
    }
    expect(found.size).toBeGreaterThan(3);
  });
});

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
    const [member] = members([counter('x', domain)]);
    expect(member?.inTotal).toBe(false);
    expect(member?.reason).not.toBe('');
  });

  const MSR = 'powercap:intel-rapl:0';
  const MMIO = 'powercap:intel-rapl-mmio:0';

  it('counts a package once when two control types reach it, whatever they count', () => {
    const twins = [counter(MSR, 'package'), counter(MMIO, 'package')];
    expect(counted(twins, [1000, 2000])).toEqual([MSR]);
    expect(members(twins)[1]).toMatchObject({ twinOf: MSR });
  });

  it('takes the twin when the preferred one cannot be read', () => {
    expect(
      counted([counter(MSR, 'package', 0, { status: 'no-permission' }), counter(MMIO, 'package')]),
    ).toEqual([MMIO]);
  });

  it('counts dies apart when they differ and once when they repeat one counter', () => {
    const dies = [
      counter('powercap:intel-rapl:0', 'package', 0, { die: 0 }),
      counter('powercap:intel-rapl:1', 'package', 0, { die: 1 }),
    ];
    expect(counted(dies, [1000, 2000])).toHaveLength(2);
    expect(counted(dies, [1000, 1000])).toEqual(['powercap:intel-rapl:0']);
    // Two counters at 0 say nothing about being one.
    expect(counted(dies, [0, 0])).toHaveLength(2);
  });

  it('takes a whole package for all of its dies by another interface', () => {
    const whole = counter('msr:package:0', 'package');
    const dies = [0, 1].map((die) => counter(`powercap:intel-rapl:${die}`, 'package', 0, { die }));
    expect(counted([...dies, whole], [1000, 2000, 1500])).toEqual(dies.map(({ id }) => id));
    expect(counted([whole, ...dies], [1000, 2000, 1500])).toEqual(['msr:package:0']);
  });

  it('counts the memory of each die', () => {
    const memories = [
      counter('powercap:intel-rapl:0:0', 'dram', 0, { die: 0 }),
      counter('powercap:intel-rapl:1:0', 'dram', 0, { die: 1 }),
    ];
    expect(counted(memories, [5, 7])).toHaveLength(2);
  });

  it('counts packages that repeat one meter once, and those of two interfaces apart', () => {
    const repeated = [counter('a:0', 'package', 0), counter('a:1', 'package', 1)];
    expect(counted(repeated, [1000, 1000])).toEqual(['a:0']);
    expect(counted(repeated, [1000, 2000])).toHaveLength(2);
    expect(counted([counter('a:0', 'package', 0), counter('b:1', 'package', 1)], [1000, 1000])).toHaveLength(
      2,
    );
  });

  it('counts two zones of one name once, and doubts the second when they disagree', () => {
    const zones = [counter('powercap:intel-rapl:0', 'package'), counter('powercap:intel-rapl:1', 'package')];
    expect(counted(zones, [1000, 1000])).toEqual(['powercap:intel-rapl:0']);
    expect(counted(zones, [1000, 2000])).toEqual(['powercap:intel-rapl:0']);
    expect(members(zones, [1000, 2000])[1]?.reason).toContain('counts otherwise');
  });
});
