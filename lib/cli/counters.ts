// SPDX-License-Identifier: MIT
import { formatCounters } from '../formats.js';
import { type CounterDelta, openMeter, sourceNames } from '../measures.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { writeStdout } from './stdout.js';
import { styleFor } from './terminal.js';

/**
 * `microjoule counters`: every source and counter, also those that repeat others, its status and its count.
 * @throws MicrojouleError where stdout cannot be written
 */
export async function runCounters(flags: MeterFlags & { json?: boolean }): Promise<void> {
  const names = sourceNames();
  const meter = openMeter({ ...(names.length === 0 ? {} : { sources: names }), ...toMeterOptions(flags) });
  const listed = meter.list(meter.read());
  const { sources } = meter;
  meter.close();
  await writeStdout(
    flags.json === true
      ? `${JSON.stringify({ sources: sources.map(describe(listed)) }, null, 2)}\n`
      : formatCounters(sources, listed, styleFor(process.stdout)),
  );
}

function describe(listed: readonly CounterDelta[]) {
  return ({ source, status, detail }: { source: string; status: string; detail: string }) => ({
    source,
    status,
    detail,
    counters: listed
      .filter((delta) => delta.counter.source === source)
      .map(({ counter, status, detail, energyJoules, inTotal, apart }) => ({
        id: counter.id,
        domain: counter.domain,
        device: counter.device,
        origin: counter.origin,
        status,
        detail: [detail, inTotal ? '' : apart].filter((part) => part !== '').join('; '),
        // What is integrated from power begins at 0 with each meter, which tells nothing.
        ...(energyJoules === undefined || counter.kind === 'power' ? {} : { energyJoules }),
        ...(counter.method === undefined ? {} : { method: counter.method }),
        inTotal,
      })),
  });
}
