// SPDX-License-Identifier: MIT
//
// tinybench with energy: its own run for time, then a pass of ours for energy.
// By name, what another version does not export would be a SyntaxError before we can say which versions we take.

import type { Bench, BenchOptions, ConsoleTableConverter, Fn, FnOptions, Task } from 'tinybench';
import * as tinybench from 'tinybench';
import { formatSignificant } from '../core/numbers.js';
import type { EnergyEstimate } from '../precision/types.js';
import {
  absent,
  absentAfter,
  type BenchmarkEnergy,
  checkEnergyOptions,
  type EnergyOptions,
  type KnownEnergy,
} from './energy.js';
import { energyOfTask } from './task.js';
import { requireSupported } from './versions.js';
import { boundsOf, hasFigure, marginOf, powerWatts, remarkOf } from './words.js';

export interface EnergyBenchOptions extends BenchOptions {
  /** What `measureEnergy()` takes: `budgetSeconds`, `allowEstimates` and the like, for each task. */
  energy?: EnergyOptions;
}

const NONE = 'n/a';
const DIGITS = 5;

const microjoules = (joules: number): string => formatSignificant(joules * 1e6, DIGITS);

function suffixOf(energy: KnownEnergy, part = energy.total): string {
  const remark = remarkOf(energy, part);
  return remark === '' ? '' : ` (${remark})`;
}

/** `4.512 ± 1.60%`, in the style of tinybench's own columns. */
function cell(estimate: EnergyEstimate | undefined, energy: KnownEnergy): string {
  if (estimate === undefined) return NONE;
  const { energyJoules, lowerJoules, upperJoules } = estimate;
  const suffix = suffixOf(energy, estimate);
  if (estimate.resolved) return `${microjoules(energyJoules)} ± ${marginOf(estimate)}${suffix}`;
  if (!hasFigure(energy, estimate)) return boundsOf(estimate, microjoules) + suffix;
  return `${microjoules(energyJoules)} from ${microjoules(lowerJoules)} to ${microjoules(upperJoules)}${suffix}`;
}

/** The columns of a task's energy, for `bench.table()`: of one operation, the whole machine's. */
export function energyColumns(energy: BenchmarkEnergy): Record<string, string> {
  const [first, second, third] = ['Energy avg (µJ)', 'Energy above idle (µJ)', 'Power avg (W)'] as const;
  if (energy.kind === 'absent')
    return { [first]: `${NONE} (${energy.reason})`, [second]: NONE, [third]: NONE };
  const watts = powerWatts(energy);
  return {
    [first]: cell(energy.total, energy),
    [second]: cell(energy.active, energy),
    [third]: watts === undefined ? NONE : formatSignificant(watts, DIGITS) + suffixOf(energy),
  };
}

/** A `Bench` whose `run()` also measures energy, and whose `table()` has columns for it. */
export class EnergyBench extends (tinybench.Bench ?? Object) {
  /** By the tasks' names, once `run()` or `runEnergy()` is over. */
  readonly energy: Map<string, BenchmarkEnergy> = new Map();
  readonly #energyOptions: EnergyOptions;
  readonly #registered = new Map<string, { fn: Fn; hooks: FnOptions }>();

  /** @throws MicrojouleError `ERR_UNSUPPORTED_VERSION`, `ERR_BAD_OPTION` */
  constructor({ energy = {}, ...options }: EnergyBenchOptions = {}) {
    requireSupported('tinybench');
    checkEnergyOptions(energy);
    super(options);
    this.#energyOptions = energy;
  }

  override add(name: string, fn: Fn, hooks: FnOptions = {}): this {
    super.add(name, fn, hooks);
    this.#registered.set(name, { fn, hooks });
    return this;
  }

  override remove(name: string): this {
    this.#registered.delete(name);
    this.energy.delete(name);
    return super.remove(name);
  }

  override reset(): void {
    this.energy.clear();
    super.reset();
  }

  /** Time as `Bench` measures it, then energy. */
  override async run(): Promise<Task[]> {
    const tasks = await super.run();
    await this.runEnergy();
    return tasks;
  }

  /** The energy alone, after `runSync()`, which cannot wait for counters. A task that failed has none. */
  async runEnergy(): Promise<ReadonlyMap<string, BenchmarkEnergy>> {
    for (const task of this.tasks) {
      const registered = this.#registered.get(task.name);
      if (registered !== undefined) this.energy.set(task.name, await this.#energyOf(task, registered));
    }
    return this.energy;
  }

  async #energyOf(task: Task, { fn, hooks }: { fn: Fn; hooks: FnOptions }): Promise<BenchmarkEnergy> {
    const { name } = task;
    const signal = hooks.signal ?? this.signal;
    try {
      return await energyOfTask({ name, fn, hooks, task, bench: this, signal }, this.#energyOptions);
    } catch (error) {
      if (this.throws) throw error;
      return absentAfter(name, error);
    }
  }

  /** As `Bench` has it, with columns for energy; those of `convert` alone, where it is given. */
  override table(convert?: ConsoleTableConverter): ReturnType<Bench['table']> {
    if (convert !== undefined) return super.table(convert);
    const { tasks } = this;
    return super
      .table()
      .map((row, i) => ({ ...row, ...energyColumns(this.#energyAt(tasks[i]?.name ?? '')) }));
  }

  #energyAt(name: string): BenchmarkEnergy {
    return this.energy.get(name) ?? absent(name, 'not run', 'run() or runEnergy() has not been called');
  }
}
