// SPDX-License-Identifier: MIT
import { capabilityFixes, HIGHEST_LEVEL, LOWER, perfCapability, WHY_LOWER } from './capability-fixes.js';
import { containerFixes } from './container-fixes.js';
import type { Fix } from './diagnosis.js';
import {
  type FixContext,
  type FixesOf,
  isAmd,
  isInside,
  isOlder,
  kernelLog,
  loadModule,
  mayHave,
} from './fix-parts.js';

/** Since this kernel the module has its name, and AMD's processors, too. */
const RENAMED_KERNEL = [5, 8] as const;

/** The first of these is at once, the second for good. */
function sysctlCommands(level: number): [string, string] {
  return [
    `sudo sysctl kernel.perf_event_paranoid=${level}`,
    `echo 'kernel.perf_event_paranoid = ${level}' |\n  sudo tee /etc/sysctl.d/70-microjoule.conf`,
  ];
}

function sysctl(level: number, inside: boolean): Fix {
  return {
    title: `${inside ? 'Or, on the host: lower' : 'Lower'} kernel.perf_event_paranoid from ${level} to 0`,
    commands: sysctlCommands(0),
    why:
      `Energy events count for a whole CPU, and level ${level} keeps those for the privileged. At 0 every user can ` +
      'read them, with what they leak (PLATYPUS): on a shared machine take the group rule of powercap, or a capability. ' +
      'The second command makes it last.',
    holds: 'lasting',
  };
}

function capability(context: FixContext): Fix[] {
  const { name, mustLower } = perfCapability(context);
  const why =
    name === 'CAP_SYS_ADMIN'
      ? 'Before Linux 5.8 there is no narrower capability for perf events.'
      : 'CAP_PERFMON lets a program read counters of the whole machine, and trace the kernel: no more than that, but not little.';
  const fixes = capabilityFixes(
    {
      name,
      why,
      ...(mustLower ? { before: { lasting: sysctlCommands(HIGHEST_LEVEL), once: [LOWER] } } : {}),
    },
    context,
  );
  // Said once.
  return fixes.map((fix, index) =>
    mustLower && index === 0 ? { ...fix, why: `${WHY_LOWER} ${fix.why}` } : fix,
  );
}

/** Their filters of system calls refuse perf events without the capability, whatever the level. */
export function isFiltered({ machine }: FixContext): boolean {
  return machine.container.state === 'docker' || machine.container.state === 'podman';
}

export const perf: FixesOf = (status, context) => {
  const inside = isInside(context);
  if (status === 'no-permission') {
    const level = context.facts.perfEventParanoid;
    // At 0 and below it was not the level that refused.
    const byLevel = level === undefined || level <= 0 || isFiltered(context) ? [] : [sysctl(level, inside)];
    return [...containerFixes('perf', context), ...byLevel, ...(inside ? [] : capability(context))];
  }
  // Hidden is its folder, or the system call.
  if (status === 'masked') return [...containerFixes('perf', context), ...containerFixes('sysfs', context)];
  if (status === 'not-found' && mayHave(context)) {
    if (inside) return containerFixes('sysfs', context);
    const old = isOlder(context.facts.kernelRelease, RENAMED_KERNEL);
    if (old && isAmd(context)) return [];
    return [loadModule(old ? 'intel_rapl_perf' : 'rapl', 'RAPL perf events')];
  }
  return status === 'failed' ? [kernelLog('rapl')] : [];
};
