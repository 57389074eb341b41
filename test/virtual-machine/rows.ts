// SPDX-License-Identifier: MIT
//
// What the product should make of each described machine that can be measured whole. rows-in-part.ts has the others.
import type { Row } from './table.js';

export const NO_PERF =
  'not-found: devices/power does not exist: ... try modprobe rapl, or read powercap instead';
export const NO_MSR = 'not-found: dev/cpu/0/msr does not exist: load the driver with modprobe msr';
export const NO_POWERCAP =
  'not-found: sys/class/powercap ... the kernel offers no RAPL counters ... modprobe intel_rapl_msr';
export const IN_A_GUEST =
  'not-found: devices/power does not exist: this is a virtual machine ... measure on its host';

/** Two sockets with a memory each, of which there is powercap alone. */
export const POWERCAP_ALONE: Row = {
  perf: NO_PERF,
  powercap: '+intel-rapl:0=package-0 +intel-rapl:0:0=dram-0 +intel-rapl:1=package-1 +intel-rapl:1:0=dram-1',
  msr: NO_MSR,
  byDefault: ['powercap'],
};

const KERNEL_DRAM =
  'ok: server DRAM unit of 15300 nJ, as the kernel has it; perf_event counts 2^-16 J, 0.27 % less';
const FIXED_DRAM = 'ok: counts in 2^-16 J on this model, whatever the unit register says';
const NO_RANGE = 'ok: max_energy_range_uj is missing, unreadable or 0, so a wrap cannot be told from a reset';

/** The same words of several counters. */
const each = (names: readonly string[], words: string) =>
  Object.fromEntries(names.map((name) => [name, words]));

const sixteen = (counter: (n: number) => string) =>
  Array.from({ length: 16 }, (_, n) => counter(n)).join(' ');

