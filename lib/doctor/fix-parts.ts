// SPDX-License-Identifier: MIT
//
// What the fixes of several sources share.
import type { Status } from '../core/vocabulary.js';
import type { Fix, MachineDiagnosis } from './diagnosis.js';
import type { Facts } from './facts.js';
import { hasRapl } from './machine.js';

export interface FixContext {
  facts: Facts;
  machine: MachineDiagnosis;
}

export type FixesOf = (status: Status, context: FixContext) => Fix[];

/** Whom the fixes let read. */
export const GROUP = 'power';

export function isInside({ machine }: FixContext): boolean {
  return machine.container.state !== 'none';
}

/** Inside a container the user's name says nothing to the host. */
export function userOf(context: FixContext): string {
  const { userName, isRoot } = context.facts;
  return userName === undefined || isRoot || isInside(context) ? 'YOUR_USER' : userName;
}

/** What a container is, is not what its host is. */
export function isAlpine(context: FixContext): boolean {
  return !isInside(context) && /alpine/.test(context.facts.distribution);
}

/** As one word for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function commandLine({ packagePath }: Facts): string {
  return quoted(`${packagePath.replace(/\/$/, '')}/dist/cli/main.js`);
}

export function isOlder(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = kernel.split(/[.-]/).map(Number);
  return haveMajor < major || (haveMajor === major && haveMinor < minor);
}

/** Makes the group, and the user one of it. */
export function groupCommands(context: FixContext): string[] {
  if (isAlpine(context)) return [`sudo addgroup -S ${GROUP}`, `sudo adduser ${userOf(context)} ${GROUP}`];
  const make = `sudo groupadd --system --force ${GROUP}`;
  // The host's user is not known in a container, which is given the group itself.
  return isInside(context) ? [make] : [make, `sudo usermod --append --groups ${GROUP} ${userOf(context)}`];
}

/** Who was made one of a group is so from the next login on. */
export function joinCommand(context: FixContext): string {
  return isAlpine(context) ? '# log in again' : `newgrp ${GROUP}    # or log in again`;
}

/** Writes a rule of udev, and has it done now. */
export function ruleCommands(
  context: FixContext,
  name: string,
  lines: string[],
  subsystem: string,
): string[] {
  const file = `/etc/udev/rules.d/70-microjoule-${name}.rules`;
  const printed = lines.map((line, index) => `${index === 0 ? "printf '%s\\n' " : '  '}${quoted(line)}`);
  return [
    ...(isAlpine(context) ? ['sudo apk add eudev', 'sudo setup-devd udev'] : []),
    `${printed.join(' \\\n')} |\n  sudo tee ${file}`,
    'sudo udevadm control --reload',
    `sudo udevadm trigger --settle --subsystem-match=${subsystem}`,
  ];
}

export function loadModule(module: string, what: string): Fix {
  return {
    title: `Load the kernel's driver of ${what}`,
    commands: [
      `sudo modprobe ${module}`,
      `echo ${module} |\n  sudo tee /etc/modules-load.d/microjoule-${module}.conf`,
    ],
    why: 'It is not loaded, or this CPU is newer than the kernel; the second command loads it at every start.',
    holds: 'lasting',
  };
}

export function kernelLog(word: string): Fix {
  return {
    title: 'See what the kernel says of it',
    commands: [`sudo dmesg | grep -i ${word}`],
    why: 'The driver answers, but not with a usable count: the log names what it found.',
    holds: 'changes-nothing',
  };
}

/** Whether the machine could have what was not found. A virtual machine has what its hypervisor gives, and no more. */
export function mayHave({ facts, machine }: FixContext): boolean {
  return machine.hardware.state !== 'virtual-machine' && hasRapl(facts) !== false;
}

export function isAmd({ machine }: FixContext): boolean {
  return machine.cpu.vendor === 'AuthenticAMD' || machine.cpu.vendor === 'HygonGenuine';
}
