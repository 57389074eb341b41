// SPDX-License-Identifier: MIT
//
// Intervals of sums and products. Parts are taken to err independently of each other (GUM, JCGM 100:2008, 5.1).
import type { EnergyBounds } from '../core/report-types.js';

/** A value with an interval that may be longer on one side than on the other. */
export interface Interval {
  value: number;
  lower: number;
  upper: number;
  confidenceRatio: number;
}

/** The interval of an energy, where it has a whole and sensible one. */
export function energyInterval(energyJoules: number, bounds: EnergyBounds): Interval | undefined {
  return interval(energyJoules, bounds.lowerJoules, bounds.upperJoules, bounds.confidenceRatio);
}

/** An interval, unless a part of it is missing, is no number, or does not hold the value. */
export function interval(
  value: number,
  lower: number | undefined,
  upper: number | undefined,
  confidenceRatio: number | undefined,
): Interval | undefined {
  if (lower === undefined || upper === undefined || confidenceRatio === undefined) return undefined;
  const sound =
    lower >= 0 && lower <= value && value <= upper && upper < Number.POSITIVE_INFINITY && confidenceRatio > 0;
  return sound && confidenceRatio < 1 ? { value, lower, upper, confidenceRatio } : undefined;
}

/**
 * The interval of a sum: deviations add in quadrature, each side for itself. None when a part has none, or when the
 * parts' intervals hold the truth with different probabilities. An exact part is its own interval.
 */
export function sumInterval(parts: readonly (Interval | undefined)[]): Interval | undefined {
  const known = parts.filter((part) => part !== undefined);
  const confidenceRatio = known[0]?.confidenceRatio;
  if (confidenceRatio === undefined || known.length < parts.length) return undefined;
  if (known.some((part) => part.confidenceRatio !== confidenceRatio)) return undefined;
  const value = known.reduce((sum, part) => sum + part.value, 0);
  const below = Math.hypot(...known.map((part) => part.value - part.lower));
  const above = Math.hypot(...known.map((part) => part.upper - part.value));
  return { value, lower: value - below, upper: value + above, confidenceRatio };
}

/** The interval of value times an exact number of at least 0. */
export function scaleInterval({ value, lower, upper, confidenceRatio }: Interval, by: number): Interval {
  return { value: value * by, lower: lower * by, upper: upper * by, confidenceRatio };
}

/**
 * The interval of a product: ratios add in quadrature of their logarithms, each side for itself, so that it never
 * reaches below 0. None when the two hold the truth with different probabilities.
 */
export function productInterval(one: Interval, other: Interval): Interval | undefined {
  if (one.confidenceRatio !== other.confidenceRatio) return undefined;
  const value = one.value * other.value;
  const both = (ratioOf: (part: Interval) => number) =>
    Math.exp(Math.hypot(Math.log(ratioOf(one)), Math.log(ratioOf(other))));
  if (value === 0)
    return { value, lower: 0, upper: one.upper * other.upper, confidenceRatio: one.confidenceRatio };
  return {
    value,
    // A lower end of 0 makes an infinite ratio, and so a lower end of 0.
    lower: value / both((part) => part.value / part.lower),
    upper: value * both((part) => part.upper / part.value),
    confidenceRatio: one.confidenceRatio,
  };
}

/** An energy's interval as it stands beside the energy; nothing where there is none. */
export function boundsOf(bounds: Interval | undefined): EnergyBounds {
  if (bounds === undefined) return {};
  return {
    lowerJoules: bounds.lower,
    upperJoules: bounds.upper,
    confidenceRatio: bounds.confidenceRatio,
  };
}
