// SPDX-License-Identifier: MIT
//
// The one file of the doctor that looks at the machine beside the meters.
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDisplayControllers } from '../estimate/display-controllers.js';
import { listSysfs, readSysfsText } from '../estimate/sysfs.js';
import { addonPath } from '../meter/native.js';
import type { ResolvedMeterOptions } from '../meter/options.js';
import { type Facts, parseLockdown, parseModalias } from './facts.js';

/** IA32_MISC_PACKAGE_CTLS; bit 0 is ENERGY_FILTERING_ENABLE (Intel, INTEL-SA-00389). */
const MISC_PACKAGE_CONTROLS = 0xbc;
const NVIDIA = '10de';

/** A register of the first CPU that has one, through the msr driver: 8 bytes at the register's number. */
function readRegister(dev: string, register: number): bigint | undefined {
  const cpu = listSysfs(join(dev, 'cpu')).find((name) => /^\d+$/.test(name));
  if (cpu === undefined) return undefined;
  try {
    const file = openSync(join(dev, 'cpu', cpu, 'msr'), 'r');
    try {
      const bytes = Buffer.alloc(8);
      return readSync(file, bytes, 0, 8, register) === 8 ? bytes.readBigUInt64LE() : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    // No driver, no right, or no such register.
    return undefined;
  }
}

function countPackages(sysfs: string): number | undefined {
  const root = join(sysfs, 'devices/system/cpu');
  const packages = new Set(
    listSysfs(root)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readSysfsText(join(root, name, 'topology/physical_package_id')))
      .filter((text) => text !== undefined),
  );
  return packages.size === 0 ? undefined : packages.size;
}

function distribution(): string {
  const text = readSysfsText('/etc/os-release') ?? '';
  return ['ID', 'ID_LIKE']
    .map((key) => new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(text)?.[1] ?? '')
    .filter((word) => word !== '')
    .join(' ');
}

function userName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    // A user id without a name, as containers have them.
    return undefined;
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Looks at this machine. Reads a few small files; never throws. */
export function gatherFacts({ sysfs, dev }: ResolvedMeterOptions): Facts {
  const cpuModalias = readSysfsText(join(sysfs, 'devices/system/cpu/modalias'));
  const isIntel = parseModalias(cpuModalias ?? '').vendor === 'GenuineIntel';
  const optional = {
    cpuModalias,
    packageCount: countPackages(sysfs),
    addonPath: addonPath(),
    userName: userName(),
    dmiVendor: readSysfsText(join(sysfs, 'class/dmi/id/sys_vendor')),
    dmiProduct: readSysfsText(join(sysfs, 'class/dmi/id/product_name')),
    hypervisorType: readSysfsText(join(sysfs, 'hypervisor/type')),
    perfEventParanoid: wholeNumber(readSysfsText('/proc/sys/kernel/perf_event_paranoid')),
    lockdown: parseLockdown(readSysfsText(join(sysfs, 'kernel/security/lockdown')) ?? ''),
    packageControls: isIntel ? readRegister(dev, MISC_PACKAGE_CONTROLS) : undefined,
    nvidiaGpus: findDisplayControllers(sysfs)
      ?.filter(({ vendorId }) => vendorId === NVIDIA)
      .map(({ name }) => name),
  };
  type Optional = { [K in keyof typeof optional]?: Exclude<(typeof optional)[K], undefined> };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(known) as Optional),
    platform: process.platform,
    osName: os.type(),
    kernelRelease: os.release(),
    architecture: process.arch,
    cpuName: os.cpus()[0]?.model.trim() || 'unknown',
    threadCount: os.cpus().length || os.availableParallelism(),
    nodeVersion: process.version,
    packagePath: fileURLToPath(new URL('../..', import.meta.url)),
    noAddons:
      process.execArgv.includes('--no-addons') || (process.env.NODE_OPTIONS ?? '').includes('--no-addons'),
    distribution: distribution(),
    isRoot: process.getuid?.() === 0,
    container: {
      dockerenv: existsSync('/.dockerenv'),
      containerenv: existsSync('/run/.containerenv'),
      kubernetes: process.env.KUBERNETES_SERVICE_HOST !== undefined,
      cgroup: readSysfsText('/proc/self/cgroup') ?? '',
      declared: process.env.container || readSysfsText('/run/systemd/container') || '',
    },
    hasSgxDevice: existsSync(join(dev, 'sgx_enclave')),
    sysfs,
    dev,
  };
}
