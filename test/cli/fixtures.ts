// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect } from 'vitest';
import type { Report } from '../../lib/index.js';
import { schemaErrors } from '../report/fixtures.js';
import { originsOf } from '../report/origins.js';
import { type FixtureMachine, type MachineEntry, writeMachine } from '../support/machine.js';
import { energyFile, zone as filesOfZone, printed } from '../support/powercap.js';
import { type CliOptions, type CliResult, runCli } from '../support/run-cli.js';

export { energyFile };

export const TICKS_PER_JOULE = 2 ** 14;
/** Where every counter of a fixture machine starts. */
export const START_TICKS = 20_000_000;

/** What Linux prints for a count. */
export const microjoules = (ticks: number): number => Number(printed(ticks));

/** The three files of a powercap zone. */
export function zone(folder: string, name: string, ticks = START_TICKS): Record<string, MachineEntry> {
  return filesOfZone(folder, name, printed(ticks));
}

/** A shell script that lets each zone count so many ticks, as the hardware would during the work. */
export function work(machine: FixtureMachine, ticksByZone: Record<string, number>): string {
  return Object.entries(ticksByZone)
    .map(
      ([folder, ticks]) =>
        `echo ${microjoules(START_TICKS + ticks)} > '${path.join(machine.root, energyFile(folder))}'`,
    )
    .join('\n');
}

/** The flags that show the command this machine, and no GPU of the one that runs the tests. */
export function on(machine: FixtureMachine): string[] {
  return ['--sysfs', machine.root, '--nvml-library', path.join(machine.root, 'no-nvml')];
}

/** The report that the command printed, checked against the schema. */
export function parseReport(text: string): Report {
  const report: Report = JSON.parse(text);
  expect(schemaErrors(report)).toEqual([]);
  expect(originsOf(report).unanswered).toEqual([]);
  return report;
}

/** `run --json` of a shell script on a machine. */
export async function measure(
  machine: FixtureMachine,
  script: string,
  flags: string[] = [],
  options: CliOptions = {},
): Promise<{ report: Report; result: CliResult }> {
  const result = await runCli(['run', ...on(machine), '--json', ...flags, '--', 'sh', '-c', script], options);
  return { report: parseReport(result.stdout), result };
}

export interface Folder {
  path: string;
  file(name: string): string;
  read(name: string): string;
}

export interface Workplace {
  /** An empty folder for one test: tests may run at the same time. */
  newFolder(): Folder;
  machine(...trees: Record<string, MachineEntry>[]): FixtureMachine;
}

/** Machines and folders for the tests of one file, removed after the last of them. */
export function useWorkplace(): Workplace {
  const cleanups: (() => void)[] = [];
  afterAll(() => {
    for (const cleanup of cleanups) cleanup();
  });
  return {
    newFolder: () => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-work-'));
      cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
      const file = (name: string) => path.join(folder, name);
      return { path: folder, file, read: (name) => readFileSync(file(name), 'utf8') };
    },
    machine: (...trees) => {
      const machine = writeMachine(Object.assign({}, ...trees));
      mkdirSync(path.join(machine.root, 'class/powercap'), { recursive: true });
      cleanups.push(machine.cleanup);
      return machine;
    },
  };
}
