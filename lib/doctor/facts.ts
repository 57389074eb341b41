// SPDX-License-Identifier: MIT
//
// What the judgement rests on, as found; nothing here says what it means. Gathered by gather.ts.

/** Of one machine. What could not be read is absent. */
export interface Facts {
  /** As `process.platform` has it. */
  platform: string;
  osName: string;
  kernelRelease: string;
  architecture: string;
  cpuName: string;
  threadCount: number;
  /** `<sysfs>/devices/system/cpu/modalias`. */
  cpuModalias?: string;
  /** The first CPU of each physical_package_id: the number in its name. */
  packageCpus?: readonly string[];
  nodeVersion: string;
  /** Absent where it was not loaded. */
  addonPath?: string;
  /** Folder of this package. */
  packagePath: string;
  /** This user may write there. */
  packageWritable: boolean;
  /** Where Node was told --no-addons, if it was. */
  noAddons?: 'arguments' | 'environment';
  /** ID and ID_LIKE of /etc/os-release, e.g. `ubuntu debian`. */
  distribution: string;
  userName?: string;
  isRoot: boolean;
  /** Marks of a container, each with what it stands for. */
  container: {
    dockerenv: boolean;
    containerenv: boolean;
    kubernetes: boolean;
    /** /proc/self/cgroup. */
    cgroup: string;
    /** $container, or /run/systemd/container. */
    declared: string;
  };
  /** `<sysfs>/class/dmi/id/sys_vendor` and `product_name`. */
  dmiVendor?: string;
  dmiProduct?: string;
  /** `<sysfs>/hypervisor/type`. */
  hypervisorType?: string;
  /** /proc/sys/kernel/perf_event_paranoid. */
  perfEventParanoid?: number;
  /** The state between brackets in `<sysfs>/kernel/security/lockdown`. */
  lockdown?: string;
  /** `<dev>/sgx_enclave` exists. */
  hasSgxDevice: boolean;
  /** MSR 0xBC (IA32_MISC_PACKAGE_CTLS), where it may be read. */
  packageControls?: bigint;
  /** NVIDIA GPUs on the PCI bus, by name; absent where that is not known. */
  nvidiaGpus?: string[];
  /** One of them sleeps by run-time power management. */
  sleepingGpu?: boolean;
  /** What stands for /sys and /dev. */
  sysfs: string;
  dev: string;
}

/** `integrity` of `none [integrity] confidentiality`. */
export function parseLockdown(text: string): string | undefined {
  return /\[(\w+)\]/.exec(text)?.[1];
}
