// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { DomainCounter } from '../../lib/meter/domains.js';
import { findMirrors } from '../../lib/meter/mirrors.js';

const packages: DomainCounter[] = [0, 1, 2].map((device) => ({
  id: `powercap:intel-rapl:${device}`,
  domain: 'package',
  device,
}));

/** Watches counters whose ticks are functions of how often they were read. */
function mirrors(
  counters: DomainCounter[],
  joules: number[],
  ticks: ((read: number) => bigint | undefined)[],
) {
  let reads = 0;
  const first = findMirrors(counters, joules, () => {
    reads++;
    return ticks.map((of) => of(reads));
  });
  return { first, reads };
}

const moving = (read: number) => BigInt(1000 + 700 * read);

describe('packages that repeat one meter', () => {
  it('are found when their counts move together', () => {
    const { first, reads } = mirrors(packages, [5, 5, 5], [moving, moving, (read) => moving(read) + 1n]);
    expect(first).toEqual([0, 0, 0]);
    expect(reads).toBeLessThan(6);
  });

  it('are not looked for where counts stand apart', () => {
    expect(mirrors(packages, [5, 800, 9000], [moving, moving, moving])).toEqual({
      first: [0, 1, 2],
      reads: 0,
    });
  });

  it('are not two meters that stood close by chance', () => {
    const other = (read: number) => BigInt(1000 + 703 * read);
    expect(mirrors(packages.slice(0, 2), [5, 5.5], [moving, other]).first).toEqual([0, 1]);
  });

  it('are found among devices that are read one after the other, by their energy', () => {
    const scale = { clock: 'device', scaleNumerator: 9n, scaleDenominator: 2_500_000_000n } as const;
    const devices = packages.slice(0, 2).map((counter) => ({ ...counter, ...scale }));
    // A tick is 3.6e-9 J: 60 W for 0.3 ms, and for 3 ms.
    const later = (joules: number) => (read: number) => moving(read) + BigInt(Math.round(joules / 3.6e-9));
    expect(mirrors(devices, [5, 5], [moving, later(0.018)]).first).toEqual([0, 0]);
    expect(mirrors(devices, [5, 5], [moving, later(0.18)]).first).toEqual([0, 1]);
  });

  it('survive one update between the reads of the two', () => {
    const torn = (read: number) => moving(read === 3 ? 4 : read);
    expect(mirrors(packages.slice(0, 2), [5, 5], [moving, torn]).first).toEqual([0, 0]);
  });

  it.each([false, true])('survive several, where reading takes long (from open: %s)', (fromOpen) => {
    const counters = packages.slice(0, 2).map((counter) => ({ ...counter, fromOpen }));
    const torn = (read: number) => moving(read % 4 === 1 ? read + 1 : read);
    expect(mirrors(counters, [5, 5], [moving, torn]).first).toEqual([0, 0]);
  });

  it('are not two whose counts keep a distance that is not 0', () => {
    const apart = (read: number) => moving(read) + 50n;
    expect(mirrors(packages.slice(0, 2), [5, 5], [moving, apart]).first).toEqual([0, 1]);
  });

  it('are not claimed of counts that never move, or cannot be read', () => {
    const still = () => 7n;
    const { first, reads } = mirrors(packages, [5, 5, 5], [still, still, () => undefined]);
    expect(first).toEqual([0, 1, 2]);
    expect(reads).toBeLessThanOrEqual(60);
  });

  it('are found by their steps among counts that began at open', () => {
    const opened = packages.map((counter) => ({ ...counter, fromOpen: true }));
    const later = (read: number) => moving(read) - 900n;
    const own = (read: number) => BigInt(50 * read * read);
    expect(mirrors(opened, [0, 0, 0], [moving, later, own]).first).toEqual([0, 0, 2]);
    // Two idle sockets that take a few equal steps.
    const idle = (read: number) => moving(read) + BigInt(read % 7);
    const seen = mirrors(opened.slice(0, 2), [0, 0], [moving, idle]);
    expect(seen.first).toEqual([0, 1]);
    expect(seen.reads).toBeLessThan(20);
  });

  it('are found though each read is slow, and given up on in half a second', () => {
    const opened = packages.slice(0, 2).map((counter) => ({ ...counter, fromOpen: true }));
    const watching = (ms: number) => {
      let reads = 0;
      return () => {
        const untilMs = performance.now() + ms;
        while (performance.now() < untilMs);
        reads++;
        return [moving(reads), moving(reads)];
      };
    };
    expect(findMirrors(opened, [0, 0], watching(10))).toEqual([0, 0]);
    const startMs = performance.now();
    expect(findMirrors(opened, [0, 0], watching(120))).toEqual([0, 1]);
    expect(performance.now() - startMs).toBeGreaterThan(450);
  });

  it('are not looked for among GPUs and between interfaces', () => {
    const gpus = packages.map((counter) => ({ ...counter, domain: 'gpu' as const }));
    expect(mirrors(gpus, [1, 1, 1], [moving, moving, moving]).reads).toBe(0);
    const mixed = packages.map((counter, i) => ({ ...counter, id: `powercap:${'abc'[i]}-rapl:0` }));
    expect(mirrors(mixed, [1, 1, 1], [moving, moving, moving]).reads).toBe(0);
  });
});
