// SPDX-License-Identifier: MIT
//
// The one file of the doctor that looks at the machine beside the meters.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDisplayControllers } from '../estimate/display-controllers.js';
import { listSysfs, readSysfsText } from '../estimate/sysfs.js';
import { readEnergyFilterFacts } from '../meter/energy-filter.js';
import { addonPath } from '../meter/native.js';
import type { ResolvedMeterOptions } from '../meter/options.js';
import { type Facts, parseLockdown } from './facts.js';

const NVIDIA = '10de';
const REGISTRY_TIMEOUT_MS = 5000;

function firstCpus(sysfs: string): string[] | undefined {
  const root = join(sysfs, 'devices/system/cpu');
  const cpus = listSysfs(root)
    .map((name) => Number(/^cpu(\d+)$/.exec(name)?.[1] ?? Number.NaN))
    .filter((cpu) => !Number.isNaN(cpu))
    .sort((a, b) => a - b);
  const first = new Map<string, number>();
  for (const cpu of cpus) {
    const place = readSysfsText(join(root, `cpu${cpu}`, 'topology/physical_package_id'));
    if (place !== undefined && !first.has(place)) first.set(place, cpu);
  }
  return first.size === 0 ? undefined : [...first.values()].map(String);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function noAddons(): Facts['noAddons'] {
  if (process.execArgv.includes('--no-addons')) return 'arguments';
  return (process.env.NODE_OPTIONS ?? '').includes('--no-addons') ? 'environment' : undefined;
}

/** Of Linux' own places, which mean nothing elsewhere. */
function readOwn(path: string): string | undefined {
  return process.platform === 'linux' ? readSysfsText(path) : undefined;
}

function hasMark(path: string): boolean {
  return process.platform === 'linux' && existsSync(path);
}

/** A key of Windows' registry with its values and the keys in it; undefined where it cannot be read. */
function queryRegistry(key: string): string | undefined {
  if (process.platform !== 'win32') return undefined;
  const { status, stdout } = spawnSync('reg', ['query', key], {
    encoding: 'utf8',
    timeout: REGISTRY_TIMEOUT_MS,
    windowsHide: true,
  });
  return status === 0 ? stdout : undefined;
}

/** Vendor and product of the machine, as Windows' registry has them of its firmware. */
function firmwareOfRegistry(): { dmiVendor?: string; dmiProduct?: string } {
  const text = queryRegistry('HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS') ?? '';
  const value = (name: string) =>
    new RegExp(`^[ \\t]*${name}[ \\t]+REG_SZ[ \\t]+(.*\\S)`, 'm').exec(text)?.[1];
  const [dmiVendor, dmiProduct] = [value('SystemManufacturer'), value('SystemProductName')];
  return {
    ...(dmiVendor === undefined ? {} : { dmiVendor }),
    ...(dmiProduct === undefined ? {} : { dmiProduct }),
  };
}

/** None where Windows never saw a PCI device of NVIDIA's. It remembers those that were taken out: one there says nothing. */
function gpusOfRegistry(): { nvidiaGpus?: string[] } {
  const text = queryRegistry('HKLM\\SYSTEM\\CurrentControlSet\\Enum\\PCI');
  return text === undefined || text.toLowerCase().includes(`ven_${NVIDIA}&`) ? {} : { nvidiaGpus: [] };
}

/** `Windows 11 Pro`; elsewhere the kernel's own name. */
function nameOfSystem(): string {
  return process.platform === 'win32' ? os.version() : os.type();
}

function distribution(): string {
  const text = readOwn('/etc/os-release') ?? '';
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
  const { cpuModalias, packageControls, hasSgxDevice } = readEnergyFilterFacts({ sysfs, dev });
  const nvidia = findDisplayControllers(sysfs)?.filter(({ vendorId }) => vendorId === NVIDIA);
  const packagePath = fileURLToPath(new URL('../..', import.meta.url));
  const optional = {
    cpuModalias,
    packageCpus: firstCpus(sysfs),
    noAddons: noAddons(),
    addonPath: addonPath(),
    userName: userName(),
    dmiVendor: readSysfsText(join(sysfs, 'class/dmi/id/sys_vendor')),
    dmiProduct: readSysfsText(join(sysfs, 'class/dmi/id/product_name')),
    hypervisorType: readSysfsText(join(sysfs, 'hypervisor/type')),
    perfEventParanoid: wholeNumber(readOwn('/proc/sys/kernel/perf_event_paranoid')),
    lockdown: parseLockdown(readSysfsText(join(sysfs, 'kernel/security/lockdown')) ?? ''),
    packageControls,
    nvidiaGpus: nvidia?.map(({ name }) => name),
    sleepingGpu: nvidia?.some(({ address }) =>
      /^suspend/.test(readSysfsText(join(sysfs, 'bus/pci/devices', address, 'power/runtime_status')) ?? ''),
    ),
  };
  type Optional = { [K in keyof typeof optional]?: Exclude<(typeof optional)[K], undefined> };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    ...firmwareOfRegistry(),
    ...gpusOfRegistry(),
    ...(Object.fromEntries(known) as Optional),
    platform: process.platform,
    osName: nameOfSystem(),
    kernelRelease: os.release(),
    architecture: process.arch,
    cpuName: os.cpus()[0]?.model.trim() || 'unknown',
    threadCount: os.cpus().length || os.availableParallelism(),
    nodeVersion: process.version,
    packagePath,
    packageWritable: isWritable(packagePath),
    distribution: distribution(),
    isRoot: process.getuid?.() === 0,
    container: {
      dockerenv: hasMark('/.dockerenv'),
      containerenv: hasMark('/run/.containerenv'),
      kubernetes: process.env.KUBERNETES_SERVICE_HOST !== undefined,
      cgroup: readOwn('/proc/self/cgroup') ?? '',
      declared: process.env.container || readOwn('/run/systemd/container') || '',
    },
    hasSgxDevice,
    sysfs,
    dev,
  };
}
