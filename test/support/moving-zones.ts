// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import type { FixtureMachine } from './machine.js';
import { energyFile } from './powercap.js';

export interface MovingZone {
  /** `intel-rapl:0` */
  folder: string;
  watts: number;
  unitNanojoules?: number;
  periodMs?: number;
}

/** Writes in place, as sysfs would show it: an open descriptor sees the new count. Padded, so that no read is cut. */
const WRITER = `
  const fs = require('node:fs');
  const zones = JSON.parse(process.argv[1]).map((zone) => ({ ...zone, file: fs.openSync(zone.path, 'r+'), shown: -1 }));
  const wait = new Int32Array(new SharedArrayBuffer(4));
  const startMs = performance.now();
  const tick = () => {
    const untilMs = performance.now() + 50;
    for (let nowMs = performance.now(); nowMs < untilMs; nowMs = performance.now()) {
      for (const zone of zones) {
        const update = Math.floor((nowMs - startMs) / zone.periodMs);
        if (update === zone.shown) continue;
        zone.shown = update;
        const ticks = Math.floor((update * zone.periodMs * 1e6 * zone.watts) / zone.unitNanojoules) + 1000000;
        const text = String(Math.floor((ticks * zone.unitNanojoules) / 1000)).padEnd(15) + '\\n';
        fs.writeSync(zone.file, text, 0);
      }
      Atomics.wait(wait, 0, 0, 0.3);
    }
    setImmediate(tick);
  };
  tick();
  process.stdout.write('ready');
  process.stdin.resume().on('end', () => process.exit());`;

/** Lets zones count in a process of their own until it is stopped. */
export async function moveZones(
  machine: FixtureMachine,
  zones: readonly MovingZone[],
): Promise<{ stop(): void }> {
  const described = zones.map(({ folder, watts, unitNanojoules = 61_035, periodMs = 1 }) => ({
    path: path.join(machine.root, energyFile(folder)),
    watts,
    unitNanojoules,
    periodMs,
  }));
  const child: ChildProcess = spawn(process.execPath, ['--eval', WRITER, JSON.stringify(described)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return {
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}
