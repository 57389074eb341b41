// SPDX-License-Identifier: MIT
//
// Do counters that meter the same, or one inside the other, agree over the test? Functions of its numbers alone.
import type { CpuFacts } from '../core/modalias.js';
import { formatDecimals, formatEnergy, formatSignificant } from '../core/numbers.js';
import { interfaceOf } from '../meter/domains.js';
import type { Check, CounterTest } from './diagnosis.js';

/** A counter of the test with its scale, in joules per tick. */
export interface Compared extends CounterTest {
  scaleNumerator: bigint;
  scaleDenominator: bigint;
}

/** Beside what is known: reads of two interfaces lie apart in time, and the update's power is not the mean. */
const TOLERANCE_RATIO = 0.02;
/** MSR and MMIO of one package: a few per cent were seen on recent client parts. */
const MMIO_RATIO = 0.03;
/** A unit farther than this from a power of two is another unit, not a truncated one. */
const TRUNCATED_RATIO = 0.005;
/** 61.035 / 15.2588 is 4; against powercap's 15300 nJ it is 3.989. */
const DRAM_UNIT_FACTOR = [3.9, 4.1] as const;
const SAPPHIRE_RAPIDS: ReadonlySet<number> = new Set([0x8f, 0xcf]);
const BROADWELL_DE = 0x56;

type WithEnergy = Compared & { energyJoules: number };

function joulesOf(counter: Compared): counter is WithEnergy {
  return counter.status === 'ok' && counter.moved && (counter.energyJoules ?? 0) > 0;
}

/**
 * How far the kernel's unit lies from the hardware's power of two: powercap keeps whole nanojoules (61035 is 2.6 ppm
 * low, 15258 is 52 ppm low) and takes 15300 for server DRAM (0.27 % above perf). 0 for units of another kind.
 */
export function unitErrorRatio(scaleNumerator: bigint, scaleDenominator: bigint): number {
  const unitJoules = Number(scaleNumerator) / Number(scaleDenominator);
  const exponent = Math.round(Math.log2(unitJoules));
  const ratio = Math.abs(unitJoules / 2 ** exponent - 1);
  return Number.isFinite(ratio) && ratio < TRUNCATED_RATIO ? ratio : 0;
}

/** What two counts may differ by since either may lack, or hold, an update more: two periods of each. */
function edgeJoules(counter: WithEnergy, durationSeconds: number): number {
  const period = Math.min(counter.updatePeriodSeconds ?? counter.stillSeconds, durationSeconds);
  const watts = counter.energyJoules / durationSeconds;
  // Readings of GPUs carry the times of their updates: what remains is how the power went on within one.
  if (counter.source.startsWith('nvml')) return period * watts;
  return 2 * period * watts + (counter.quantumJoules ?? 0);
}

const percent = (ratio: number): string => `${formatDecimals(ratio * 100, 2)} %`;
const byDifference = (a: number, b: number): number => Math.abs(a - b) / Math.max(a, b);

/** What the tolerance of a pair allows for, and why. */
function knownDifference(one: WithEnergy, other: WithEnergy): { ratio: number; why: string } {
  const unit = Math.abs(
    unitErrorRatio(one.scaleNumerator, one.scaleDenominator) -
      unitErrorRatio(other.scaleNumerator, other.scaleDenominator),
  );
  const mmio = [one, other].filter((counter) => interfaceOf(counter.id).includes('mmio')).length === 1;
  if (mmio) return { ratio: unit + MMIO_RATIO, why: 'MSR and MMIO may differ by a few per cent' };
  return unit > 1e-3
    ? { ratio: unit, why: `the kernel's DRAM unit of 15300 nJ is ${percent(unit)} above perf's 2^-16 J` }
    : { ratio: unit, why: '' };
}

