// SPDX-License-Identifier: MIT
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { listSysfs, readSysfsText } from './sysfs.js';

/** A GPU the PCI bus shows, whether or not anything can meter it. */
export interface DisplayController {
  /** PCI address, e.g. `0000:01:00.0`. */
  address: string;
  vendorName: string;
  /** Four hexadecimal digits, lower case. */
  vendorId: string;
  deviceId: string;
  /** True when it sits inside the CPU package, so that the package's energy holds its energy. */
  integrated: boolean;
  /** As pci.ids has it, e.g. `TU117M [GeForce MX450]`. */
  modelName?: string;
  /** For people, e.g. `NVIDIA GeForce MX450`, or `NVIDIA GPU [10de:1f97]` where pci.ids does not help. */
  name: string;
}

/** Where Debian, Fedora and Alpine keep the PCI ID Repository's list. */
export const PCI_IDS_PATHS: readonly string[] = [
  '/usr/share/misc/pci.ids',
  '/usr/share/hwdata/pci.ids',
  '/usr/share/pci.ids',
];

/** PCI-SIG's base class for display controllers. */
const DISPLAY_CLASS = 0x03;
/** Makers of GPUs that draw power worth a line. Server management chips and virtual adapters are left out. */
const VENDOR_NAMES: ReadonlyMap<string, string> = new Map([
  ['10de', 'NVIDIA'],
  ['1002', 'AMD'],
  ['8086', 'Intel'],
]);
/** Intel's processor graphics is always function 2.0 of the root bus; it is on the die and in its package counter. */
const INTEL_PROCESSOR_GRAPHICS = '0000:00:02.0';
const CHUNK_BYTES = 65_536;

function* readLines(path: string): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, size))).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    yield rest + decoder.end();
  } finally {
    closeSync(file);
  }
}

/** A vendor is a line at the margin, its devices follow behind one tab, subsystems behind two. */
function findInPciIds(path: string, vendorId: string, deviceId: string): string | undefined {
  let inVendor = false;
  for (const line of readLines(path)) {
    if (line === '' || line.startsWith('#')) continue;
    if (!line.startsWith('\t')) {
      if (inVendor) return undefined;
      inVendor = line.slice(0, 4).toLowerCase() === vendorId && /^\s/.test(line.slice(4));
    } else if (inVendor && line.slice(1, 5).toLowerCase() === deviceId) {
      return line.slice(5).trim() || undefined;
    }
  }
  return undefined;
}

function lookUpModelName(paths: readonly string[], vendorId: string, deviceId: string): string | undefined {
  for (const path of paths) {
    try {
      const modelName = findInPciIds(path, vendorId, deviceId);
      if (modelName !== undefined) return modelName;
    } catch {
      // Not installed here: the next place may have it.
    }
  }
  return undefined;
}

function readHexId(path: string): number | undefined {
  const text = readSysfsText(path);
  return text !== undefined && /^0x[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}

const fourDigits = (id: number): string => id.toString(16).padStart(4, '0');

/**
 * The NVIDIA, AMD and Intel display controllers on the PCI bus, by address. Undefined where there is no bus to look
 * at (not Linux, no /sys): nothing is known then. A device that cannot be read is left out.
 */
export function findDisplayControllers(
  sysfsRoot: string,
  pciIdsPaths: readonly string[] = PCI_IDS_PATHS,
): DisplayController[] | undefined {
  const devicesPath = join(sysfsRoot, 'bus/pci/devices');
  if (!existsSync(devicesPath)) return undefined;
  // Eight like GPUs need one look-up.
  const modelNames = new Map<string, string | undefined>();
  return listSysfs(devicesPath).flatMap((address) => {
    const pciClass = readHexId(join(devicesPath, address, 'class'));
    if (pciClass === undefined || pciClass >> 16 !== DISPLAY_CLASS) return [];
    const vendor = readHexId(join(devicesPath, address, 'vendor'));
    const device = readHexId(join(devicesPath, address, 'device'));
    if (vendor === undefined || device === undefined) return [];
    const vendorId = fourDigits(vendor);
    const vendorName = VENDOR_NAMES.get(vendorId);
    if (vendorName === undefined) return [];
    const deviceId = fourDigits(device);
    const ids = `${vendorId}:${deviceId}`;
    if (!modelNames.has(ids)) modelNames.set(ids, lookUpModelName(pciIdsPaths, vendorId, deviceId));
    const modelName = modelNames.get(ids);
    const integrated = vendorName === 'Intel' && address === INTEL_PROCESSOR_GRAPHICS;
    const found = { address, vendorName, vendorId, deviceId, integrated };
    if (modelName === undefined) return [{ ...found, name: `${vendorName} GPU [${ids}]` }];
    // pci.ids puts the name on the box in brackets behind the chip's.
    const marketingName = /\[([^\]]+)\]$/.exec(modelName)?.[1] ?? modelName;
    return [{ ...found, modelName, name: `${vendorName} ${marketingName}` }];
  });
}
