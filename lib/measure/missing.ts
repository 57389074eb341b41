// SPDX-License-Identifier: MIT
import { findDisplayControllers } from '../estimate/display-controllers.js';
import { meterIdentity } from '../meter/domains.js';
import type { Meter } from '../meter/meter.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';

/**
 * What keeps CPU and GPU from being measured in full, one sentence each; empty when nothing does. Memory is not
 * asked for: most machines have no counter for it.
 */
export function missingCounters(meter: Meter, options: MeterOptions = {}): string[] {
  const listed = meter.list(meter.read());
  const covered = new Set(
    listed.filter((delta) => delta.inTotal).map(({ counter }) => meterIdentity(counter)),
  );
  const missing = listed
    .filter(({ counter, status }) => status !== 'ok' && ['package', 'gpu'].includes(counter.domain))
    .filter(({ counter }) => !covered.has(meterIdentity(counter)))
    .map(({ counter, status, detail }) => `${counter.id}: ${status}, ${detail}`);
  const addresses = new Set(meter.counters.map((counter) => counter.pciAddress));
  for (const gpu of findDisplayControllers(resolveMeterOptions(options).sysfs)) {
    if (!gpu.integrated && !addresses.has(gpu.address)) {
      missing.push(`${gpu.name} at ${gpu.address}: present, without a counter`);
    }
  }
  if (!listed.some((delta) => delta.inTotal && delta.counter.domain === 'package')) {
    const reasons = meter.sources
      .filter((state) => state.status !== 'ok' && state.source !== 'nvml')
      .map((state) => `${state.source}: ${state.status}, ${state.detail}`);
    missing.unshift(...(reasons.length > 0 ? reasons : ['no counter of a CPU package can be read']));
  }
  return missing;
}
