// SPDX-License-Identifier: MIT

// The one place where numbers become text for people. JSON and CSV carry full precision instead.

const UNKNOWN = 'unknown';
/** Below this, plain decimals are mostly zeros and scientific notation reads better. */
const SCIENTIFIC_BELOW = 1e-4;
/** Below this, six decimals would hold fewer than four significant digits. */
const FIXED_DECIMALS_FROM = 1e-3;
const DIGITS = 4;

type Ladder = readonly (readonly [scale: number, unit: string])[];

const ENERGY_JOULES: Ladder = [
  [1e6, 'MJ'],
  [1e3, 'kJ'],
  [1, 'J'],
  [1e-3, 'mJ'],
  [1e-6, 'µJ'],
];
const POWER_WATTS: Ladder = [
  [1e6, 'MW'],
  [1e3, 'kW'],
  [1, 'W'],
  [1e-3, 'mW'],
  [1e-6, 'µW'],
];
const MASS_GRAMS: Ladder = [
  [1e6, 't'],
  [1e3, 'kg'],
  [1, 'g'],
  [1e-3, 'mg'],
  [1e-6, 'µg'],
];

const DURATION_SECONDS: Ladder = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
];

/** The quantities that {@link formatSpread} knows; the values are in J, W, g and s. */
const LADDERS = {
  energy: ENERGY_JOULES,
  power: POWER_WATTS,
  mass: MASS_GRAMS,
  duration: DURATION_SECONDS,
} as const;

/** `value` with `digits` significant digits; integer digits are never dropped. `unknown` when not finite. */
export function formatSignificant(value: number, digits: number = DIGITS): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude < SCIENTIFIC_BELOW) return value.toExponential(digits - 1);
  if (magnitude >= 10 ** digits) return value.toFixed(0);
  // toPrecision turns 9999.9 into 1.000e+4; rounding again through toFixed keeps it plain.
  const text = value.toPrecision(digits);
  return text.includes('e') ? Number(text).toFixed(0) : text;
}

/** `value` with at most `most` decimals, trailing zeros dropped. */
export function formatDecimals(value: number, most: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const [whole = '0', decimals = ''] = value.toFixed(most).split('.');
  const kept = decimals.replace(/0+$/, '');
  return kept === '' ? whole : `${whole}.${kept}`;
}

/**
 * An amount in kWh or kg: six decimals, or four significant digits when smaller than 0.001, so that a
 * tiny run never reads as 0.000000.
 */
export function formatSixDecimals(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  return Math.abs(value) >= FIXED_DECIMALS_FROM ? value.toFixed(6) : formatSignificant(value);
}

/** An energy in joules on the ladder µJ, mJ, J, kJ, MJ, with four significant digits: `16.70 kJ`. */
export function formatEnergy(energyJoules: number): string {
  return climb(energyJoules, ENERGY_JOULES, 'J');
}

/** A power in watts on the ladder µW, mW, W, kW, MW, with four significant digits: `14.00 W`. */
export function formatPower(powerWatts: number): string {
  return climb(powerWatts, POWER_WATTS, 'W');
}

/** A mass in grams on the ladder µg, mg, g, kg, t, with four significant digits: `1.056 g`. */
export function formatMass(massGrams: number): string {
  return climb(massGrams, MASS_GRAMS, 'g');
}

/** A duration in seconds for people: `12.35 ms`, `1.204 s`, `19 min 52.96 s`, `2 h 03 min 04 s`. */
export function formatDuration(durationSeconds: number): string {
  if (!Number.isFinite(durationSeconds)) return UNKNOWN;
  if (Number(durationSeconds.toPrecision(DIGITS)) < 60) return climb(durationSeconds, DURATION_SECONDS, 's');
  // Rounding before splitting keeps 59.999 s from reading as "60.00 s".
  const centiseconds = Math.round(durationSeconds * 100);
  if (centiseconds < 360_000) {
    const minutes = Math.floor(centiseconds / 6000);
    return `${minutes} min ${((centiseconds % 6000) / 100).toFixed(2).padStart(5, '0')} s`;
  }
  const seconds = Math.round(durationSeconds);
  const minutes = String(Math.floor(seconds / 60) % 60).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return `${hours} h ${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(hours / 24)} d ${String(hours % 24).padStart(2, '0')} h ${minutes} min`;
}

