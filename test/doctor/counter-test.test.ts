// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Domain, Status } from '../../lib/core/vocabulary.js';
import { judgeCounter, type Seen } from '../../lib/doctor/counter-test.js';
import { resolutionOf } from '../../lib/doctor/resolution.js';
import { Track } from '../../lib/doctor/track.js';

/** A counter of 50 W that is looked at every 20 ms for two seconds. */
function watched(periodMs: number): Track {
  const track = new Track();
  for (let ms = 0; ms <= 2000; ms += 20) {
    track.add(ms * 1e6, BigInt(Math.floor((ms + periodMs / 3) / periodMs) * periodMs * 50));
  }
  return track;
}

function seen(domain: Domain, periodMs: number, changes: Partial<Seen> = {}, status: Status = 'ok'): Seen {
  const source = domain === 'core' ? 'perf-core' : 'powercap';
  const counter = {
    id: `${source}:x:0`,
    source,
    domain,
    device: 0,
    origin: 'x',
    kind: 'energy' as const,
    scaleNumerator: 1n,
    scaleDenominator: 1000n,
    modulusTicks: 0n,
    clock: 'reader' as const,
    blocking: false,
    fromOpen: false,
    status,
    detail: status === 'ok' ? '' : 'x may not be read',
  };
  return {
    delta: {
      counter,
      status,
      detail: '',
      ...(status === 'ok' ? { energyJoules: 100 } : {}),
      inTotal: status === 'ok',
      apart: '',
      meter: counter.id,
      duplicate: false,
      doubtful: false,
    },
    watched: watched(periodMs),
    tight: undefined,
    idleEndNs: 1e9,
    durationSeconds: 2,
    isVirtual: false,
    ...changes,
  };
}

describe('judgeCounter', () => {
  it('names QEMU in a virtual machine alone', () => {
    expect(judgeCounter(seen('package', 1000)).detail).toBe('updated only every 1.000 s');
    expect(judgeCounter(seen('package', 1000, { isVirtual: true })).detail).toContain('as QEMU emulates');
    expect(judgeCounter(seen('package', 1500)).detail).toBe('updated only once in the test');
  });

  it('finds no fault with what may rest', () => {
    for (const domain of ['uncore', 'gpu'] as const) {
      expect(judgeCounter(seen(domain, 1500, { isVirtual: true })).detail).toBe('');
      expect(judgeCounter(seen(domain, 1000)).detail).toBe('');
    }
    expect(judgeCounter(seen('package', 100)).detail).toBe('');
  });

  it('gives a sum of cores no period', () => {
    const test = judgeCounter(seen('core', 100));
    expect(test).toMatchObject({ moved: true, detail: expect.stringContaining('one after another') });
    for (const absent of ['updatePeriodSeconds', 'jitterSeconds', 'regionSeconds']) {
      expect(test).not.toHaveProperty(absent);
    }
    expect(test.idleWatts).toBeCloseTo(50, 6);
  });

  it('gives single cores a period, as they are no sum', () => {
    const { delta, ...rest } = seen('core', 100);
    const single = { ...delta, counter: { ...delta.counter, id: 'emi-core:core:0:7', source: 'emi-core' } };
    const test = judgeCounter({ delta: single, ...rest });
    expect(test.detail).toBe('');
    expect(test.updatePeriodSeconds).toBeCloseTo(0.1, 2);
    expect(test).toHaveProperty('regionSeconds');
  });

  /** Read every 0.15 ms; with each count the device tells the time of its last update, so many ms apart. */
  function stamped(updateMs: number): Seen {
    const track = new Track();
    for (let i = 0; i < 2000; i++) {
      const readNs = i * 150_000;
      const ownNs = updateMs === 0 ? readNs - 5000 : Math.floor(readNs / (updateMs * 1e6)) * updateMs * 1e6;
      // Nearly 50 W in millijoules, so that steps differ by one.
      track.add(readNs, BigInt(Math.floor((ownNs + 5000) * 49.9993e-6)), ownNs);
    }
    const { delta, ...rest } = seen('package', 100, { tight: track });
    return { ...rest, delta: { ...delta, counter: { ...delta.counter, source: 'emi', clock: 'device' } } };
  }

  it('calls the time between its own reads no update period', () => {
    const test = judgeCounter(stamped(0));
    expect(test).toMatchObject({ movedAtEveryRead: true, detail: expect.stringContaining('at every read') });
    expect(resolutionOf([test]).map(({ bound }) => bound)).toEqual(['reading', 'reading']);
  });

  it('knows the period of what tells the times of its updates to a fraction of a read', () => {
    const test = judgeCounter(stamped(10));
    expect(test).not.toHaveProperty('movedAtEveryRead');
    expect(test.detail).toBe('');
    expect(test.updatePeriodSeconds).toBeCloseTo(0.01, 9);
    expect(test.jitterSeconds).toBeCloseTo(0, 9);
    expect(test.resolutionSeconds).toBeCloseTo(0.00015, 9);
    expect(resolutionOf([test])[0]?.bound).toBe('update-period');
  });

  it('sees one stand still that tells an old time again and again', () => {
    const frozen = new Track();
    for (let ms = 0; ms <= 2000; ms += 20) {
      const ownMs = Math.min(ms, 1000);
      frozen.add(ms * 1e6, BigInt(ownMs * 50), ownMs * 1e6);
    }
    const test = judgeCounter({ ...stamped(10), watched: frozen });
    expect(test).toMatchObject({ status: 'stale', detail: expect.stringContaining('stood still for 1.0') });
  });

  it('lists one that cannot be read, with its reason', () => {
    expect(judgeCounter(seen('package', 100, { watched: new Track() }, 'no-permission'))).toMatchObject({
      status: 'no-permission',
      detail: 'x may not be read',
      moved: false,
      inTotal: false,
      updateCount: 0,
      stillSeconds: 2,
    });
  });
});
