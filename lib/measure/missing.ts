// SPDX-License-Identifier: MIT
import { findDisplayControllers } from '../estimate/display-controllers.js';
import type { Meter } from '../meter/meter.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';
import { unmeteredControllers } from './components.js';
import { whySourcesFail } from './reasons.js';

/**
 * What keeps CPU and GPU from being measured in full, one sentence each; empty when nothing does. Memory is not
 * asked for: most machines have no counter for it.
 */
export function missingCounters(meter: Meter, options: MeterOptions = {}): string[] {
  const listed = meter.list(meter.read());
  const covered = new Set(listed.filter((delta) => delta.inTotal).map((delta) => delta.meter));
  const missing = listed
    .filter(({ counter }) => ['package', 'gpu'].includes(counter.domain) || counter.unknownContent === true)
    .filter(({ meter: one }) => !covered.has(one))
    .map(({ counter, status, detail, apart }) => `${counter.id}: ${status}, ${detail || apart}`);
  for (const gpu of unmeteredControllers(
    findDisplayControllers(resolveMeterOptions(options).sysfs) ?? [],
    meter.counters,
  )) {
    missing.push(`${gpu.name} at ${gpu.address}: present, without a counter`);
  }
  if (!listed.some((delta) => delta.inTotal && delta.counter.domain === 'package')) {
    const reasons = whySourcesFail(meter.sources);
    missing.unshift(...(reasons.length > 0 ? reasons : ['no counter of a CPU package can be read']));
  }
  return missing;
}