/** A share of one, 0 to 1, in whole per cent; a share that is not all or nothing never reads as such. */
export function formatShare(ratio: number): string {
  if (!Number.isFinite(ratio)) return UNKNOWN;
  if (ratio > 0 && ratio < 0.01) return 'under 1 %';
  if (ratio > 0.99 && ratio < 1) return 'over 99 %';
  return `${Math.round(ratio * 100)} %`;
}

/** Puts "at least" before a value that is known to miss something. */
export function withAtLeast(text: string, atLeast: boolean): string {
  return atLeast ? `at least ${text}` : text;
}

/** An ISO 8601 UTC time for people, to the second: `2022-12-25 12:00:00 UTC`. */
export function formatTimestamp(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** `value` in joules, grams or seconds on its ladder, beside a deviation in the same unit: `57.34 ± 2.33 mg`. */
export function formatSpread(mean: number, deviation: number, quantity: keyof typeof LADDERS): string {
  if (!Number.isFinite(mean) || !Number.isFinite(deviation)) return UNKNOWN;
  const [scale, unit] = stepFor(mean, LADDERS[quantity]);
  const text = formatSignificant(mean / scale);
  // As many decimals as the mean has, unless the deviation would vanish among them.
  const decimals = /^\d+\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
  const fixed = (deviation / scale).toFixed(decimals);
  const vanished = Number(fixed) === 0 && deviation > 0;
  return `${text} ± ${vanished ? formatSignificant(deviation / scale, 2) : fixed} ${unit}`;
}

/** The quantities that {@link formatBounds} knows beside those of the ladders. */
type Bounded = keyof typeof LADDERS | 'intensity';

/**
 * An interval around a value, in joules, grams or g/kWh, its half-width to two significant digits: `± 4.1 J` where both
 * sides are alike within a tenth and small beside it, otherwise `0.74 to 1.50 g`. In the unit that the value itself is printed in.
 */
export function formatBounds(value: number, lower: number, upper: number, quantity: Bounded): string {
  if (![value, lower, upper].every(Number.isFinite)) return UNKNOWN;
  const [scale, unit] =
    quantity === 'intensity' ? ([1, 'g/kWh'] as const) : stepFor(value, LADDERS[quantity]);
  const [below, above] = [(value - lower) / scale, (upper - value) / scale];
  if (below === 0 && above === 0) return `± 0 ${unit}`;
  const widest = Math.max(below, above);
  // Around a value of the same size, the ends say more than the width.
  if (Math.abs(above - below) <= 0.1 * widest && widest <= Math.abs(value / scale) / 2) {
    return `± ${atDecimals(widest, decimalsOf(widest))} ${unit}`;
  }
  const decimals = decimalsOf((below + above) / 2);
  return `${atDecimals(lower / scale, decimals)} to ${atDecimals(upper / scale, decimals)} ${unit}`;
}

/** Decimals with which a positive number has two significant digits; negative for tens. */
function decimalsOf(value: number): number {
  return 1 - Math.floor(Math.log10(Number(value.toPrecision(2))));
}

/** At so many decimals, but with no fewer than two significant digits of its own. */
function atDecimals(value: number, decimals: number): string {
  if (value === 0) return '0';
  const needed = Math.max(decimals, decimalsOf(value));
  if (needed > 6) return value.toExponential(1);
  return needed >= 0 ? value.toFixed(needed) : String(Math.round(value * 10 ** needed) / 10 ** needed);
}

/** A unit for several values of one quantity: that of the largest. */
export function commonUnit(
  values: readonly number[],
  quantity: keyof typeof LADDERS,
): readonly [scale: number, unit: string] {
  return stepFor(Math.max(0, ...values.filter(Number.isFinite)), LADDERS[quantity]);
}

function climb(value: number, ladder: Ladder, unit: string): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return `0 ${unit}`;
  const [scale, name] = stepFor(value, ladder);
  return `${formatSignificant(value / scale)} ${name}`;
}

function stepFor(value: number, ladder: Ladder): readonly [scale: number, unit: string] {
  // The step is chosen after rounding, so that 999.96 J becomes 1.000 kJ and not 1000 J.
  const rounded = Math.abs(Number(value.toPrecision(DIGITS)));
  const base = ladder.find(([scale]) => scale === 1) ?? ([1, ''] as const);
  if (rounded === 0) return base;
  return ladder.find(([scale]) => rounded >= scale) ?? ladder.at(-1) ?? base;
}
