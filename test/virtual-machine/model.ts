// SPDX-License-Identifier: MIT
//
// The truth about a described machine, in whole numbers: what its meters metered and what they counted. model.cc counts
// the same: change both.
import type { Meter, Part } from './description.js';

const FEMTOJOULES_PER_NANOJOULE = 1_000_000n;
const FEMTOJOULES_PER_JOULE = 10n ** 15n;
const PHASE_SEED = 0x5068617365n;
const NOISE_SEED = 0x4e6f697365n;
const START_SEED = 0x5374617274n;

const wrap64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014); the constants are theirs. */
function splitMix(seed: bigint): bigint {
  let x = wrap64(seed + 0x9e3779b97f4a7c15n);
  x = wrap64((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = wrap64((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

function gaussian(seed: bigint, index: bigint): bigint {
  let sum = -6n * 65_535n;
  for (let i = 0n; i < 3n; i++) {
    const bits = splitMix(wrap64(seed + index * 3n + i));
    for (let part = 0n; part < 64n; part += 16n) sum += (bits >> part) & 0xffffn;
  }
  return sum;
}

function tickNs(meter: Meter, tick: bigint): bigint {
  const phase = splitMix(meter.seed ^ PHASE_SEED) % meter.updateNs;
  let jitter = (gaussian(meter.seed, tick) * meter.jitterNs) / 65_536n;
  const most = (meter.updateNs * 45n) / 100n;
  if (jitter > most) jitter = most;
  if (jitter < -most) jitter = -most;
  return phase + tick * meter.updateNs + jitter;
}

/** The last update at or before a time, if there was one. */
function lastTick(meter: Meter, timeNs: bigint): bigint | undefined {
  const phase = splitMix(meter.seed ^ PHASE_SEED) % meter.updateNs;
  let tick = (timeNs - phase) / meter.updateNs + 1n;
  while (tick >= 0n && tickNs(meter, tick) > timeNs) tick--;
  return tick < 0n ? undefined : tick;
}

function energyOfPart(part: Part, lengthNs: bigint): bigint {
  if (part.shape === 'constant') return lengthNs * part.firstUw;
  if (part.shape === 'ramp') {
    const sloping = lengthNs < part.lengthNs ? lengthNs : part.lengthNs;
    const rise = ((part.secondUw - part.firstUw) * sloping * sloping) / (2n * part.lengthNs);
    return sloping * part.firstUw + rise + (lengthNs - sloping) * part.secondUw;
  }
  const half = part.lengthNs / 2n;
  const whole = lengthNs / (2n * half);
  const rest = lengthNs % (2n * half);
  const first = rest < half ? rest : half;
  return (whole * half + first) * part.firstUw + (whole * half + rest - first) * part.secondUw;
}

/** Where a meter stands at time 0 unless its line says. */
function startOf(meter: Meter): bigint {
  return meter.start ?? splitMix(meter.seed ^ START_SEED) >> 33n;
}

/** True energy since the machine's time 0, in femtojoules. */
export function energyAt(meter: Meter, timeNs: bigint): bigint {
  let energy = 0n;
  for (const [index, part] of meter.parts.entries()) {
    if (timeNs <= part.fromNs) break;
    const next = meter.parts[index + 1]?.fromNs ?? timeNs;
    energy += energyOfPart(part, (next < timeNs ? next : timeNs) - part.fromNs);
  }
  return meter.holds.reduce((sum, held) => sum + energyAt(held, timeNs), energy);
}

/** What the hardware counts at a time, without faults, extended to 64 bits. */
export function countAt(meter: Meter, timeNs: bigint): bigint {
  let at = timeNs;
  let noise = 0n;
  if (meter.updateNs !== 0n) {
    const tick = lastTick(meter, timeNs);
    at = tick === undefined ? 0n : tickNs(meter, tick);
    const random = tick === undefined ? 0n : gaussian(meter.seed ^ NOISE_SEED, tick);
    noise = (random * meter.noiseNj * FEMTOJOULES_PER_NANOJOULE) / 65_536n;
  }
  const energy = energyAt(meter, at) + noise;
  const [numerator, denominator] =
    meter.unitNj !== 0n
      ? [1n, meter.unitNj * FEMTOJOULES_PER_NANOJOULE]
      : [1n << meter.esu, FEMTOJOULES_PER_JOULE];
  const scaled = energy * numerator;
  const floor = scaled / denominator - (scaled % denominator < 0n ? 1n : 0n);
  return startOf(meter) + floor;
}

/** When a meter updates, after one time and up to another. */
export function updateTimes(meter: Meter, fromNs: bigint, toNs: bigint): bigint[] {
  const last = lastTick(meter, toNs);
  const times: bigint[] = [];
  for (let tick = last ?? -1n; tick >= 0n && tickNs(meter, tick) > fromNs; tick--) {
    times.push(tickNs(meter, tick));
  }
  return times.reverse();
}

/** True energy between two times, in joules. */
export function joulesBetween(meter: Meter, fromNs: bigint, toNs: bigint): number {
  return Number(energyAt(meter, toNs) - energyAt(meter, fromNs)) / Number(FEMTOJOULES_PER_JOULE);
}
