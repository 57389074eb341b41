// SPDX-License-Identifier: MIT
//
// bench-node with energy: its own run for time, then a pass of ours for energy, then its reporter.
// By name, what another version does not export would be a SyntaxError before we can say which versions we take.

import type { BenchNode } from 'bench-node';
import * as benchNode from 'bench-node';
import {
  absent,
  absentAfter,
  type BenchmarkEnergy,
  checkEnergyOptions,
  type EnergyOptions,
  energyOf,
} from './energy.js';
import { requireSupported } from './versions.js';
import { amount, boundsOf, hasFigure, remarkOf } from './words.js';

export interface EnergySuiteOptions extends BenchNode.SuiteOptions {
  /** What `measureEnergy()` takes: `budgetSeconds`, `allowEstimates` and the like, for each benchmark. */
  energy?: EnergyOptions;
}

/** As one of bench-node's plugins reports itself. */
const NAME = 'EnergyPlugin';

const tight = (joules: number): string => amount(joules).replace(' ', '');

/** `energy=4.51µJ/op (4.44µJ ... 4.58µJ)`, as bench-node writes `heap usage`. */
export function energyReport(energy: BenchmarkEnergy): string {
  if (energy.kind === 'absent') return `energy=n/a (${energy.reason})`;
  const { total } = energy;
  const remark = remarkOf(energy);
  if (!hasFigure(energy)) {
    const bounds = `=${boundsOf(total, tight)}`.replace(' … ', '...').replace('=< ', '<');
    return `energy${bounds}/op${remark === '' ? '' : ` (${remark})`}`;
  }
  const [figure, lower, upper] = [total.energyJoules, total.lowerJoules, total.upperJoules].map(tight);
  return `energy=${figure}/op (${lower} ... ${upper}${remark === '' ? '' : `, ${remark}`})`;
}

type Result = BenchNode.BenchmarkResult & { plugins: { name: string; result: unknown; report: string }[] };

/** A text that has itself as `report`. */
function textWith(report: string): string {
  return Object.assign(new String(report), { report }) as unknown as string;
}

/**
 * For a reporter. bench-node 0.15 makes the list of reports one of strings, and then looks for the `report` of each, so
 * that its text and JSON leave all plugins out.
 */
function shown(results: Result[]): Result[] {
  return results.map((result) => ({
    ...result,
    plugins: result.plugins.map((plugin) =>
      plugin.name === NAME ? { ...plugin, report: textWith(plugin.report) } : plugin,
    ),
  }));
}

/** A `Suite` whose `run()` also measures energy: in every result as one more of its `plugins`. */
export class EnergySuite extends (benchNode.Suite ?? Object) {
  /** By the benchmarks' names, once `run()` is over. */
  readonly energy: Map<string, BenchmarkEnergy> = new Map();
  readonly #energyOptions: EnergyOptions;
  readonly #functions: BenchNode.BenchmarkFunction[] = [];
  readonly #reporter: ((results: BenchNode.BenchmarkResult[], options: object) => void) | undefined;
  readonly #reporterOptions: BenchNode.ReporterOptions;

  /** @throws MicrojouleError `ERR_UNSUPPORTED_VERSION`, `ERR_BAD_OPTION` */
  constructor({ energy = {}, ...options }: EnergySuiteOptions & { pretty?: boolean } = {}) {
    requireSupported('bench-node');
    checkEnergyOptions(energy);
    const reporterOptions = options.reporterOptions ?? { printHeader: true };
    const { reporter = options.pretty === true ? benchNode.prettyReport : benchNode.textReport } = options;
    const isOurs = typeof reporter === 'function';
    // Ours to call, when energies are known. What is no reporter is the suite's to refuse.
    super({ ...options, reporterOptions, reporter: isOurs ? null : reporter });
    this.#energyOptions = energy;
    this.#reporter = isOurs ? reporter : undefined;
    this.#reporterOptions = reporterOptions;
  }

  override add(name: string, fn: BenchNode.BenchmarkFunction): this;
  override add(name: string, options: BenchNode.BenchmarkOptions, fn: BenchNode.BenchmarkFunction): this;
  override add(
    name: string,
    options: BenchNode.BenchmarkOptions | BenchNode.BenchmarkFunction,
    fn?: BenchNode.BenchmarkFunction,
  ): this {
    if (typeof options === 'function') super.add(name, options);
    else super.add(name, options, fn as BenchNode.BenchmarkFunction);
    this.#functions.push(typeof options === 'function' ? options : (fn as BenchNode.BenchmarkFunction));
    return this;
  }

  override async run(): Promise<BenchNode.BenchmarkResult[]> {
    // Time first: bench-node's own plugins say how V8 may optimise the functions, and that holds from then on.
    const results = (await super.run()) as Result[];
    for (const [i, { name, plugins }] of results.entries()) {
      const energy = await this.#energyOf(name, this.#functions[i]);
      this.energy.set(name, energy);
      plugins.push({ name: NAME, result: { type: NAME, ...energy }, report: energyReport(energy) });
    }
    this.#reporter?.(shown(results), this.#reporterOptions);
    return results;
  }

  async #energyOf(name: string, fn: BenchNode.BenchmarkFunction | undefined): Promise<BenchmarkEnergy> {
    if (fn !== undefined && fn.length === 0) {
      try {
        return await energyOf(fn, { ...this.#energyOptions, name });
      } catch (error) {
        // The times are measured, and are not to be lost.
        return absentAfter(name, error);
      }
    }
    return absent(
      name,
      'managed',
      'a function that starts and stops the timer itself cannot be measured apart from it',
      'Move what is not to be measured out of the function, or use measureEnergy() with a setup.',
    );
  }
}
