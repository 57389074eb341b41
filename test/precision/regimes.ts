// SPDX-License-Identifier: MIT
//
// The situations that are simulated, and what is demanded of each.
import type { Random } from './random.js';
import {
  aboveIdle,
  alignedMeasured,
  batchesUntil,
  repeated,
  swept,
  sweptUntil,
  totalOfFour,
} from './repeated.js';
import { aligned, passive, type Shape, step } from './scenes.js';
import type { Summary, Trial } from './tally.js';
import { noisyPower, RAPL, slower, squareWave, type VirtualCounter } from './virtual-counter.js';

export interface Regime {
  group: string;
  name: string;
  run: (random: Random) => Trial;
  /** Sentences about what is not as demanded; `slack` widens limits on rates for small numbers of trials. */
  demands: readonly Demand[];
  /** So many times the trials of others, where they are cheap and a rate lies close to its limit. */
  trialFactor?: number;
}

export type Demand = (summary: Summary, slack: (rate: number) => number) => string | undefined;

const percent = (ratio: number | undefined): string =>
  ratio === undefined ? 'none' : `${(100 * ratio).toFixed(2)} %`;

const bias =
  (most: number): Demand =>
  ({ biasRatio, rmsRatio = 0, trialCount }) => {
    // The mean itself is uncertain by rms / sqrt n.
    const noise = (3 * rmsRatio) / Math.sqrt(trialCount);
    const isWithin = biasRatio !== undefined && Math.abs(biasRatio) <= most + noise;
    return isWithin ? undefined : `bias ${percent(biasRatio)}`;
  };
const covers: Demand = ({ coverage }, slack) =>
  coverage >= 0.93 - slack(0.93) ? undefined : `covers ${percent(coverage)}`;
const coversNarrowly: Demand = ({ resolvedCoverage = 0 }, slack) =>
  resolvedCoverage >= 0.93 - slack(0.93) && resolvedCoverage <= 0.97 + slack(0.97)
    ? undefined
    : `values cover ${percent(resolvedCoverage)}`;
const isNarrow: Demand = ({ widthOverShortest }) =>
  widthOverShortest === undefined || widthOverShortest <= 1.5
    ? undefined
    : `${widthOverShortest.toFixed(2)} x the shortest`;
const resolves: Demand = ({ resolvedRatio }) =>
  resolvedRatio >= 0.95 ? undefined : `resolved ${percent(resolvedRatio)}`;
const coveredOrFlagged: Demand = (summary, slack) =>
  summary.coveredOrFlagged >= 0.9 - slack(0.9)
    ? undefined
    : `covered or flagged ${percent(summary.coveredOrFlagged)}`;

const UNRESOLVED: readonly Demand[] = [covers];
const SHORT: readonly Demand[] = [bias(0.01), coversNarrowly];
const EXACT: readonly Demand[] = [bias(0.01), covers, coversNarrowly, isNarrow, resolves];
const SAFE: readonly Demand[] = [bias(0.01), covers, isNarrow, resolves];
const ALIGNED: readonly Demand[] = [bias(0.015), covers, coversNarrowly, isNarrow];
const WRONG: readonly Demand[] = [coveredOrFlagged];

const COUNTERS: readonly (readonly [string, VirtualCounter])[] = [
  ['1 ms', RAPL],
  ['20 ms', slower(RAPL, 20)],
  ['100 ms', slower(RAPL, 100)],
];

function demandsAt(length: number): readonly Demand[] {
  if (length < 1) return UNRESOLVED;
  return length < 3 ? [covers, ...SHORT] : EXACT;
}

const regimes: Regime[] = [];
const add = (group: string, name: string, demands: readonly Demand[], run: Regime['run']): void => {
  regimes.push({ group, name, demands, run });
};

