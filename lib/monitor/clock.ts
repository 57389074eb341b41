// SPDX-License-Identifier: MIT
import type { StreamClock } from '../stream/types.js';

const NS_PER_MS = 1_000_000n;
/** Unix time that differs more than this from what the anchor says has been set. Slewing takes minutes to get there. */
const JUMP_MS = 100;

/** Unix time at one time of the monotonic clock. */
export interface Anchor {
  monotonicNs: bigint;
  unixNs: bigint;
  uncertaintyNs: number;
}

/** The monotonic clock behind `process.hrtime()`. */
export function clockId(platform = process.platform): StreamClock['id'] {
  if (platform === 'win32') return 'QueryPerformanceCounter';
  return platform === 'darwin' ? 'mach_continuous_time' : 'CLOCK_MONOTONIC';
}

/**
 * Ties Unix time to the monotonic clock: watches for up to 2 ms until the millisecond changes, which is when Unix time is
 * known best.
 */
export function takeAnchor(): Anchor {
  let before = process.hrtime.bigint();
  const first = Date.now();
  const giveUpNs = before + 2n * NS_PER_MS;
  for (;;) {
    const unixMs = Date.now();
    const after = process.hrtime.bigint();
    if (unixMs !== first) {
      const halfNs = (after - before) / 2n;
      return {
        monotonicNs: before + halfNs,
        unixNs: BigInt(unixMs) * NS_PER_MS,
        uncertaintyNs: Number(halfNs) + 1,
      };
    }
    if (after > giveUpNs) {
      return { monotonicNs: after, unixNs: BigInt(unixMs) * NS_PER_MS, uncertaintyNs: Number(NS_PER_MS) };
    }
    before = after;
  }
}

/** Unix time that an anchor gives for a time of the monotonic clock, in nanoseconds. */
export function unixNsAt({ monotonicNs, unixNs }: Anchor, timeNs: bigint): bigint {
  return unixNs + (timeNs - monotonicNs);
}

/** Whether Unix time is no longer what the anchor says: it was set, or the machine slept. */
export function hasJumped(anchor: Anchor, timeNs: bigint, unixMs: number): boolean {
  return Math.abs(Number(unixNsAt(anchor, timeNs) / NS_PER_MS) - unixMs) > JUMP_MS;
}
