// SPDX-License-Identifier: MIT
//
// Which of some functions uses less energy, in an order that a drift of the machine cannot fool.
import { performance } from 'node:perf_hooks';
import { MicrojouleError } from '../core/errors.js';
import { formatSignificant } from '../core/numbers.js';
import type { Warning } from '../core/vocabulary.js';
import { comparePairs, type PairBlock } from '../precision/compare.js';
import { batchMeans } from '../precision/repetition.js';
import { missingOf } from '../region/estimate.js';
import { type RunBatch, runBatch } from './batches.js';
import { checkFunction, resolveOptions } from './options.js';
import { isThenable, type Runner, runnerOf, secondsOf, warmUp } from './run.js';
import { openSession, type Session } from './session.js';
import { singleCall } from './sweep.js';
import type { CompareEnergyOptions, Contestant, EnergyComparison, MeasureEnergyOptions } from './types.js';
import { OVERRUN_RATIO } from './verdict.js';

const BUDGET_SECONDS = 10;
const WARM_UP_SHARE = 0.15;
const FEWEST_BLOCKS = 8;
const MOST_BLOCKS = 40;
/** How long a run is, in periods: many short runs tell more than a few long ones, once each is told well. */
const FEWEST_PERIODS = 3.5;
const MOST_PERIODS = 20;
/** Settling and lead-in between two runs, in periods. */
const PAUSE_PERIODS = 4;

interface Entry {
  name: string;
  runner: Runner;
  callCount: number;
  callSeconds: number;
  runs: RunBatch[];
  isStable: boolean;
}

/**
 * Compares functions by running them in turn, in blocks whose order is drawn by chance and then mirrored (ABBA), which
 * cancels whatever drifts. The first is the reference, and each comparison with it holds 95 % by itself. Between them blocks of the reference against itself show whether
 * the machine was steady enough to say anything.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NO_COUNTERS` with what to do about it; what a function itself throws
 */
export async function compareEnergy(
  functions: Readonly<Record<string, () => unknown>>,
  options: CompareEnergyOptions = {},
): Promise<EnergyComparison> {
  const names = Object.keys(functions ?? {});
  if (names.length < 2) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `compareEnergy: at least two functions expected, received ${names.length}`,
      {
        hint: 'Pass them by name: compareEnergy({ a: () => one(), b: () => another() }).',
      },
    );
  }
  for (const name of names) checkFunction(functions[name], name);
  const { blockCount } = options;
  if (blockCount !== undefined && !(Number.isInteger(blockCount) && blockCount >= FEWEST_BLOCKS)) {
    throw new MicrojouleError(
      'ERR_BAD_OPTION',
      `blockCount: a whole number of at least ${FEWEST_BLOCKS} expected, received ${blockCount}`,
    );
  }
  const { budgetSeconds, random } = resolveOptions(
    { name: 'compareEnergy' },
    options as MeasureEnergyOptions,
    BUDGET_SECONDS,
  );
  const session = await openSession(options as MeasureEnergyOptions);
  try {
    return await compare(session, functions, names, options, budgetSeconds, random);
  } finally {
    session.close();
  }
}

async function compare(
  session: Session,
  functions: Readonly<Record<string, () => unknown>>,
  names: readonly string[],
  { signal, blockCount }: CompareEnergyOptions,
  budgetSeconds: number,
  random: () => number,
): Promise<EnergyComparison> {
  const startMs = performance.now();
  const left = (): number => budgetSeconds - (performance.now() - startMs) / 1000;
  const wantedBlocks = blockCount ?? FEWEST_BLOCKS;
  // Each block runs every function twice; a block of the reference against itself takes four runs.
  const runsPerBlock = 2 * names.length + 4;
  const entries: Entry[] = [];
  for (const name of names) {
    const share = (WARM_UP_SHARE * budgetSeconds) / names.length;
    entries.push(await prepare(session, name, functions[name] as () => unknown, share));
    signal?.throwIfAborted();
  }
  const periodSeconds = session.calibration.periodNs / 1e9;
  const runSeconds = Math.max(0, left() / (wantedBlocks * runsPerBlock) - PAUSE_PERIODS * periodSeconds);
  const usedSeconds = Math.min(runSeconds, MOST_PERIODS * periodSeconds);
  for (const entry of entries) {
    const seconds = Math.max(usedSeconds, FEWEST_PERIODS * periodSeconds);
    entry.callCount = Math.max(1, Math.ceil(seconds / entry.callSeconds));
  }
  checkBudget(entries, wantedBlocks, PAUSE_PERIODS * periodSeconds, budgetSeconds, left());

  const [reference, ...others] = entries as [Entry, ...Entry[]];
  const blocks = new Map<Entry, PairBlock[]>(others.map((entry) => [entry, []]));
  const selfBlocks: PairBlock[] = [];
  let lostCount = 0;
  const run = async (entry: Entry): Promise<number> => {
    signal?.throwIfAborted();
    const batch = await runBatch(session, entry.runner, entry.callCount);
    if (batch.estimate.method === 'bound') return Number.NaN;
    entry.runs.push(batch);
    return batch.estimate.energyJoules / batch.callCount;
  };
  const most = blockCount ?? MOST_BLOCKS;
  for (let block = 0; block < most; ++block) {
    if (block >= wantedBlocks && left() <= 0) break;
    // The machine got slower: a verdict may be out of reach, but not what the blocks until now say.
    if (selfBlocks.length >= 2 && left() < (1 - OVERRUN_RATIO) * budgetSeconds) break;
    const order = shuffled(entries, random);
    const found = new Map<Entry, [number, number]>();
    for (const entry of order) found.set(entry, [await run(entry), Number.NaN]);
    for (const entry of order.toReversed()) {
      const pair = found.get(entry);
      if (pair !== undefined) pair[1] = await run(entry);
    }
    const self = [
      await run(reference),
      await run(reference),
      await run(reference),
      await run(reference),
    ] as const;
    const own = found.get(reference) ?? [Number.NaN, Number.NaN];
    for (const entry of others) {
      const pair: PairBlock = { aJoules: found.get(entry) ?? own, bJoules: own };
      if (isWhole(pair)) blocks.get(entry)?.push(pair);
      else lostCount += 1;
    }
    const selfPair: PairBlock = { aJoules: [self[0], self[3]], bJoules: [self[1], self[2]] };
    if (isWhole(selfPair)) selfBlocks.push(selfPair);
  }

  const comparisons = others.map((entry) => {
    const pairs = blocks.get(entry) ?? [];
    if (pairs.length < 2 || selfBlocks.length < 2) {
      throw new MicrojouleError(
        'ERR_NO_ENERGY',
        `${entry.name} against ${reference.name}: the counters could not tell single runs apart`,
        {
          hint: 'Run microjoule doctor, or raise budgetSeconds so that runs are longer.',
        },
      );
    }
    const compared = comparePairs(pairs, { names: [entry.name, reference.name], selfBlocks, random });
    return { ...compared, name: entry.name, reference: reference.name };
  });
  const missing = [...missingOf(reference.runs[0]?.counters ?? []), ...session.recorder.absent()];
  return {
    contestants: entries.map(contestantOf),
    comparisons,
    provenance: { ...session.provenance, method: 'ABBA blocks' },
    missing,
    warnings: warningsOf(entries, missing, lostCount, left(), budgetSeconds),
    summary: comparisons.map(({ verdict }) => verdict).join('\n'),
  };
}

