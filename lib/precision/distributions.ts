// SPDX-License-Identifier: MIT
//
// Student's t and what belongs to it.

/** Of a normal distribution, 95 % lie within this many sigma. */
export const NORMAL_95 = 1.959963984540054;
/** Beyond this, Student's t is the normal distribution to four digits. */
const MANY_DEGREES = 1e5;

/** Lanczos' approximation (g = 7, n = 9), 15 digits. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(x: number): number {
  const shifted = x - 1;
  let sum = LANCZOS[0] ?? 0;
  for (let i = 1; i < LANCZOS.length; ++i) sum += (LANCZOS[i] ?? 0) / (shifted + i);
  const base = shifted + LANCZOS.length - 1.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

/** The regularised incomplete beta function, by its continued fraction (Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 300; ++m) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-13) break;
  }
  const front = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x);
  return (Math.exp(front) * fraction) / a;
}

/** How often |t| exceeds `t` by chance. The degrees need not be whole. */
export function studentTwoSided(t: number, degreesOfFreedom: number): number {
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);
}

/** The factor from one sigma to a two-sided 95 % interval. Fewer than one degree count as one. */
export function student95(degreesOfFreedom: number): number {
  if (!(degreesOfFreedom < MANY_DEGREES)) return NORMAL_95;
  const degrees = Math.max(1, degreesOfFreedom);
  let low = NORMAL_95;
  let high = 13;
  for (let i = 0; i < 60 && high - low > 1e-9; ++i) {
    const middle = (low + high) / 2;
    if (studentTwoSided(middle, degrees) > 0.05) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** What a normal number exceeds in so many cases. */
export const ONE_SIDED = {
  tenPercent: 1.2815515655446004,
  fivePercent: 1.6448536269514722,
  onePercent: 2.3263478740408408,
} as const;

/** What a chi-square of so many degrees exceeds as often as a normal number exceeds z (Wilson and Hilferty). */
export function chiSquareLimit(degreesOfFreedom: number, z: number): number {
  const part = 2 / (9 * degreesOfFreedom);
  return degreesOfFreedom * (1 - part + z * Math.sqrt(part)) ** 3;
}

/** One share of a combined uncertainty, in whatever unit the whole has. */
interface Share {
  readonly standardUncertaintyJoules: number;
  readonly degreesOfFreedomCount: number;
}

/** Effective degrees of freedom of a root sum of squares (Welch and Satterthwaite). */
export function effectiveDegrees(shares: readonly Share[]): number {
  let variance = 0;
  let inverse = 0;
  for (const { standardUncertaintyJoules: u, degreesOfFreedomCount: degrees } of shares) {
    variance += u * u;
    if (Number.isFinite(degrees)) inverse += u ** 4 / Math.max(1, degrees);
  }
  return inverse > 0 ? (variance * variance) / inverse : Number.POSITIVE_INFINITY;
}
