// SPDX-License-Identifier: MIT
//
// A counter of which the truth is known. Written apart from the estimators: of them it knows the shape of a record.
import type { CounterCalibration, CounterUpdate } from '../../lib/precision/types.js';
import { normal, type Random } from './random.js';

/** Power over time, linear between points; equal times make a step. Constant before the first and after the last. */
export class PowerProfile {
  readonly #times: number[] = [];
  readonly #watts: number[] = [];
  readonly #joules: number[] = [];

  /** Appends a piece that reaches `seconds`, from one power to another. */
  constructor(points: readonly (readonly [seconds: number, watts: number])[]) {
    for (const [seconds, watts] of points) {
      const [time, power, joules] = [this.#times.at(-1), this.#watts.at(-1), this.#joules.at(-1)];
      if (time !== undefined && seconds < time) throw new Error('points must be in order');
      this.#times.push(seconds);
      this.#watts.push(watts);
      this.#joules.push((joules ?? 0) + ((seconds - (time ?? seconds)) * (watts + (power ?? watts))) / 2);
    }
  }

  /** Energy since the first point; negative before it. */
  joulesAt(seconds: number): number {
    const times = this.#times;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] as number) <= seconds) low = middle + 1;
      else high = middle;
    }
    const i = low - 1;
    if (i < 0) return (seconds - (times[0] as number)) * (this.#watts[0] as number);
    const since = seconds - (times[i] as number);
    const watts = this.#watts[i] as number;
    if (i === times.length - 1) return (this.#joules[i] as number) + since * watts;
    const span = (times[i + 1] as number) - (times[i] as number);
    const slope = ((this.#watts[i + 1] as number) - watts) / span;
    return (this.#joules[i] as number) + since * (watts + (slope * since) / 2);
  }

  between(fromSeconds: number, toSeconds: number): number {
    return this.joulesAt(toSeconds) - this.joulesAt(fromSeconds);
  }
}

export interface VirtualCounter {
  periodSeconds: number;
  /** Standard deviation of an update's own time. */
  jitterSeconds: number;
  /** Standard deviation of what each period is longer or shorter than the one before: the phase walks. */
  walkSeconds?: number;
  quantumJoules: number;
  /** From the start of one read to that of the next. */
  pollSeconds: number;
  readSeconds: number;
  /** How often the reader is held up around an update, and for at most how long. */
  heldUp?: { ratio: number; seconds: number };
  /** How often the reader is away after an update that it saw, and for at most how long; it says how many it missed. */
  away?: { ratio: number; seconds: number };
  /** How often an update is not seen at all. */
  missedRatio?: number;
  /** Whether missed updates are said to be missed. */
  saysMissed?: boolean;
  /** Standard deviation of what a filter adds to each count. */
  filterJoules?: number;
  /** What the register shows is this much older than its update. */
  lagSeconds?: number;
}

export const RAPL: VirtualCounter = {
  periodSeconds: 1e-3,
  jitterSeconds: 20e-6,
  quantumJoules: 2 ** -14,
  pollSeconds: 1e-6,
  readSeconds: 0.5e-6,
};

/** The same counter, slower by a factor in everything but its quantum. */
export function slower(counter: VirtualCounter, factor: number): VirtualCounter {
  return {
    ...counter,
    periodSeconds: counter.periodSeconds * factor,
    jitterSeconds: counter.jitterSeconds * factor,
    pollSeconds: counter.pollSeconds * factor,
    readSeconds: counter.readSeconds * factor,
  };
}

export function calibrationOf(counter: VirtualCounter): CounterCalibration {
  return {
    periodNs: counter.periodSeconds * 1e9,
    jitterNs: counter.jitterSeconds * 1e9,
    quantumJoules: counter.quantumJoules,
    readCostNs: counter.readSeconds * 1e9,
    isFiltered: (counter.filterJoules ?? 0) > 0,
  };
}

/** Times of a counter's updates in [from, to], from a random phase. */
export function updateTimes(counter: VirtualCounter, from: number, to: number, random: Random): number[] {
  const times: number[] = [];
  let phase = from + random() * counter.periodSeconds;
  let last = from - counter.periodSeconds;
  while (phase < to) {
    // Updates keep their order, whatever the jitter.
    const time = Math.max(
      last + 0.01 * counter.periodSeconds,
      phase + counter.jitterSeconds * normal(random),
    );
    if (time >= from && time < to) times.push(time);
    last = time;
    const wandered = (counter.walkSeconds ?? 0) * normal(random);
    phase += Math.max(0.1 * counter.periodSeconds, counter.periodSeconds + wandered);
  }
  return times;
}

/**
 * What a sampler records of updates at known times. Reads start every `pollSeconds`, from a random phase, with a little
 * unrest of their own; each takes its value at a random time during it.
 */
export function record(
  counter: VirtualCounter,
  profile: PowerProfile,
  times: readonly number[],
  random: Random,
): CounterUpdate[] {
  const { quantumJoules, pollSeconds, readSeconds, filterJoules = 0, lagSeconds = 0 } = counter;
  const series: CounterUpdate[] = [];
  // The counter's own origin has nothing to do with the record's.
  const origin = 1000 + random();
  let missed = 0;
  let [leftSeconds, backSeconds] = [0, Number.NEGATIVE_INFINITY];
  for (const [i, time] of times.entries()) {
    if (time < backSeconds && (times[i + 1] ?? Number.POSITIVE_INFINITY) < backSeconds) {
      missed += 1;
      continue;
    }
    if (time < backSeconds) {
      // The first look since it left finds the latest count.
      const energy = origin + profile.joulesAt(time - lagSeconds) + filterJoules * normal(random);
      series.push({
        lowerNs: leftSeconds * 1e9,
        upperNs: (backSeconds + readSeconds) * 1e9,
        joules: Math.floor(energy / quantumJoules) * quantumJoules,
        ...(missed > 0 ? { missedCount: missed } : {}),
      });
      missed = 0;
      continue;
    }
    if (random() < (counter.missedRatio ?? 0)) {
      missed += 1;
      continue;
    }
    const heldUp = random() < (counter.heldUp?.ratio ?? 0) ? random() * (counter.heldUp?.seconds ?? 0) : 0;
    const spacing = pollSeconds * (0.9 + 0.2 * random()) + heldUp;
    // The last read of the old value takes it at `low`, the first of the new one at `high`, the update between.
    let [low, high, start] = [0, 0, 0];
    do {
      start = time - random() * (spacing + readSeconds);
      low = start + random() * readSeconds;
      high = start + spacing + random() * readSeconds;
    } while (low > time || high < time);
    const energy = origin + profile.joulesAt(time - lagSeconds) + filterJoules * normal(random);
    series.push({
      lowerNs: start * 1e9,
      upperNs: (start + spacing + readSeconds) * 1e9,
      joules: Math.floor(energy / quantumJoules) * quantumJoules,
      ...(missed > 0 && counter.saysMissed !== false ? { missedCount: missed } : {}),
    });
    missed = 0;
    if (counter.away !== undefined && random() < counter.away.ratio) {
      leftSeconds = start + spacing;
      backSeconds = leftSeconds + random() * counter.away.seconds;
    }
  }
  return series;
}

/** Steady power with bursts: `high` for a part of each cycle, `low` for the rest, from a random phase. */
export function squareWave(
  options: { from: number; to: number; cycle: number; duty: number; low: number; high: number },
  random: Random,
): [number, number][] {
  const { from, to, cycle, duty, low, high } = options;
  const points: [number, number][] = [];
  let time = from - random() * cycle;
  while (time < to) {
    const fall = time + duty * cycle;
    const next = time + cycle;
    for (const [a, b, watts] of [[time, fall, high] as const, [fall, next, low] as const]) {
      const [begin, end] = [Math.max(from, a), Math.min(to, b)];
      if (end > begin) points.push([begin, watts], [end, watts]);
    }
    time = next;
  }
  return points;
}

/** Power that is drawn anew every `step`: white noise above that time scale. */
export function noisyPower(
  options: { from: number; to: number; step: number; watts: number; ratio: number },
  random: Random,
): [number, number][] {
  const points: [number, number][] = [];
  for (let time = options.from; time < options.to; time += options.step) {
    const watts = Math.max(0, options.watts * (1 + options.ratio * normal(random)));
    points.push([time, watts], [Math.min(options.to, time + options.step), watts]);
  }
  return points;
}