for (const [period, counter] of COUNTERS) {
  for (const length of [0.1, 0.37, 1.37, 2.37, 3.37, 5.37, 10.37, 33.37, 100.37]) {
    add(
      `Passive, 30 W to 60 W and back, period ${period}`,
      `${length} periods`,
      demandsAt(length),
      (random) => passive({ counter, length, shape: step(30, 60) }, random),
    );
  }
}
for (const [period, counter] of COUNTERS) {
  for (const length of [0.1, 0.37, 1.07, 1.37, 2.37, 3.37]) {
    add(
      `Tick-aligned, spinning at 55 W known to 1 %, period ${period}`,
      `${length} periods`,
      ALIGNED,
      (random) =>
        aligned(
          {
            counter,
            length,
            spinWatts: 55,
            insideWatts: 60,
            spinRatio: 0.01,
            options: { method: 'tick-aligned' },
          },
          random,
        ),
    );
  }
}
for (const length of [0.1, 1.07, 1.63]) {
  add('Tick-aligned, power of spinning measured', `${length} periods`, ALIGNED, (random) =>
    alignedMeasured(RAPL, length, random),
  );
}
for (const [period, counter] of COUNTERS) {
  for (const spread of [0, 0.05]) {
    add(
      'Repetition of 0.1 periods',
      `period ${period}, calls ${spread === 0 ? 'alike' : 'spread by 5 %'}`,
      [bias(0.01), covers, coversNarrowly, isNarrow, resolves],
      (random) => repeated(counter, 0.1, 0.01, spread, random),
    );
  }
}
for (const [length, count] of [
  [0.1, 100],
  [0.1, 20],
  [0.02, 200],
  [0.37, 100],
] as const) {
  add('Phase sweep', `${count} single calls of ${length} periods`, EXACT, (random) =>
    swept(RAPL, length, count, random),
  );
}
for (const [name, counter, shape] of [
  ['a setup of 90 W before each', RAPL, { setupWatts: 90 }],
  ['a tenth of them interrupted', RAPL, { interruptedRatio: 0.1 }],
  ['reader held up at 10 %', { ...RAPL, heldUp: { ratio: 0.1, seconds: 3e-4 } }, { setupWatts: 90 }],
] as const) {
  add('Phase sweep', `100 single calls of 0.1 periods, ${name}`, EXACT, (random) =>
    swept(counter, 0.1, 100, random, shape),
  );
}
for (const [spread, target] of [
  [0.02, 0.01],
  [0.05, 0.01],
  [0.05, 0.02],
] as const) {
  regimes.push({
    group: 'Until narrow enough',
    name: `batches that spread by ${100 * spread} %, until ${100 * target} %, ten times the trials`,
    demands: [bias(0.01), covers, coversNarrowly, resolves],
    trialFactor: 10,
    run: (random) => batchesUntil(spread, target, random),
  });
}
for (const target of [0.001, 0.0015, 0.0025]) {
  add(
    'Until narrow enough',
    `single calls of 0.1 periods, until ${100 * target} %`,
    [bias(0.01), covers, coversNarrowly, resolves],
    (random) => sweptUntil(RAPL, 0.1, target, random),
  );
}
for (const length of [3.37, 10.37, 100.37]) {
  add('No step at the edges, 60 W throughout', `${length} periods`, SAFE, (random) =>
    passive({ counter: RAPL, length, shape: step(60, 60) }, random),
  );
}
for (const [name, counter, watts] of [
  ['1 W memory, quantum 15.3 µJ', { ...RAPL, quantumJoules: 15.3e-6 }, [1, 2]],
  ['quantum a sixth of an update', { ...slower(RAPL, 100), quantumJoules: 1 }, [30, 60]],
  ['reads every 0.3 periods', { ...RAPL, pollSeconds: 300e-6 }, [30, 60]],
  ['updates wander in phase', { ...RAPL, walkSeconds: 30e-6 }, [30, 60]],
] as const) {
  for (const length of [3.37, 10.37, 33.37]) {
    add('Other counters, 30 W to 60 W', `${name}, ${length} periods`, SAFE, (random) =>
      passive({ counter, length, shape: step(watts[0], watts[1]) }, random),
    );
  }
}
for (const length of [3.37, 10.37, 33.37]) {
  add(
    'Other counters, 30 W to 60 W',
    `reader held up at 10 %, ${length} periods`,
    [bias(0.01), covers],
    (random) =>
      passive(
        { counter: { ...RAPL, heldUp: { ratio: 0.1, seconds: 3e-4 } }, length, shape: step(30, 60) },
        random,
      ),
  );
}
for (const length of [3.37, 10.37, 100.37]) {
  add('Active energy, idle measured before and after', `60 W over 20 W, ${length} periods`, SAFE, (random) =>
    aboveIdle(RAPL, length, 60, random),
  );
  add('Sum of four counters', `${length} periods`, SAFE, (random) => totalOfFour(RAPL, length, random));
}

