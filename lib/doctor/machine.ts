// SPDX-License-Identifier: MIT
import { type CpuFacts, FEATURE_HYPERVISOR, parseModalias } from '../core/modalias.js';
import { judgeEnergyFilter } from '../meter/energy-filter.js';
import type { MachineDiagnosis } from './diagnosis.js';
import type { Facts } from './facts.js';

/** Words of system firmware that only virtual machines have. Clouds' bare-metal machines say so in their product. */
const VIRTUAL_FIRMWARE =
  /\b(QEMU|KVM|VMware|VirtualBox|innotek|Xen|Bochs|Parallels|OpenStack|oVirt|BHYVE|Virtual Machine|Google Compute Engine|Amazon EC2|DigitalOcean|Droplet|vServer)\b/i;

/** First model of Intel's family 6 with RAPL: Sandy Bridge (Intel SDM 3B, 16.10). */
const SANDY_BRIDGE = 0x2a;
/** Of the models above it those without: Westmere-EP, Nehalem-EX, Westmere-EX, and Atoms before Silvermont. */
const WITHOUT_RAPL: ReadonlySet<number> = new Set([0x2c, 0x2e, 0x2f, 0x35, 0x36]);
/** Intel's next family after 6 that is no NetBurst. */
const NEW_FAMILY = 18;
/** First family of AMD with RAPL: Zen. */
const ZEN_FAMILY = 0x17;

export function cpuFacts(facts: Facts): CpuFacts {
  return parseModalias(facts.cpuModalias ?? '');
}

/** Whether this CPU has RAPL counters; undefined where it is not known. */
export function hasRapl(facts: Facts): boolean | undefined {
  if (facts.architecture !== 'x64' && facts.architecture !== 'ia32') return false;
  const { vendor, family, model } = cpuFacts(facts);
  if (vendor === undefined || family === undefined || model === undefined) return undefined;
  if (vendor === 'GenuineIntel') {
    if (family !== 6) return family >= NEW_FAMILY;
    return model >= SANDY_BRIDGE && !WITHOUT_RAPL.has(model);
  }
  return (vendor === 'AuthenticAMD' || vendor === 'HygonGenuine') && family >= ZEN_FAMILY;
}

export function judgeHardware(facts: Facts): MachineDiagnosis['hardware'] {
  const { features } = cpuFacts(facts);
  const firmware = [facts.dmiVendor, facts.dmiProduct].filter((text) => text !== undefined).join(' ');
  const named = firmware === '' ? '' : `, firmware "${firmware}"`;
  if (features?.has(FEATURE_HYPERVISOR) === true) {
    return { state: 'virtual-machine', detail: `CPUID reports a hypervisor${named}` };
  }
  if (/microsoft/i.test(facts.kernelRelease)) {
    return { state: 'virtual-machine', detail: `the kernel ${facts.kernelRelease} is that of WSL` };
  }
  // A guest of Xen may be the one that owns the hardware, which reads no counters either.
  if (facts.hypervisorType !== undefined) {
    return { state: 'virtual-machine', detail: `hypervisor ${facts.hypervisorType}` };
  }
  // CPUID is what the hypervisor wants seen, and firmware names are what the maker wrote: the bit goes first.
  if (features !== undefined && features.size > 0) {
    return { state: 'bare-metal', detail: `CPUID reports no hypervisor${named}` };
  }
  if (VIRTUAL_FIRMWARE.test(firmware) && !/\bmetal\b/i.test(firmware)) {
    return { state: 'virtual-machine', detail: `firmware "${firmware}"` };
  }
  if (firmware !== '') return { state: 'bare-metal', detail: `firmware "${firmware}"` };
  return { state: 'unknown', detail: 'neither CPUID nor the firmware is described by the system' };
}

export function judgeContainer({ container }: Facts): MachineDiagnosis['container'] {
  const { dockerenv, containerenv, kubernetes, cgroup, declared } = container;
  const path = cgroup.split('\n').find((line) => /docker|kubepods|containerd|libpod|lxc/.test(line));
  if (kubernetes) return { state: 'kubernetes', detail: 'KUBERNETES_SERVICE_HOST is set' };
  if (path?.includes('kubepods')) return { state: 'kubernetes', detail: `cgroup ${path}` };
  if (containerenv) return { state: 'podman', detail: '/run/.containerenv exists' };
  if (dockerenv) return { state: 'docker', detail: '/.dockerenv exists' };
  if (declared !== '') {
    const state = /^(docker|podman)$/.exec(declared)?.[1] as 'docker' | 'podman' | undefined;
    return { state: state ?? 'other', detail: `it is declared as ${declared}` };
  }
  if (path === undefined) return { state: 'none', detail: 'no mark of a container' };
  const state = path.includes('libpod') ? 'podman' : path.includes('docker') ? 'docker' : 'other';
  return { state, detail: `cgroup ${path}` };
}

function judgeAddon(facts: Facts, missing: string): MachineDiagnosis['addon'] {
  const { addonPath } = facts;
  if (addonPath === undefined) return { state: 'missing', detail: missing || 'it was not loaded' };
  return /[\\/]prebuilds[\\/]/.test(addonPath)
    ? { state: 'prebuilt', path: addonPath, detail: 'it came with the package' }
    : { state: 'compiled', path: addonPath, detail: 'it was compiled on this machine' };
}

/** @param addonMissing why there is no addon; empty where there is one */
export function judgeMachine(facts: Facts, addonMissing: string): MachineDiagnosis {
  const { vendor, family, model } = cpuFacts(facts);
  const { perfEventParanoid, lockdown } = facts;
  return {
    os: facts.osName,
    kernel: facts.kernelRelease,
    architecture: facts.architecture,
    cpu: {
      name: facts.cpuName,
      ...(vendor === undefined ? {} : { vendor }),
      ...(family === undefined ? {} : { family }),
      ...(model === undefined ? {} : { model }),
      threadCount: facts.threadCount,
    },
    hardware: judgeHardware(facts),
    container: judgeContainer(facts),
    nodeVersion: facts.nodeVersion,
    addon: judgeAddon(facts, addonMissing),
    ...(perfEventParanoid === undefined ? {} : { perfEventParanoid }),
    ...(lockdown === undefined ? {} : { lockdown }),
    energyFilter: judgeEnergyFilter(facts),
  };
}
