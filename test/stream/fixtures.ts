// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { JsonSchema } from '../../lib/core/schema-check.js';
import type { StreamChannel, StreamHeader, StreamRecord } from '../../lib/stream/types.js';

const require = createRequire(import.meta.url);
const { default: Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');

/** What ships. */
export const streamSchema = JSON.parse(
  readFileSync(new URL('../../schema/stream.schema.json', import.meta.url), 'utf8'),
) as JsonSchema;
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(streamSchema as object);

/** What the schema says against one line of a stream; empty when it is one. */
export function lineErrors(line: string): string[] {
  if (validate(JSON.parse(line))) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}: ${line}`);
}

export function channel(id: string, more: Partial<StreamChannel> = {}): StreamChannel {
  return {
    id,
    name: id,
    domain: 'package',
    device: 0,
    source: 'powercap',
    origin: `/sys/class/powercap/${id}/energy_uj`,
    kind: 'measured',
    unit: 'J',
    resolutionJoules: 1 / 16384,
    scaleNumerator: '1',
    scaleDenominator: '16384',
    inTotal: true,
    apart: '',
    overlaps: [],
    detail: '',
    ...more,
  };
}

export function header(channels: StreamChannel[]): StreamHeader {
  return {
    type: 'header',
    schema: 'microjoule.stream/1',
    generator: { name: 'microjoule', version: '0.0.0' },
    clock: {
      id: 'CLOCK_MONOTONIC',
      monotonicNs: '9007199254740993',
      unixNs: '1795000000000000001',
      uncertaintyNs: 900,
    },
    machine: { os: 'Linux 6.1', runtime: 'Node.js 20.20.2', cpuThreadCount: 8, ramTotalGib: 31.75 },
    intervalNs: 1e6,
    channels,
    absent: [{ source: 'nvml', status: 'not-found', detail: 'there is no libnvidia-ml.so.1' }],
  };
}

const LETTERS = ['a', 'é', '"', '\\', '\n', '\u2028', '漢', ' ', '0'];

/** A stream that is as it should be, at random: any channels, values that stand still, vanish and grow, every record. */
export function randomStream(random: () => number): StreamRecord[] {
  const whole = (below: number): number => Math.floor(random() * below);
  const text = (): string => Array.from({ length: whole(6) }, () => LETTERS[whole(LETTERS.length)]).join('');
  const channels = Array.from({ length: whole(6) }, (_, index) =>
    channel(`c${index}`, { name: text(), detail: text(), overlaps: index > 0 ? ['c0'] : [] }),
  );
  const records: StreamRecord[] = [header(channels)];
  const ticks = channels.map(() => 0);
  let timeNs = 0;
  const latest = channels.map((): number | null => null);
  let rowCount = 0;
  for (let left = whole(60); left > 0; left -= 1) {
    timeNs += 1 + whole(2e9);
    const kind = whole(12);
    if (kind === 0) {
      const gap = { type: 'gap', fromNs: whole(timeNs), toNs: timeNs, detail: text() } as const;
      const some = channels.length > 0 ? { channels: ['c0'] } : { lostRowCount: whole(9) };
      records.push({ ...gap, ...some, reason: 'unreadable', energyKept: random() < 0.5 });
    } else if (kind === 1) records.push({ type: 'note', timeNs, code: 'some-code', message: text() });
    else if (kind === 2)
      records.push({ type: 'clock', timeNs, unixNs: '1795000000000000002', uncertaintyNs: 5 });
    else {
      const energyJoules = ticks.map((before, index) => {
        if (random() < 0.1) return null;
        ticks[index] = before + whole(2 ** (1 + whole(45)));
        latest[index] = (ticks[index] ?? 0) / 16384;
        return latest[index];
      });
      records.push({ type: 'row', timeNs, energyJoules });
      rowCount += 1;
    }
  }
  if (random() < 0.3) return records;
  const sum = { energyJoules: random() * 1e9, kind: 'measured' } as const;
  const end = { type: 'end', timeNs, reason: 'stopped', rowCount, lostRowCount: whole(9) } as const;
  records.push({ ...end, ...(random() < 0.5 ? sum : {}), atLeast: false, channelJoules: latest });
  return records;
}
