// SPDX-License-Identifier: MIT
import type { Fix } from './diagnosis.js';
import { commandLine, type FixContext, isAlpine, isOlder } from './fix-parts.js';

/** Linux' numbers, by which older setpriv know them, too. */
const NUMBERS = { CAP_SYS_RAWIO: 17, CAP_SYS_ADMIN: 21, CAP_PERFMON: 38 } as const;

export interface Grant {
  name: keyof typeof NUMBERS;
  why: string;
  /** What must be done before, so that it lasts, and for one try. */
  before?: { lasting: string[]; once: string[] };
  /** The group that may open what is read. */
  group?: string;
}

/** CAP_PERFMON is there since this kernel. */
const PERFMON_KERNEL = [5, 8] as const;
/** Levels of perf_event_paranoid above this are of Debian's and Ubuntu's kernels, which then ask for CAP_SYS_ADMIN. */
export const HIGHEST_LEVEL = 2;

/** Which capability perf events take here, and whether the level must be lowered before it is enough. */
export function perfCapability({ facts }: FixContext): { name: Grant['name']; mustLower: boolean } {
  if (isOlder(facts.kernelRelease, PERFMON_KERNEL)) return { name: 'CAP_SYS_ADMIN', mustLower: false };
  return { name: 'CAP_PERFMON', mustLower: (facts.perfEventParanoid ?? 0) > HIGHEST_LEVEL };
}

export const LOWER = `sudo sysctl kernel.perf_event_paranoid=${HIGHEST_LEVEL}`;
export const WHY_LOWER =
  "Levels above 2 are Debian's and Ubuntu's: there CAP_PERFMON alone may not do. The first command opens no energy " +
  'event to users.';

const NOT_ON_NODE =
  'Never give node itself a file capability (setcap): Node then ignores NODE_OPTIONS, and every script gets the power.';

/** Ambient: what a unit or setpriv gives is not a file capability, so Node keeps NODE_OPTIONS. */
export function capabilityFixes({ name, why, before, group }: Grant, context: FixContext): Fix[] {
  const word = `+cap_${NUMBERS[name]}`;
  const { facts } = context;
  const user = facts.isRoot ? ' YOUR_USER' : '';
  const unit = [
    '[Service]',
    `AmbientCapabilities=${name}`,
    `CapabilityBoundingSet=${name}`,
    'NoNewPrivileges=yes',
    ...(group === undefined ? [] : [`SupplementaryGroups=${group}`]),
  ];
  const service: Fix = {
    title: `Give ${name} to one small service that reads, and to nothing else`,
    commands: [
      ...(before?.lasting ?? []),
      'sudo systemctl edit YOUR_SERVICE    # and add these lines:',
      unit.join('\n'),
    ],
    why: `${why} ${NOT_ON_NODE}`,
    holds: 'lasting',
  };
  const once: Fix = {
    title: `Give ${name} to one command`,
    commands: [
      ...(before?.once ?? []),
      [
        `sudo setpriv --reuid "$(id -u${user})" \\`,
        `  --regid ${group ?? `"$(id -g${user})"`} --init-groups \\`,
        `  --inh-caps ${word} --ambient-caps ${word} \\`,
        '  "$(command -v node)" \\',
        `  ${commandLine(facts)} doctor`,
      ].join('\n'),
    ],
    why: `To try it: the command and what it starts have ${name}, and nothing afterwards.`,
    holds: 'until-it-ends',
  };
  // Alpine starts its services without systemd.
  return isAlpine(context) ? [{ ...once, why: `${once.why} ${why} ${NOT_ON_NODE}` }] : [service, once];
}
