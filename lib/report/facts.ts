// SPDX-License-Identifier: MIT
//
// What a report tells of the machine and the command beside their energy, and who told it.
import type { Command, Components, Machine, Told } from '../core/report-types.js';

const SYSTEM = 'operating system';

/** The machine, by its operating system; its GPUs by where they were looked for. */
export function machineFacts(machine: Machine, { gpu }: Components): Machine & Told {
  const source = machine.gpuCount === undefined ? SYSTEM : `${SYSTEM}, ${gpu.source}`;
  return { kind: 'measured', source, ...machine };
}

/** The command, by how it was started and how the operating system says that it ended. */
export function commandFacts(command: Command): Command & Told {
  return { kind: 'measured', source: SYSTEM, ...command };
}