// From here on the assumption of a steady power, or of a whole record, is wrong.
const noisy =
  (ratio: number): Shape =>
  (_length, from, to, random) =>
    noisyPower({ from, to, step: 0.25e-3, watts: 60, ratio }, random);
for (const ratio of [0.002, 0.005, 0.02, 0.1]) {
  for (const length of [2.37, 3.37, 10.37, 33.37]) {
    add(
      `Power drawn anew every quarter period`,
      `spread ${percent(ratio)}, ${length} periods`,
      WRONG,
      (random) => passive({ counter: RAPL, length, shape: noisy(ratio) }, random),
    );
  }
}
const bursts =
  (cycle: number, everywhere: boolean): Shape =>
  (length, from, to, random) => {
    const wave = { cycle: cycle * 1e-3, duty: 0.5, low: 20, high: 80 };
    if (everywhere) return squareWave({ from, to, ...wave }, random);
    return [[from, 30], [0, 30], ...squareWave({ from: 0, to: length, ...wave }, random), [length, 30]];
  };
const WRONG_SHAPES: readonly (readonly [string, Shape])[] = [
  [
    'ramp 30 W to 60 W, steady outside',
    (length) => [
      [0, 30],
      [length, 60],
    ],
  ],
  [
    'ramp 40 W to 80 W, 30 W outside',
    (length) => [
      [0, 30],
      [0, 40],
      [length, 80],
      [length, 30],
    ],
  ],
  [
    '90 W for the first 0.4 periods, then 60 W',
    (length) => [
      [0, 30],
      [0, 90],
      [0.4e-3, 90],
      [0.4e-3, 60],
      [length, 60],
      [length, 30],
    ],
  ],
  ['bursts of 0.5 periods, throughout', bursts(0.503, true)],
  ['bursts of 0.97 periods, throughout', bursts(0.97, true)],
  ['bursts of 3.3 periods, throughout', bursts(3.3, true)],
  ['bursts of 0.3 periods, inside', bursts(0.3, false)],
  ['bursts of 1.03 periods, inside', bursts(1.03, false)],
  ['bursts of 5 periods, inside', bursts(5, false)],
];
for (const [name, shape] of WRONG_SHAPES) {
  for (const length of [2.37, 3.37, 10.37, 33.37]) {
    add(`Power that is not steady`, `${name}, ${length} periods`, WRONG, (random) =>
      passive({ counter: RAPL, length, shape }, random),
    );
  }
}
const WRONG_COUNTERS: readonly (readonly [string, VirtualCounter])[] = [
  ['10 % of updates missed, said', { ...RAPL, missedRatio: 0.1 }],
  ['10 % of updates missed, unsaid', { ...RAPL, missedRatio: 0.1, saysMissed: false }],
  ['energy filter, 5 mJ a count', { ...RAPL, filterJoules: 5e-3 }],
  ['register 0.1 periods old', { ...RAPL, lagSeconds: 100e-6 }],
];
for (const [name, counter] of WRONG_COUNTERS) {
  for (const length of [2.37, 3.37, 10.37, 33.37]) {
    add('Records that are not whole, 30 W to 60 W', `${name}, ${length} periods`, WRONG, (random) =>
      passive({ counter, length, shape: step(30, 60) }, random),
    );
  }
}

for (const [ratio, periods] of [
  [0.05, 4],
  [0.3, 4],
] as const) {
  for (const length of [10.37, 33.37]) {
    add(
      'Records that are not whole, 30 W to 60 W',
      `reader away after ${percent(ratio)} of updates, for up to ${periods} periods, ${length} periods`,
      [...WRONG, bias(0.01), covers],
      (random) =>
        passive(
          { counter: { ...RAPL, away: { ratio, seconds: periods * 1e-3 } }, length, shape: step(30, 60) },
          random,
        ),
    );
  }
}

export const REGIMES: readonly Regime[] = regimes;

/** 2.6 sigma of a rate over so many trials: the limits are met on average, not in every short run. */
export function slackOf(trialCount: number): (rate: number) => number {
  return (rate) => 2.6 * Math.sqrt((rate * (1 - rate)) / trialCount);
}

/** What a summary falls short of. */
export function shortcomings(regime: Regime, summary: Summary): string[] {
  const slack = slackOf(summary.trialCount);
  return regime.demands.flatMap((demand) => demand(summary, slack) ?? []);
}
