// SPDX-License-Identifier: MIT
//
// Windows machines by their energy meters. Run in Windows' Node: node machines.mjs MACHINE [DEVICE MODE [MODE...]] sets the
// fake driver up as that machine, and one device of it as something else; as one thing after the other, STEP_MS apart.
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** A device that is gone is looked for again once a second. */
const STEP_MS = 1500;
const DEVICE_COUNT = 8;
const CHANNEL_COUNT = 8;
const METADATA_BYTES = 512;
/** Modes of the driver (fake-emi.c); UNSUCCESSFUL, DEVICE_REMOVED and ACCESS_DENIED are NTSTATUS. */
const MODES = {
  ramp: {},
  restart: { restart: 1 },
  broken: { mode: 1, status: 0xc0000001 },
  gone: { mode: 1, status: 0xc00002b6, present: 0 },
  back: { restart: 1 },
  short: { mode: 2 },
  frozen: { mode: 3 },
  denied: { mode: 1, status: 0xc0000022 },
};

const rapl = (channels) => ({
  version: 2,
  channels: Object.entries(channels).map(([name, watts]) => ({ name: `RAPL_${name}`, watts })),
});

/** Each a list of devices; watts are constant. `wattHours` is what a channel has counted before. */
export const MACHINES = {
  none: [],
  intel: [rapl({ Package0_PKG: 15, Package0_PP0: 9, Package0_PP1: 1.5, Package0_DRAM: 2 })],
  amd: Array.from({ length: DEVICE_COUNT }, (_, core) =>
    rapl({ ...(core === 0 ? { Package0_PKG: 35 } : {}), [`Package0_Core${core}_CORE`]: 0.5 + core / 4 }),
  ),
  v1: [{ version: 1, channels: [{ name: 'SYS', watts: 22 }] }],
  'two-packages': [
    rapl({ Package0_PKG: 80, Package0_DRAM: 6 }),
    {
      version: 2,
      channels: [
        { name: 'RAPL_Package1_PKG', watts: 95, wattHours: 3 },
        { name: 'RAPL_Package1_DRAM', watts: 7, wattHours: 2 },
      ],
    },
  ],
  // Two dies of one package, each with the package's count.
  mirrored: [rapl({ Package0_PKG: 60 }), rapl({ Package0_PKG: 60 })],
  // A virtual package a die, all with one count.
  'repeated-packages': [rapl({ Package0_PKG: 60 }), rapl({ Package1_PKG: 60 })],
  rails: [{ version: 2, channels: ['Battery_Rail_0', 'Display_Rail'].map((name) => ({ name, watts: 4 })) }],
};

function text(string, units) {
  return Buffer.from(string.padEnd(units, '\0').slice(0, units), 'utf16le');
}

function number(value, bytes) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
}

function metadata({ version, channels }) {
  const head = [text('Fake', 16), text('Meter', 16), number(1, 2)];
  const names = channels.map(({ name }) => text(name, name.length + 1));
  if (version === 1) return Buffer.concat([number(0, 4), ...head, number(names[0].length, 2), names[0]]);
  const listed = names.flatMap((name) => [number(0, 4), number(name.length, 2), name]);
  return Buffer.concat([...head, number(channels.length, 2), ...listed]);
}

/** `struct setting` of fake-emi.c. */
function setting(index, device, { mode = 0, status = 0, restart = 0, present = 1 }) {
  const { version = 2, channels = [] } = device ?? {};
  const described = device === undefined ? Buffer.alloc(0) : metadata(device);
  const fields = [index, device === undefined ? 0 : present, mode, status, restart, version, channels.length];
  const buffer = Buffer.alloc(32 + METADATA_BYTES + CHANNEL_COUNT * 12);
  [...fields, described.length].forEach((value, i) => {
    buffer.writeUInt32LE(value >>> 0, 4 * i);
  });
  described.copy(buffer, 32);
  channels.forEach(({ watts, wattHours = 1 }, i) => {
    buffer.writeUInt32LE(Math.round(watts * 1000), 32 + METADATA_BYTES + 4 * i);
    buffer.writeBigUInt64LE(
      BigInt(Math.round(wattHours * 1000)) * 1_000_000_000n,
      32 + METADATA_BYTES + CHANNEL_COUNT * 4 + 8 * i,
    );
  });
  return buffer;
}

/** Makes the driver this machine; one device, or all, in another mode than `ramp`. */
export function become(machine, { device, mode = 'ramp' } = {}) {
  const file = openSync('\\\\.\\FakeEmi', 'r+');
  try {
    for (let i = 0; i < DEVICE_COUNT; i++) {
      const ofMode = device === undefined || device === i ? MODES[mode] : {};
      writeSync(file, setting(i, MACHINES[machine][i], ofMode));
    }
  } finally {
    closeSync(file);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [machine, device, ...modes] = process.argv.slice(2);
  if (device === undefined) become(machine);
  for (const mode of modes) {
    become(machine, { device: Number(device), mode });
    if (modes.length > 1) await sleep(STEP_MS);
  }
}