/** Words for a factor that is known. */
function explainFactor(one: WithEnergy, other: WithEnergy, factor: number, cpu: CpuFacts): string {
  if (one.domain === 'gpu') {
    return 'Sensors of some GPUs see a part of the time only, and some totals are wrong: which is off only an external meter tells.';
  }
  const larger = Math.max(factor, 1 / factor);
  if (one.domain !== 'dram' || larger < DRAM_UNIT_FACTOR[0] || larger > DRAM_UNIT_FACTOR[1]) return '';
  const low = factor > 1 ? one : other;
  const high = factor > 1 ? other : one;
  const isIntel = cpu.vendor === 'GenuineIntel' && cpu.family === 6;
  const byKernel = low.source === 'powercap' || low.source === 'perf';
  if (isIntel && byKernel && SAPPHIRE_RAPIDS.has(cpu.model ?? -1)) {
    return `${low.id} is low by a factor of 4: Linux 5.9 to 6.0 take the DRAM unit of older servers for this CPU; update the kernel, or use ${high.id}.`;
  }
  if (isIntel && cpu.model === BROADWELL_DE) {
    return `The kernel's interfaces disagree on this CPU's DRAM unit; ${low.id} has the fixed unit of its family.`;
  }
  return 'A factor of 4 is the DRAM unit taken wrongly by one of them (61 or 15.3 µJ): which one, the machine does not tell.';
}

const UNTOLD = 'Which of them is off cannot be told from two.';

/** Where the edges alone may make more than this, a comparison says nothing. */
const MOST_EDGES_RATIO = 0.5;

/** Two interfaces to one meter must have counted the same energy. Undefined where the test is too short to tell. */
function compareTwins(
  one: WithEnergy,
  other: WithEnergy,
  durationSeconds: number,
  cpu: CpuFacts,
): Check | undefined {
  const known = knownDifference(one, other);
  const factor = other.energyJoules / one.energyJoules;
  const difference = byDifference(one.energyJoules, other.energyJoules);
  const most = Math.max(one.energyJoules, other.energyJoules);
  const edges = (edgeJoules(one, durationSeconds) + edgeJoules(other, durationSeconds)) / most;
  if (edges > MOST_EDGES_RATIO) return undefined;
  const tolerance = known.ratio + edges + TOLERANCE_RATIO;
  const check = { kind: 'twins' as const, counters: [one.id, other.id], factorRatio: factor };
  const counted = `${one.id} counted ${formatEnergy(one.energyJoules)}, ${other.id} ${formatEnergy(other.energyJoules)}`;
  if (difference <= tolerance) {
    const why = known.why === '' ? '' : `; ${known.why}`;
    const detail = `${counted}: ${percent(difference)} apart, within ${percent(tolerance)}${why}.`;
    return { ...check, result: 'agree', detail };
  }
  // The driver reads AMD's register of one core on the package's lead CPU alone.
  if (one.domain === 'core' && cpu.vendor !== 'GenuineIntel' && cpu.vendor !== undefined) {
    const isOneCore = [one, other].some(({ source }) => source === 'powercap');
    const detail = `${counted}: on AMD, powercap's core zone is one core only, the other all cores of the package.`;
    if (isOneCore) return { ...check, result: 'remark', detail };
  }
  const explained = explainFactor(one, other, factor, cpu);
  const times = formatSignificant(Math.max(factor, 1 / factor), 3);
  const low = factor > 1 ? one : other;
  const detail = `${counted}: ${low.id} is ${times} times lower, and only ${percent(tolerance)} can be explained. ${
    explained || UNTOLD
  }`;
  return { ...check, result: 'disagree', detail };
}

/** With three interfaces or more, the one that is off is the one that leaves the middle, if all others agree. */
function nameTheOdd(
  twins: readonly WithEnergy[],
  checks: readonly Check[],
  agree: (one: WithEnergy, other: WithEnergy) => boolean,
): Check[] {
  if (twins.length < 3) return [...checks];
  const sorted = twins.map((one) => one.energyJoules).toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const odd = twins.toSorted(
    (a, b) => byDifference(b.energyJoules, middle) - byDifference(a.energyJoules, middle),
  )[0];
  const others = twins.filter((one) => one !== odd);
  const [first] = others;
  const isAlone = first !== undefined && others.every((one) => one === first || agree(first, one));
  return checks.map((check) => {
    if (check.result !== 'disagree' || odd === undefined) return check;
    const named = isAlone
      ? `${odd.id} is off: the others agree.`
      : 'The others disagree, too, so which is off cannot be told.';
    return isAlone && !check.counters.includes(odd.id)
      ? check
      : { ...check, detail: check.detail.replace(UNTOLD, named) };
  });
}

