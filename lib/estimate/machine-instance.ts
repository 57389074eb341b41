// SPDX-License-Identifier: MIT
//
// What tells one machine from another where their reports are added up.
import { cpus, hostname, totalmem } from 'node:os';
import { readSysfsText } from './sysfs.js';

/** Linux makes a random one at each start, the same in all containers. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

// FNV-1a of 64 bits: https://www.isthe.com/chongo/tech/comp/fnv/
const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** Guards nothing; Node's own hashes take as long to load as all the rest of a report. */
function fnv1a(text: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, '0');
}

/** A hash of what a machine is called by: its boot id, and where there is none its host name, CPU and memory. */
export function machineInstance(bootId: string | undefined, otherwise: readonly unknown[]): string {
  return fnv1a(bootId ? `boot ${bootId}` : JSON.stringify(otherwise));
}

let known: string | undefined;

/** The same for all reports of this machine from its start until it is started again. */
export function readMachineInstance(): string {
  known ??= machineInstance(readSysfsText(BOOT_ID), [
    hostname(),
    cpus()[0]?.model,
    cpus().length,
    totalmem(),
  ]);
  return known;
}
