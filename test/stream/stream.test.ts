// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StreamDecoder } from '../../lib/stream/decode.js';
import { encodeRecord, ticksOf } from '../../lib/stream/encode.js';
import type { StreamRecord } from '../../lib/stream/types.js';
import { seededRandom } from '../report/fixtures.js';
import { channel, header, lineErrors, randomStream, streamSchema } from './fixtures.js';

/** Decodes a text that comes in pieces that end at the given places. */
function decode(text: string, ends: number[] = []) {
  const decoder = new StreamDecoder(streamSchema);
  const records: StreamRecord[] = [];
  let start = 0;
  for (const end of [...ends, text.length]) {
    records.push(...decoder.push(text.slice(start, end)));
    start = end;
  }
  records.push(...decoder.finish());
  return { records, decoder };
}

const encode = (records: StreamRecord[]): string => records.map(encodeRecord).join('');
const HEADER = encodeRecord(header([channel('a'), channel('b')]));

describe('a stream', () => {
  const random = seededRandom(8);

  it('reads back as it was written, in pieces of any size, and every line is as the schema has it', () => {
    for (let round = 0; round < 200; ++round) {
      const written = randomStream(random);
      const text = encode(written);
      for (const line of text.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
      const ends = Array.from({ length: 5 }, () => Math.floor(random() * text.length)).sort((a, b) => a - b);
      const { records, decoder } = decode(text, ends);
      expect(records).toEqual(written);
      expect(decoder.isCut).toBe(false);
      expect(decoder.isEnded).toBe(written.at(-1)?.type === 'end');
    }
  });

  it('loses no more than its last line wherever it is cut', () => {
    for (let round = 0; round < 200; ++round) {
      const written = randomStream(random);
      const text = encode(written);
      const first = encode(written.slice(0, 1)).length;
      const end = first + Math.floor(random() * (text.length - first + 1));
      const { records, decoder } = decode(text.slice(0, end));
      const whole = text.slice(0, end).split('\n').length - 1;
      expect(records.length - whole).toBeGreaterThanOrEqual(0);
      expect(records).toEqual(written.slice(0, records.length));
      // Whatever is left of the last line is either told or whole.
      const isPart = text.slice(0, end).at(-1) !== '\n' && records.length === whole;
      expect(decoder.isCut).toBe(isPart);
    }
  });

  it('gives back a counter its ticks', () => {
    const one = channel('a', { scaleNumerator: '36', scaleDenominator: '10000000000' });
    const fine = channel('b', { scaleNumerator: '1', scaleDenominator: String(2 ** 32) });
    for (let round = 0; round < 1000; ++round) {
      const ticks = Math.floor(random() * 2 ** (1 + (round % 51)));
      expect(ticksOf(channel('c'), ticks / 16384)).toBe(BigInt(ticks));
      expect(ticksOf(one, (ticks * 36) / 1e10)).toBe(BigInt(ticks));
      expect(ticksOf(fine, ticks / 2 ** 32)).toBe(BigInt(ticks));
    }
    const { scaleNumerator, scaleDenominator, resolutionJoules, ...model } = channel('d');
    expect(ticksOf(model, 1)).toBeUndefined();
  });

  it('lets a later version say more', () => {
    const more = HEADER.replace('{', '{"later":1,');
    const { records } = decode(`${more}{"type":"later"}\n\n[5,0,null]\r\n`);
    expect(records.map(({ type }) => type)).toEqual(['header', 'row']);
  });
});

it('is in the documentation as it is', () => {
  const text = readFileSync(new URL('../../docs/stream.md', import.meta.url), 'utf8');
  const [, example = ''] = /```text\n(\{"type":"header"[\s\S]*?)```/.exec(text) ?? [];
  const [, head = '', lines = ''] = /^([\s\S]*\]\}\n)(\[0[\s\S]*)$/.exec(example) ?? [];
  const channels = ['powercap:intel-rapl:0:0', 'powercap:intel-rapl:1', 'powercap:intel-rapl:1:0'];
  // The header is shortened there: what was left out is put back.
  const [first, ...others] = head.replaceAll('\n', '').split(', ...]');
  const added = channels.map((id) => `,${JSON.stringify(channel(id))}`).join('');
  const whole = `${first}${added}]${others.join(']')}`;
  const { decoder, records } = decode(`${whole}\n${lines}`);
  expect(decoder.isEnded).toBe(true);
  expect(new Set(records.map(({ type }) => type))).toEqual(new Set(['header', 'row', 'note', 'gap', 'end']));
  for (const line of lines.trimEnd().split('\n')) expect(lineErrors(line)).toEqual([]);
});

describe('a text that is no stream', () => {
  const cases: [what: string, text: string, problem: RegExp][] = [
    ['nothing', '', /there is no header/],
    ['a cut header', HEADER.slice(0, 40), /there is no header/],
    ['a row first', '[0,1,2]\n', /line 1 .* must be a header/],
    ['two headers', HEADER + HEADER, /line 2 .* header already/],
    ['another version', HEADER.replace('stream/1', 'stream/2'), /\/schema must be "microjoule.stream\/1"/],
    ['a channel without a unit', HEADER.replace('"unit":"J",', ''), /\/channels\/0\/unit is missing/],
    ['half a scale', HEADER.replace('"scaleDenominator":"16384",', ''), /scaleDenominator is missing/],
    ['a number', `${HEADER}5\n`, /line 2 .* not JSON/],
    ['a line cut in the middle', `${HEADER}[5,0\n[6,0,0]\n`, /line 2 .* not JSON/],
    ['an object without a type', `${HEADER}{}\n`, /no type/],
    ['too few values', `${HEADER}[5,0]\n`, /2 values expected after the time, found 1/],
    ['a time in parts', `${HEADER}[0.5,0,0]\n`, /whole number/],
    ['a time before 0', `${HEADER}[-1,0,0]\n`, /whole number/],
    ['a time that stands still', `${HEADER}[5,0,0]\n[5,1,1]\n`, /line 3 .* not after/],
    ['a text for a value', `${HEADER}[5,"0",0]\n`, /value 0 is neither/],
    ['energy that falls', `${HEADER}[5,2,0]\n[6,null,0]\n[7,1,0]\n`, /line 4 .* value 0 is less/],
    ['energy below 0', `${HEADER}[5,-1,0]\n`, /value 0 is less/],
    ['a gap without a reason', `${HEADER}{"type":"gap","fromNs":1,"toNs":2}\n`, /reason is missing/],
  ];

  it.each(cases)('such as %s is refused, with the line', (_, text, problem) => {
    expect(() => decode(text)).toThrow(problem);
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_STREAM' }));
  });

  it('such as one that goes on after its end is refused', () => {
    const end = encodeRecord({
      type: 'end',
      timeNs: 5,
      reason: 'stopped',
      rowCount: 0,
      lostRowCount: 0,
      atLeast: false,
      channelJoules: [null, null],
    });
    expect(decode(HEADER + end).decoder.isEnded).toBe(true);
    expect(() => decode(`${HEADER}${end}[6,0,0]\n`)).toThrow(/line 3 .* after the end/);
  });
});
