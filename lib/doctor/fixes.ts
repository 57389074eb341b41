// SPDX-License-Identifier: MIT
//
// What makes a source readable on this machine: a group's right, then a setting, then a capability, each with whom it
// opens what to. Nothing is run: it is for the user to read.
import type { Status } from '../core/vocabulary.js';
import type { Fix } from './diagnosis.js';
import { type FixContext, type FixesOf, isAlpine, isAmd } from './fix-parts.js';
import { native, nvml } from './install-fixes.js';
import { msr } from './msr-fixes.js';
import { perf } from './perf-fixes.js';
import { powercap } from './powercap-fixes.js';

/** AMD's, and of recent kernels alone: where it is not, no module brings it. */
const ofCores =
  (of: FixesOf): FixesOf =>
  (status, context) =>
    status === 'not-found' || !isAmd(context) ? [] : of(status, context);

const FIXES: Readonly<Record<string, FixesOf>> = {
  perf,
  'perf-core': ofCores(perf),
  powercap,
  msr,
  'msr-core': ofCores(msr),
  nvml,
  native,
};

/** What can be done about a source that is not `ok`. None for a source not known here. */
export function fixesFor(source: string, status: Status, context: FixContext): Fix[] {
  const fixes = status === 'ok' ? [] : (FIXES[source]?.(status, context) ?? []);
  // Alpine has no sudo until it is installed.
  return isAlpine(context)
    ? fixes.map((fix) => ({
        ...fix,
        commands: fix.commands.map((command) => command.replaceAll(/\bsudo /g, 'doas ')),
      }))
    : fixes;
}
