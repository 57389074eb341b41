// SPDX-License-Identifier: MIT
//
// What the product should make of each described machine of which a part, or all, cannot be measured: that one zone that
// cannot be read hides no other, and why there is nothing.
import { IN_A_GUEST, NO_MSR, NO_POWERCAP, POWERCAP_ALONE } from './rows.js';
import type { Row } from './table.js';

/** Of POWERCAP_ALONE, without the second package. */
function withoutPackage1(words: string): Row {
  return {
    ...POWERCAP_ALONE,
    powercap: '+intel-rapl:0=package-0 +intel-rapl:0:0=dram-0 intel-rapl:1=package-1 +intel-rapl:1:0=dram-1',
    words: { 'powercap:intel-rapl:1': words },
    partly: true,
    report: `powercap:intel-rapl:1 ... ${words.slice(words.indexOf(': ') + 2)}`,
  };
}

const PARANOID =
  'no-permission: may not be opened: kernel.perf_event_paranoid is above 0 and this process lacks CAP_PERFMON';
const ROOTS_ALONE =
  'no-permission: energy_uj may not be read: ... root alone since Linux 5.10 ... chgrp and chmod g+r, by a udev rule';
const HIDDEN = 'masked: leads nowhere: the container hides it; mount the host ... give its place with sysfs';

export const ROWS_IN_PART: Record<string, Row> = {
  'bare-guest': {
    perf: IN_A_GUEST,
    powercap: NO_POWERCAP,
    msr: 'not-supported: CPUID lists no energy registers ... dev/cpu/0/msr does not exist ... a virtual machine seldom has',
    'msr-core': 'not-supported: CPUID lists no energy registers ... dev/cpu/0/msr does not exist',
    byDefault: [],
    partly: true,
    report: 'hypervisors may hide it ... a virtual machine seldom has these registers',
  },
  'emulated-every-second': {
    perf: IN_A_GUEST,
    powercap: NO_POWERCAP,
    msr: 'package:0=package-0',
    byDefault: ['msr'],
    words: {
      'msr:package:0':
        'stale: did not move in ... the region is shorter than its update, or it counts nothing',
    },
    partly: true,
    report: 'msr:package:0 ... did not move in',
    // No update falls into the readings.
    change: (text) => text.replace('update 1s', 'update 3600s'),
  },
  'locked-down': {
    perf: 'energy-pkg:0=package-0 energy-ram:0=dram-0',
    powercap: 'intel-rapl:0=package-0 intel-rapl:0:0=dram-0',
    msr: 'no-permission: dev/cpu/0/msr may not be opened: ... CAP_SYS_RAWIO ... lockdown ... perf and powercap',
    byDefault: ['perf', 'powercap'],
    words: {
      perf: PARANOID,
      'perf:energy-pkg:0': PARANOID,
      'perf:energy-ram:0': PARANOID,
      powercap: ROOTS_ALONE,
      'powercap:intel-rapl:0': ROOTS_ALONE,
      'powercap:intel-rapl:0:0': ROOTS_ALONE,
    },
    partly: true,
    report: 'kernel.perf_event_paranoid ... chmod g+r',
  },
  'masked-container': {
    perf: 'energy-pkg:0=package-0 energy-ram:0=dram-0',
    powercap: 'intel-rapl:0=other-0 intel-rapl:0:0=other-1',
    msr: NO_MSR,
    byDefault: ['perf', 'powercap'],
    words: {
      perf: PARANOID,
      'perf:energy-pkg:0': PARANOID,
      'perf:energy-ram:0': PARANOID,
      powercap: 'masked: zones that lead nowhere: the container hides /sys/devices/virtual/powercap; mount',
      'powercap:intel-rapl:0': HIDDEN,
      'powercap:intel-rapl:0:0': HIDDEN,
    },
    partly: true,
    report: 'kernel.perf_event_paranoid',
  },
  'reads-zeros': {
    perf: 'virtualised: devices/power is registered but has no data: ... measure on the host',
    powercap: NO_POWERCAP,
    msr: 'virtualised: the unit register 0x606 reads 0: a hypervisor answers instead of the processor; measure on the host',
    byDefault: [],
    partly: true,
    report: 'measure on the host',
  },
  'unreadable-zone-eacces': withoutPackage1(ROOTS_ALONE),
  'unreadable-zone-einval': withoutPackage1(
    'failed: answers EINVAL: its driver failed to read the register; ... dmesg | grep -i rapl',
  ),
  'unreadable-zone-eio': withoutPackage1(
    'failed: answers EIO: the processor refused the register; ... dmesg | grep -i rapl',
  ),
  'unreadable-zone-enodata': withoutPackage1(
    'failed: answers ENODATA: its driver has no value for it; ... dmesg | grep -i rapl',
  ),
  'unreadable-zone-enoent': withoutPackage1(
    "not-found: energy_uj does not exist: is the host's /sys mounted here? Give its place with sysfs",
  ),
};
