// SPDX-License-Identifier: MIT
//
// vitest's default reporter, whose benchmark tables have columns for energy.
// By name, what another version does not export would be a SyntaxError before we can say which versions we take.

import type { DefaultReporter, TestCase, TestModuleState } from 'vitest/node';
import * as vitest from 'vitest/node';
import type { BenchmarkEnergy } from './energy.js';
import { requireSupported } from './versions.js';
import { type Benchmark, type EnergyGroup, energiesOf, groupsOf } from './vitest-groups.js';
import { cellsOf, HEAD, isColored, withColumns } from './vitest-table.js';

type PrintTable = (
  this: DefaultReporter,
  benchmarks: readonly Benchmark[],
  padding: string,
  columnName?: string,
) => void;

const [RESET, DIM] = ['\x1b[0m', '\x1b[2m'];

export class EnergyReporter extends (vitest.DefaultReporter ?? Object) {
  #groups: readonly EnergyGroup[] = [];
  readonly #told = new Set<string>();

  /** @throws MicrojouleError `ERR_UNSUPPORTED_VERSION` */
  constructor(options?: ConstructorParameters<typeof DefaultReporter>[0]) {
    requireSupported('vitest');
    super(options);
  }

  protected override printTestCase(moduleState: TestModuleState, test: TestCase): void {
    this.#groups = groupsOf(test.meta());
    super.printTestCase(moduleState, test);
  }

  /** Not in the types of vitest before 5. */
  protected printBenchmarkTable(
    benchmarks: readonly Benchmark[],
    padding: string,
    columnName?: string,
  ): void {
    const print = Reflect.get(vitest.DefaultReporter.prototype, 'printBenchmarkTable') as PrintTable;
    // The comparison of projects names these, and not benchmarks.
    if (columnName !== undefined && columnName !== 'name') {
      print.call(this, benchmarks, padding, columnName);
      return;
    }
    const full = benchmarks.filter(({ tasks }) => tasks.length > 0);
    const all = energiesOf(full, this.#groups);
    for (const [i, benchmark] of full.entries()) {
      if (i > 0) this.log('');
      const lines = this.#captured(() => print.call(this, [benchmark], padding));
      const energies = all[i] ?? [];
      const shown = withColumns(lines, [HEAD, ...energies.map(cellsOf)]);
      for (const line of shown) this.log(line);
      this.#explain(energies, ` ${padding}  `, lines.some(isColored));
    }
  }

  /** What `print` would have logged. */
  #captured(print: () => void): string[] {
    const lines: string[] = [];
    const log = this.log.bind(this);
    this.log = (...messages: unknown[]) => {
      lines.push(messages.join(' '));
    };
    try {
      print();
    } finally {
      this.log = log;
    }
    return lines;
  }

  /** Each reason once, as what to do about it: the whole of it is in the test's own result. */
  #explain(energies: readonly (BenchmarkEnergy | undefined)[], indent: string, colors: boolean): void {
    for (const energy of energies) {
      if (energy?.kind !== 'absent' || this.#told.has(energy.detail)) continue;
      this.#told.add(energy.detail);
      const text = `energy, ${energy.reason}: ${energy.hint ?? energy.detail}`;
      this.log(indent + (colors ? DIM + text + RESET : text));
    }
  }
}
