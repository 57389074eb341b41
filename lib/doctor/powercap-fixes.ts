// SPDX-License-Identifier: MIT
import { containerFixes } from './container-fixes.js';
import type { Fix } from './diagnosis.js';
import {
  type FixContext,
  type FixesOf,
  GROUP,
  groupCommands,
  isAmd,
  isInside,
  isOlder,
  joinCommand,
  kernelLog,
  loadModule,
  mayHave,
  ruleCommands,
} from './fix-parts.js';

/** The driver is split into common, MSR and MMIO parts since this kernel. */
const SPLIT_KERNEL = [5, 3] as const;
const AMD_KERNEL = [5, 11] as const;

/** Narrow, since it names who may read; it holds over module loads and restarts. */
export function groupRule(context: FixContext): Fix {
  const inside = isInside(context);
  return {
    title: `${inside ? 'On the host: let' : 'Let'} the group "${GROUP}" read the energy files, by a udev rule`,
    commands: [
      ...groupCommands(context),
      ...ruleCommands(
        context,
        'rapl',
        [
          'SUBSYSTEM=="powercap", KERNEL=="intel-rapl*:*", \\',
          `  RUN+="/bin/chgrp ${GROUP} /sys/%p/energy_uj", \\`,
          '  RUN+="/bin/chmod g+r /sys/%p/energy_uj"',
        ],
        'powercap',
      ),
      ...(inside ? [] : [joinCommand(context)]),
    ],
    why:
      'Fine-grained energy readings leak keys and other secrets of every process (PLATYPUS, CVE-2020-8694), which ' +
      'is why Linux keeps them from users since 5.10: name who may read, and never chmod a+r.',
    holds: 'lasting',
  };
}

export const powercap: FixesOf = (status, context) => {
  const inside = isInside(context);
  if (status === 'no-permission') {
    return [groupRule(context), ...(inside ? containerFixes('group', context) : [])];
  }
  if (status === 'masked') return containerFixes('sysfs', context);
  if (status === 'not-found' && mayHave(context)) {
    if (inside) return containerFixes('sysfs', context);
    const { kernelRelease } = context.facts;
    if (isAmd(context) && isOlder(kernelRelease, AMD_KERNEL)) return [];
    const module = isOlder(kernelRelease, SPLIT_KERNEL) ? 'intel_rapl' : 'intel_rapl_msr';
    return [loadModule(module, 'powercap')];
  }
  return status === 'failed' ? [kernelLog('rapl')] : [];
};
