// SPDX-License-Identifier: MIT
//
// What a script that runs in a virtual machine has at hand: see runInMachine() in test/support/virtual-machine.ts.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';

const root = process.env.VIRTUAL_MACHINE_ROOT ?? '';
const monotonicNs = () => process.hrtime.bigint();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns the value, or the name of the errno */
function orErrno(work) {
  try {
    return work();
  } catch (error) {
    if (error.code === undefined) throw error;
    return error.code;
  }
}

function openFile(name) {
  const fd = openSync(path.join(root, name), 'r');
  const buffer = Buffer.alloc(4096);
  return {
    read: () => orErrno(() => buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))),
    /** A register, as 8 bytes. */
    register: (address) =>
      orErrno(() => {
        readSync(fd, buffer, 0, 8, address);
        return buffer.readBigUInt64LE(0);
      }),
    close: () => closeSync(fd),
  };
}

/** Switches what the machine is described to draw while a load is on. */
export function openLoad() {
  const fd = openSync(path.join(root, 'load'), 'r+');
  const [one, zero, buffer] = [Buffer.from('1'), Buffer.from('0'), Buffer.alloc(32)];
  const on = () => writeSync(fd, one);
  const off = () => writeSync(fd, zero);
  return {
    on,
    off,
    /** How long it has been on, in all. */
    seconds: () => Number(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))) / 1e9,
    /** A function that draws for so long by the clock. */
    kernel: (ms) => () => {
      const until = performance.now() + ms;
      on();
      while (performance.now() < until);
      off();
    },
  };
}

async function untilMachineTime(seconds) {
  const epochNs = BigInt(readFileSync(path.join(root, 'epoch'), 'utf8').trim());
  const untilNs = epochNs + BigInt(Math.round(seconds * 1e9));
  for (;;) {
    const leftMs = Number(untilNs - monotonicNs()) / 1e6;
    if (leftMs <= 0) return;
    await wait(Math.ceil(leftMs));
  }
}

/** Runs the script and writes what it returns as one line. */
export async function run(script) {
  const { openMeter, measureEnergy, compareEnergy } = await import('../../dist/index.js');
  const read = (name) => orErrno(() => readFileSync(path.join(root, name), 'latin1'));
  const energy = { openMeter, measureEnergy, compareEnergy };
  const result = await script({
    ...energy,
    read,
    openFile,
    openLoad,
    monotonicNs,
    untilMachineTime,
    wait,
    root,
  });
  const text = JSON.stringify(result ?? null, (_, value) =>
    typeof value === 'bigint' ? { bigint: String(value) } : value,
  );
  process.stdout.write(`result ${text}\n`);
}