/** Counters of one domain, device and die, one an interface. */
function twinGroups(counters: readonly WithEnergy[]): WithEnergy[][] {
  const groups = new Map<string, WithEnergy[]>();
  for (const counter of counters) {
    const key = [counter.domain, counter.device, counter.die ?? ''].join(' ');
    const group = groups.get(key) ?? [];
    // Two zones of one interface are for the meter to tell apart.
    if (group.some((one) => interfaceOf(one.id) === interfaceOf(counter.id))) continue;
    groups.set(key, [...group, counter]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Source and control type: what lists a package and its parts. */
function listOf({ id, source }: Compared): string {
  return source === 'powercap' ? interfaceOf(id) : source.replace(/-core$/, '');
}

function sumOf(counters: readonly WithEnergy[]): number {
  return counters.reduce((sum, counter) => sum + counter.energyJoules, 0);
}

/** A package must have counted at least what its cores and its graphics did. */
function compareParts(whole: WithEnergy, all: readonly WithEnergy[], durationSeconds: number): Check[] {
  const parts = all.filter(
    (one) =>
      (one.domain === 'core' || one.domain === 'uncore') &&
      one.device === whole.device &&
      one.die === whole.die &&
      listOf(one) === listOf(whole),
  );
  if (parts.length === 0) return [];
  const sum = sumOf(parts);
  const edges = [whole, ...parts].reduce((joules, one) => joules + edgeJoules(one, durationSeconds), 0);
  const names = parts.map(({ id }) => id).join(' + ');
  const counted = `${whole.id} counted ${formatEnergy(whole.energyJoules)}, ${names} ${formatEnergy(sum)}`;
  const holds = sum <= whole.energyJoules * (1 + TOLERANCE_RATIO) + edges;
  return [
    {
      kind: 'parts',
      result: holds ? 'agree' : 'disagree',
      counters: [whole.id, ...parts.map(({ id }) => id)],
      factorRatio: sum / whole.energyJoules,
      detail: holds
        ? `${counted}: the package holds its parts.`
        : `${counted}: parts cannot exceed their package, so one of them has a wrong unit, or is no part of it.`,
    },
  ];
}

/** A platform counter is calibrated otherwise, or covers less: a remark, never an error. */
function comparePlatform(psys: WithEnergy, packages: readonly WithEnergy[]): Check[] {
  if (packages.length === 0) return [];
  const sum = sumOf(packages);
  const holds = psys.energyJoules >= sum;
  const counted = `${psys.id} counted ${formatEnergy(psys.energyJoules)}, the packages ${formatEnergy(sum)}`;
  return [
    {
      kind: 'platform',
      result: holds ? 'agree' : 'remark',
      counters: [psys.id, ...packages.map(({ id }) => id)],
      factorRatio: sum / psys.energyJoules,
      detail: holds
        ? `${counted}: the platform holds its packages.`
        : `${counted}: on this board psys does not hold the packages; it is shown apart and never added.`,
    },
  ];
}

/** All comparisons that the counters of a test allow. */
export function checkConsistency(
  counters: readonly Compared[],
  durationSeconds: number,
  cpu: CpuFacts,
): Check[] {
  const moved = counters.filter(joulesOf);
  const twins = twinGroups(moved).flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    const compare = (one: WithEnergy, other: WithEnergy) => compareTwins(one, other, durationSeconds, cpu);
    return nameTheOdd(
      group,
      others.map((other) => compare(first, other)).filter((check) => check !== undefined),
      (one, other) => compare(one, other)?.result !== 'disagree',
    );
  });
  const packages = moved.filter(({ domain }) => domain === 'package');
  const psys = moved.filter(({ domain }) => domain === 'psys');
  return [
    ...packages.flatMap((whole) => compareParts(whole, moved, durationSeconds)),
    ...twins,
    ...psys.flatMap((one) =>
      comparePlatform(
        one,
        packages.filter((whole) => listOf(whole) === listOf(one)),
      ),
    ),
  ];
}
