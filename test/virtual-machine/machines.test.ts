// SPDX-License-Identifier: MIT
//
// Every described machine: the counters that are found, the one total, what is said, and the energy against the truth.
import { describe, expect, it } from 'vitest';
import { hasVirtualMachine, machineNames } from '../support/virtual-machine.js';
import { ROWS } from './rows.js';
import { ROWS_IN_PART } from './rows-in-part.js';
import {
  calmMachine,
  expectAllWords,
  expectCounters,
  expectDefaultWords,
  expectEnergy,
  expectReasons,
  expectReport,
  measureWithEach,
  type Row,
  SOURCES,
  sufficient,
} from './table.js';

const rows: [string, Row][] = Object.entries({ ...ROWS, ...ROWS_IN_PART });

it('has a row for every described machine', () => {
  expect(rows.map(([name]) => name).sort()).toEqual(machineNames());
});

describe.skipIf(!hasVirtualMachine).concurrent('the table of machines', () => {
  it.each(rows)('%s', async (name, row) => {
    const machine = calmMachine(name, row);
    try {
      const alone = sufficient(row).map((source) => [source]);
      const [byDefault, all, ...each] = await measureWithEach(machine, [undefined, SOURCES, ...alone]);
      if (byDefault === undefined || all === undefined) throw new Error('nothing was measured');
      expectCounters(row, row.byDefault, byDefault);
      expectDefaultWords(row, byDefault);
      expectCounters(row, SOURCES, all);
      expectAllWords(row, machine, all);
      for (const measured of [byDefault, all, ...each]) {
        expectReasons(measured);
        expectEnergy(row, machine, measured);
      }
      const { stdout, stderr } = await machine.runCli(['run', '--json', '--duration', '0.2']);
      expect(stderr).toBe('');
      expectReport(row, JSON.parse(stdout));
    } finally {
      machine.cleanup();
    }
  });
});
