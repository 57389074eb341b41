// SPDX-License-Identifier: MIT
//
// What draws power and has no counter that could be listed.
import { findDisplayControllers } from '../estimate/display-controllers.js';
import { unmeteredControllers } from '../measure/components.js';
import type { Meter } from '../meter/meter.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';

/** GPUs without a counter, devices that cannot be read, and the CPU where no package is counted, in words. */
export function absentDevices(meter: Meter, { sysfs }: MeterOptions): string[] {
  const root = resolveMeterOptions(sysfs === undefined ? {} : { sysfs }).sysfs;
  const gpus = unmeteredControllers(findDisplayControllers(root) ?? [], meter.counters).map(
    ({ name, address }) => `${name} at ${address}`,
  );
  const unknown = meter.counters.flatMap(({ id, unknownContent }) => (unknownContent === true ? [id] : []));
  const hasPackage = meter.counters.some(({ domain }) => domain === 'package');
  return [...(hasPackage ? [] : ['the CPU packages']), ...gpus, ...unknown];
}