/** Says before the blocks that there is no time for the fewest that can tell anything. */
function checkBudget(
  entries: readonly Entry[],
  blockCount: number,
  pauseSeconds: number,
  budgetSeconds: number,
  leftSeconds: number,
): void {
  // Of the reference, its blocks against itself are four more.
  const runsSeconds = entries.reduce(
    (sum, { callCount, callSeconds }, index) =>
      sum + (index === 0 ? 6 : 2) * (callCount * callSeconds + pauseSeconds),
    0,
  );
  const neededSeconds = budgetSeconds - leftSeconds + blockCount * runsSeconds;
  if (neededSeconds <= OVERRUN_RATIO * budgetSeconds) return;
  // The warm-up takes its part of a larger budget, too.
  const enough = formatSignificant((1.1 * blockCount * runsSeconds) / (1 - WARM_UP_SHARE), 2);
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `budgetSeconds: ${blockCount} blocks of these functions take about ${formatSignificant(neededSeconds, 2)} s, received ${budgetSeconds}`,
    { hint: `Pass budgetSeconds: ${enough}, or functions that do less in a call.` },
  );
}

async function prepare(session: Session, name: string, fn: () => unknown, seconds: number): Promise<Entry> {
  let isAsync = false;
  const call = (): unknown => {
    const result = fn();
    isAsync = isThenable(result);
    return result;
  };
  const first = await singleCall(session, { setup: () => undefined, call });
  const runner = runnerOf(fn, isAsync);
  const { callSeconds, isStable } = await warmUp(runner, secondsOf(first), seconds);
  return { name, runner, callCount: 1, callSeconds, runs: [], isStable };
}

function isWhole({ aJoules, bJoules }: PairBlock): boolean {
  return [...aJoules, ...bJoules].every((joules) => joules > 0);
}

/** Fisher and Yates. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const order = [...values];
  for (let i = order.length - 1; i > 0; --i) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [order[i] as T, order[j] as T];
    order[i] = b;
    order[j] = a;
  }
  return order;
}

function contestantOf({ name, runs, callCount }: Entry): Contestant {
  const calls = runs.reduce((sum, run) => sum + run.callCount, 0);
  return {
    name,
    callSeconds: runs.reduce((sum, { region }) => sum + secondsOf(region), 0) / calls,
    energy: batchMeans(runs),
    callsPerRunCount: callCount,
  };
}

function warningsOf(
  entries: readonly Entry[],
  missing: readonly string[],
  lostCount: number,
  leftSeconds: number,
  budgetSeconds: number,
): Warning[] {
  const warnings: Warning[] = entries
    .filter(({ isStable }) => !isStable)
    .map(({ name }) => ({
      code: 'not-warm',
      message: `the time of a call of ${name} had not settled after its warm-up`,
      hint: `Raise budgetSeconds (now ${budgetSeconds}).`,
    }));
  if (missing.length > 0) {
    warnings.push({
      code: 'at-least',
      message: `${missing.join(', ')} could not be read: energies are at least so much, and what differs there is not seen`,
      hint: 'Run microjoule doctor.',
    });
  }
  if (lostCount > 0) {
    warnings.push({
      code: 'lost-blocks',
      message: `${lostCount} blocks were left out, as the counters could not tell a run in them`,
      hint: 'Stop other programs, or raise budgetSeconds.',
    });
  }
  if (leftSeconds < (1 - OVERRUN_RATIO) * budgetSeconds) {
    warnings.push({
      code: 'over-budget',
      message: `the blocks took ${(budgetSeconds - leftSeconds).toFixed(1)} s, longer than the budget of ${budgetSeconds} s`,
    });
  }
  return warnings;
}
