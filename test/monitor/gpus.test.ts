// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startStream } from '../../lib/monitor/producer.js';
import { encodeRecord } from '../../lib/stream/encode.js';
import { useWorkplace } from '../cli/fixtures.js';
import { fakeNvmlLibrary } from '../support/fake-nvml.js';
import { decode } from './fixtures.js';

describe.skipIf(fakeNvmlLibrary() === undefined)(
  'a stream of GPUs (needs a C compiler: apt-get install gcc)',
  () => {
    const place = useWorkplace();
    afterEach(() => vi.unstubAllEnvs());

    it('has boards in the sum and memory beside it, and at least when one cannot be read', async () => {
      const folder = place.newFolder();
      const script = folder.file('script');
      writeFileSync(
        script,
        'gpu Total\nperiod 0.02\n' +
          'gpu Silent\nsilent\n' +
          'gpu Memory\nperiod 0.02\nanswers memory 0\nmemory-watts 20\n',
      );
      vi.stubEnv('FAKE_NVML_SCRIPT', script);
      const options = { sysfs: folder.path, nvmlLibrary: fakeNvmlLibrary() ?? '', sources: ['nvml'] };
      let text = '';
      const stream = startStream({ ...options, estimates: false, intervalMs: 50 }, (record) => {
        text += encodeRecord(record);
      });
      await wait(1200);
      stream.stop();
      await stream.ended;
      const { header, end } = decode(text);
      expect(
        header.channels.map(({ id, inTotal, deviceName, overlaps }) => [id, inTotal, deviceName, overlaps]),
      ).toEqual([
        ['nvml:0', true, 'Total', []],
        ['nvml:1', true, 'Silent', []],
        ['nvml:2', true, 'Memory', ['nvml:2:memory']],
        ['nvml:2:memory', false, 'Memory', ['nvml:2']],
      ]);
      expect(header.channels[3]).toMatchObject({ domain: 'gpu-memory', parent: 'nvml:2' });
      expect(end.channelJoules[1]).toBeNull();
      expect(end).toMatchObject({ kind: 'measured', atLeast: true });
      // 100 W each, known up to some updates ago.
      for (const gpu of [0, 2]) {
        expect(end.channelJoules[gpu]).toBeGreaterThan(70);
        expect(end.channelJoules[gpu]).toBeLessThan(150);
      }
      expect(end.energyJoules).toBeCloseTo((end.channelJoules[0] ?? 0) + (end.channelJoules[2] ?? 0), 9);
    });
  },
);