export const ROWS: Record<string, Row> = {
  'amd-per-core': {
    perf: '+energy-pkg:0=package-0',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=other-0<core-0-0',
    msr: 'package:0=package-0',
    'perf-core': 'energy-core:0=core-0',
    'msr-core': 'core:0=core-0',
    byDefault: ['perf'],
    words: {
      'powercap:intel-rapl:0:0': 'ok: one core only: ... the kernel reads the core counter of a single CPU',
    },
  },
  'broadwell-de-dram': {
    perf: NO_PERF,
    powercap: '+intel-rapl:0=package-0 +intel-rapl:0:0=dram-0',
    msr: NO_MSR,
    byDefault: ['powercap'],
    words: {
      'powercap:intel-rapl:0:0':
        'ok: the kernel prints the DRAM ... 4 times too high ... corrected to 2^-16 J',
    },
  },
  'client-with-psys': {
    perf: '+energy-pkg:0=package-0 energy-cores:0=core-0 energy-gpu:0=uncore-0 +energy-ram:0=dram-0 energy-psys:0=psys-0',
    powercap:
      'intel-rapl:0=package-0 intel-rapl:0:0=core-0 intel-rapl:0:1=uncore-0 intel-rapl:0:2=dram-0 intel-rapl:1=psys-0',
    msr: 'package:0=package-0 dram:0=dram-0 core:0=core-0 uncore:0=uncore-0 psys:0=psys-0',
    byDefault: ['perf'],
  },
  'cpu0-offline': {
    perf: '+energy-pkg:0=package-0 +energy-ram:0=dram-0 +energy-pkg:1=package-1 +energy-ram:1=dram-1',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=dram-0 intel-rapl:1=package-1 intel-rapl:1:0=dram-1',
    msr: 'package:0=package-0 dram:0=dram-0 package:1=package-1 dram:1=dram-1',
    byDefault: ['perf'],
    words: {
      ...each(['powercap:intel-rapl:0:0', 'powercap:intel-rapl:1:0'], KERNEL_DRAM),
      ...each(['msr:dram:0', 'msr:dram:1'], FIXED_DRAM),
    },
  },
  'dies-listed-by-perf': {
    perf: '+energy-pkg:0=package-0',
    powercap: 'intel-rapl:0=package-0',
    msr: NO_MSR,
    'msr-core': NO_MSR,
    byDefault: ['perf'],
  },
  'dies-that-differ': {
    perf: `+energy-pkg:0:0=package-0-die-0 +energy-ram:0:0=dram-0-die-0
      +energy-pkg:0:1=package-0-die-1 +energy-ram:0:1=dram-0-die-1`,
    powercap: `intel-rapl:0=package-0-die-0 intel-rapl:0:0=dram-0-die-0
      intel-rapl:1=package-0-die-1 intel-rapl:1:0=dram-0-die-1`,
    msr: 'package:0:0=package-0-die-0 dram:0:0=dram-0-die-0 package:0:1=package-0-die-1 dram:0:1=dram-0-die-1',
    byDefault: ['perf'],
    words: {
      ...each(['powercap:intel-rapl:0:0', 'powercap:intel-rapl:1:0'], KERNEL_DRAM),
      ...each(['msr:dram:0:0', 'msr:dram:0:1'], FIXED_DRAM),
    },
  },
  'dies-that-mirror': {
    perf: '+energy-pkg:0=package-0',
    powercap: 'intel-rapl:0=package-0-die-0<package-0 intel-rapl:1=package-0-die-1<package-0',
    msr: 'package:0=package-0',
    'msr-core': 'not-supported: 0xC001029A cannot be read: ... so it does not count single cores',
    byDefault: ['perf'],
  },
  'eio-for-a-while': POWERCAP_ALONE,
  'four-sockets-dram': {
    perf: `+energy-pkg:0=package-0 +energy-ram:0=dram-0 +energy-pkg:1=package-1 +energy-ram:1=dram-1
      +energy-pkg:4=package-4 +energy-ram:4=dram-4 +energy-pkg:5=package-5 +energy-ram:5=dram-5`,
    powercap: `intel-rapl:0=package-0 intel-rapl:0:0=dram-0 intel-rapl:1=package-1 intel-rapl:1:0=dram-1
      intel-rapl:2=package-4 intel-rapl:2:0=dram-4 intel-rapl:3=package-5 intel-rapl:3:0=dram-5`,
    msr: `package:0=package-0 dram:0=dram-0 package:1=package-1 dram:1=dram-1
      package:4=package-4 dram:4=dram-4 package:5=package-5 dram:5=dram-5`,
    byDefault: ['perf'],
    words: {
      ...each(
        [0, 1, 2, 3].map((n) => `powercap:intel-rapl:${n}:0`),
        KERNEL_DRAM,
      ),
      ...each(
        [0, 1, 4, 5].map((n) => `msr:dram:${n}`),
        FIXED_DRAM,
      ),
    },
  },
  'frozen-counter': POWERCAP_ALONE,
  hybrid: {
    perf: '+energy-pkg:0=package-0 energy-cores:0=core-0 energy-gpu:0=uncore-0',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=core-0 intel-rapl:0:1=uncore-0',
    msr: 'package:0=package-0 core:0=core-0 uncore:0=uncore-0',
    byDefault: ['perf'],
  },
  'mirrored-packages': {
    perf: '+energy-pkg:0=package-0 energy-pkg:1=package-1<package-0',
    powercap: 'intel-rapl:0=package-0 intel-rapl:1=package-1<package-0',
    msr: 'package:0=package-0 package:1=package-1<package-0',
    byDefault: ['perf'],
  },
  'mmio-twin': {
    perf: NO_PERF,
    powercap: '+intel-rapl:0=package-0 intel-rapl-mmio:0=package-0<mmio-0',
    msr: NO_MSR,
    byDefault: ['powercap'],
  },
  'noisy-filter': {
    perf: NO_PERF,
    powercap: '+intel-rapl:0=package-0',
    msr: 'package:0=package-0',
    byDefault: ['powercap'],
  },
  'odd-files': {
    perf: NO_PERF,
    powercap: `+intel-rapl:0=package-0 +intel-rapl:1=package-1 +intel-rapl:2=package-2 +intel-rapl:3=package-3
      intel-rapl:4=other-0<mystery-0`,
    msr: NO_MSR,
    byDefault: ['powercap'],
    words: {
      ...each(
        [1, 2, 3].map((n) => `powercap:intel-rapl:${n}`),
        NO_RANGE,
      ),
      'powercap:intel-rapl:4': 'ok: intel-rapl:4/name is missing or empty: what it meters is unknown',
    },
  },
  'package-1-first': {
    perf: '+energy-pkg:0=package-0 +energy-ram:0=dram-0 +energy-pkg:1=package-1 +energy-ram:1=dram-1',
    powercap: 'intel-rapl:0=package-1 intel-rapl:0:0=dram-1 intel-rapl:1=package-0 intel-rapl:1:0=dram-0',
    msr: 'package:0=package-0 dram:0=dram-0 package:1=package-1 dram:1=dram-1',
    byDefault: ['perf'],
    words: {
      ...each(['powercap:intel-rapl:0:0', 'powercap:intel-rapl:1:0'], KERNEL_DRAM),
      ...each(['msr:dram:0', 'msr:dram:1'], FIXED_DRAM),
    },
  },
  'psys-between-packages': {
    perf: `+energy-pkg:0=package-0 +energy-ram:0=dram-0 energy-psys:0=psys-0
      +energy-pkg:1=package-1 +energy-ram:1=dram-1`,
    powercap: `intel-rapl:0=package-0 intel-rapl:0:0=dram-0 intel-rapl:1=psys-0
      intel-rapl:2=package-1 intel-rapl:2:0=dram-1`,
    msr: 'package:0=package-0 dram:0=dram-0 package:1=package-1 dram:1=dram-1 psys:0=psys-0',
    byDefault: ['perf'],
    words: { 'msr:psys:0': 'ok: counts in whole joules on this model, whatever the unit register says' },
  },
  'renumbered-pmu': {
    perf: '+energy-pkg:0=package-0 +energy-ram:0=dram-0',
    powercap: NO_POWERCAP,
    msr: NO_MSR,
    byDefault: ['perf'],
  },
  'seccomp-container': {
    perf: 'energy-pkg:0=package-0',
    powercap: '+intel-rapl:0=package-0',
    msr: NO_MSR,
    byDefault: ['perf', 'powercap'],
    words: each(
      ['perf', 'perf:energy-pkg:0'],
      "no-permission: power/energy-pkg/ on CPU 0 may not be opened: ... a container's seccomp profile may forbid",
    ),
  },
  'sixteen-packages': {
    perf: sixteen((n) => `+energy-pkg:${n}=package-${n}`),
    powercap: sixteen((n) => `intel-rapl:${n.toString(16)}=package-${n}`),
    msr: sixteen((n) => `package:${n}=package-${n}`),
    byDefault: ['perf'],
  },
  'powercap-fails-msr-works': {
    perf: NO_PERF,
    powercap: 'intel-rapl:0=package-0',
    msr: '+package:0=package-0',
    byDefault: ['powercap', 'msr'],
    words: { 'powercap:intel-rapl:0': 'failed: answers EINVAL: its driver failed to read the register' },
    insufficient: 'powercap',
  },
  'slow-read': POWERCAP_ALONE,
  'spr-dram-bug': {
    perf: NO_PERF,
    powercap: '+intel-rapl:0=package-0 +intel-rapl:0:0=dram-0',
    msr: 'package:0=package-0 dram:0=dram-0',
    byDefault: ['powercap'],
    words: {
      'powercap:intel-rapl:0:0':
        'ok: this kernel prints the DRAM ... 3.99 times too low ... corrected to 2^-14 J',
    },
  },
  'spr-dram-bug-perf': {
    perf: '+energy-pkg:0=package-0 +energy-ram:0=dram-0',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=dram-0',
    msr: NO_MSR,
    byDefault: ['perf'],
    words: {
      'perf:energy-ram:0': 'ok: this kernel counts the DRAM ... 4 times too low ... corrected to 2^-14 J',
    },
  },
  'steps-back': POWERCAP_ALONE,
  suspend: { ...POWERCAP_ALONE, msr: 'not-supported: the processor refuses the unit register 0x606' },
  'tpmi-twin': {
    ...POWERCAP_ALONE,
    powercap: `${POWERCAP_ALONE.powercap} intel-rapl-tpmi:0=package-0 intel-rapl-tpmi:0:0=dram-0
      intel-rapl-tpmi:1=package-1 intel-rapl-tpmi:1:0=dram-1`,
  },
  'two-sockets-dram': {
    perf: '+energy-pkg:0=package-0 +energy-ram:0=dram-0 +energy-pkg:1=package-1 +energy-ram:1=dram-1',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=dram-0 intel-rapl:1=package-1 intel-rapl:1:0=dram-1',
    msr: 'package:0=package-0 dram:0=dram-0 package:1=package-1 dram:1=dram-1',
    byDefault: ['perf'],
    words: {
      ...each(['powercap:intel-rapl:0:0', 'powercap:intel-rapl:1:0'], KERNEL_DRAM),
      ...each(['msr:dram:0', 'msr:dram:1'], FIXED_DRAM),
    },
  },
  'unreadable-zone-vanishes': POWERCAP_ALONE,
};
