// SPDX-License-Identifier: MIT
import { capabilityFixes } from './capability-fixes.js';
import { containerFixes } from './container-fixes.js';
import type { Fix } from './diagnosis.js';
import {
  type FixContext,
  type FixesOf,
  GROUP,
  groupCommands,
  isAmd,
  isInside,
  joinCommand,
  kernelLog,
  loadModule,
  mayHave,
  ruleCommands,
} from './fix-parts.js';

/** The units, then the energy of package, DRAM, core, uncore and psys (Intel); of core and package (AMD). */
const INTEL_REGISTERS = '0x606 0x611 0x619 0x639 0x641 0x64D';
const AMD_REGISTERS = '0xC0010299 0xC001029A 0xC001029B';

const NODE_RIGHTS = `  GROUP="${GROUP}", MODE="0640"`;

function msrSafe(context: FixContext): Fix {
  const registers = isAmd(context) ? AMD_REGISTERS : INTEL_REGISTERS;
  const rule = ['SUBSYSTEM=="msr_safe|msr_batch|msr_version", \\', NODE_RIGHTS];
  return {
    title: 'Use msr-safe, whose allow-list names the registers a group may read',
    commands: [
      '# build it: https://github.com/LLNL/msr-safe',
      'sudo modprobe msr-safe',
      `printf '%s 0x0000000000000000\\n' \\\n  ${registers} |\n  sudo tee /dev/cpu/msr_allowlist`,
      ...groupCommands(context),
      ...ruleCommands(context, 'msr-safe', rule, "'msr_*'"),
      joinCommand(context),
    ],
    why:
      'The kernel has no narrower right than all registers of all CPUs: msr-safe does. The zeros say that nothing may ' +
      'be written; the list must be given again after a restart.',
    holds: 'until-restart',
  };
}

function rawIo(context: FixContext): Fix[] {
  const rule = ['SUBSYSTEM=="msr", KERNEL=="msr[0-9]*", \\', NODE_RIGHTS];
  const [make = ''] = groupCommands(context);
  return capabilityFixes(
    {
      name: 'CAP_SYS_RAWIO',
      why:
        'CAP_SYS_RAWIO reads every register and reaches raw hardware, as good as root: prefer perf or powercap. /dev/cpu/*/msr ' +
        "is root's alone, so the group must be let in, too; without the capability it still reads nothing.",
      before: {
        lasting: [make, ...ruleCommands(context, 'msr', rule, 'msr')],
        once: [make, `sudo chgrp ${GROUP} /dev/cpu/*/msr`, 'sudo chmod g+r /dev/cpu/*/msr'],
      },
      group: GROUP,
    },
    context,
  );
}

export const msr: FixesOf = (status, context) => {
  const { lockdown } = context.machine;
  const inside = isInside(context);
  if (status === 'not-found' && mayHave(context)) {
    return inside ? containerFixes('msr', context) : [loadModule('msr', 'model-specific registers')];
  }
  if (status === 'masked') return containerFixes('msr', context);
  if (status === 'no-permission') {
    if (inside) return containerFixes('msr', context);
    // Lockdown is set by the firmware's Secure Boot or at the kernel's command line: nothing to type undoes it.
    if (lockdown !== undefined && lockdown !== 'none') return [];
    return [msrSafe(context), ...rawIo(context)];
  }
  return status === 'failed' ? [kernelLog("'msr\\|rapl'")] : [];
};
