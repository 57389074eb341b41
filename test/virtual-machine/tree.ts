// SPDX-License-Identifier: MIT
//
// The files of a described machine that can be listed: sysfs and dev. What they count comes from the preloaded library;
// without it a counter's file says so, which is no number.
import type { MachineEntry } from '../support/machine.js';
import type { Description, Pmu, Zone } from './description.js';

type Tree = Record<string, MachineEntry>;

// As long as sysfs says that its files are: some readers ask for no more than that.
const NOT_LOADED = 'no counter: the virtual machine is not loaded into this process\n'.padEnd(4096, '\0');

// X86_VENDOR_* and X86_FEATURE_*: arch/x86/include/asm/processor.h and cpufeatures.h of Linux.
const VENDORS: Record<string, number> = { intel: 0, amd: 2, hygon: 9, zhaoxin: 10 };
const FEATURE_AMD_RAPL = 3 * 32 + 29;
const FEATURE_HYPERVISOR = 4 * 32 + 31;

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');

/** "0-2,5" */
export function cpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

function cpuFiles({ processor, cpus, offline }: Description): Tree {
  const base = 'sys/devices/system/cpu';
  const all = cpus.map(({ cpu }) => cpu);
  const tree: Tree = {
    [`${base}/possible`]: `${cpuList(all)}\n`,
    [`${base}/present`]: `${cpuList(all)}\n`,
    [`${base}/online`]: `${cpuList(all.filter((cpu) => !offline.has(cpu)))}\n`,
  };
  if (processor !== undefined) {
    const { vendor, family, model, isVirtual, hasAmdRapl } = processor;
    const features = [
      0,
      ...(hasAmdRapl ? [FEATURE_AMD_RAPL] : []),
      ...(isVirtual ? [FEATURE_HYPERVISOR] : []),
    ];
    const identity = `ven${hex(VENDORS[vendor] ?? 0xff)}fam${hex(family)}mod${hex(model)}`;
    const listed = features.map((feature) => `,${hex(feature)}`).join('');
    tree[`${base}/modalias`] = `cpu:type:x86,${identity}:feature:${listed}\n`;
  }
  for (const place of cpus) {
    // The kernel takes the topology of an offline CPU away.
    tree[`${base}/cpu${place.cpu}`] = null;
    if (offline.has(place.cpu)) continue;
    const topology = `${base}/cpu${place.cpu}/topology`;
    tree[`${topology}/physical_package_id`] = `${place.package}\n`;
    tree[`${topology}/die_id`] = `${place.die}\n`;
    tree[`${topology}/core_id`] = `${place.core}\n`;
  }
  return tree;
}

/** class/powercap holds links into devices/virtual/powercap, which containers mask. */
function zoneFiles(zones: readonly Zone[]): Tree {
  const tree: Tree = {};
  for (const { folder, name, range, masked, enabled } of zones) {
    const [control = '', ...indices] = folder.split(':');
    const parents = indices.map((_, i) => [control, ...indices.slice(0, i + 1)].join(':'));
    const device = ['devices/virtual/powercap', control, ...parents].join('/');
    tree[`sys/class/powercap/${folder}`] = { link: `../../${device}` };
    tree[`sys/class/powercap/${control}`] = { link: `../../devices/virtual/powercap/${control}` };
    if (masked) continue;
    tree[`sys/${device}/energy_uj`] = NOT_LOADED;
    tree[`sys/${device}/enabled`] = enabled ? '1\n' : '0\n';
    if (name !== 'none') tree[`sys/${device}/name`] = name === '-' ? '' : `${name}\n`;
    if (range !== 'none') tree[`sys/${device}/max_energy_range_uj`] = `${range}\n`;
  }
  return tree;
}

function pmuFiles(pmu: Pmu): Tree {
  const base = `sys/bus/event_source/devices/${pmu.name}`;
  const tree: Tree = {
    [`${base}/type`]: `${pmu.type}\n`,
    [`${base}/cpumask`]: `${pmu.cpumask}\n`,
    [`${base}/format/event`]: 'config:0-7\n',
    [`${base}/events`]: null,
  };
  for (const { name, code } of pmu.events) {
    tree[`${base}/events/${name}`] = `event=0x${code.toString(16).padStart(2, '0')}\n`;
    tree[`${base}/events/${name}.scale`] = '2.3283064365386962890625e-10\n';
    tree[`${base}/events/${name}.unit`] = 'Joules\n';
  }
  return tree;
}

/** For writeMachine(): `sys` stands for /sys, `dev` for /dev. */
export function treeOf(machine: Description): Tree {
  const tree: Tree = {
    'sys/class': null,
    dev: null,
    // Every kernel with perf events has this one.
    'sys/bus/event_source/devices/software/type': '1\n',
    ...cpuFiles(machine),
    ...zoneFiles(machine.zones),
  };
  for (const pmu of machine.pmus.values()) Object.assign(tree, pmuFiles(pmu));
  for (const cpu of machine.msr) tree[`dev/cpu/${cpu}/msr`] = NOT_LOADED;
  for (const cpu of machine.msrSafe) tree[`dev/cpu/${cpu}/msr_safe`] = NOT_LOADED;
  if (machine.msrSafe.length > 0) tree['dev/cpu/msr_batch'] = NOT_LOADED;
  if ([...machine.meters.values()].some(({ loadUw }) => loadUw > 0n)) tree.load = NOT_LOADED;
  for (const { path, text } of machine.files) tree[path] = `${text}\n`;
  return tree;
}
