// SPDX-License-Identifier: MIT
import {
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../lib/stream/encode.js';
import { exportTrace } from '../../lib/trace/export.js';
import { channel, header } from '../stream/fixtures.js';

const TEXT =
  encodeRecord(header([channel('a')])) + encodeRecord({ type: 'row', timeNs: 1, energyJoules: [0.5] });
let folder = '';
let trace = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-export-'));
  trace = path.join(folder, 'run.jsonl');
  writeFileSync(trace, TEXT);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const BAD_OPTION = expect.objectContaining({ code: 'ERR_BAD_OPTION', hint: 'Give another name.' });

describe('an export', () => {
  const linked = (link: typeof linkSync | typeof symlinkSync, from: string, name: string): string => {
    const file = path.join(folder, name);
    link(from, file);
    return file;
  };

  it.each<[string, () => string]>([
    ['the same name', () => trace],
    ['a path from here', () => path.relative(process.cwd(), trace)],
    ['a detour', () => `${folder}/../${path.basename(folder)}/./run.jsonl`],
    ['a hard link', () => linked(linkSync, trace, 'hard.jsonl')],
    ['a link', () => linked(symlinkSync, trace, 'link.jsonl')],
    ['a link of its folder', () => path.join(linked(symlinkSync, folder, 'here'), 'run.jsonl')],
  ])('never replaces the trace that it is made of, known by %s', async (_, other) => {
    const same = other();
    for (const [from, to] of [
      [trace, same],
      [same, trace],
    ] as const) {
      await expect(exportTrace(from, [path.join(folder, 'a.csv'), to])).rejects.toEqual(BAD_OPTION);
    }
    expect(readFileSync(trace, 'utf8')).toBe(TEXT);
    expect(readdirSync(folder).some((name) => /a\.csv|part/.test(name))).toBe(false);
  });

  it('is made once for each file', async () => {
    const csv = path.join(folder, 'a.csv');
    for (const same of [csv, `${folder}/./a.csv`]) {
      await expect(exportTrace(trace, [csv, same])).rejects.toEqual(BAD_OPTION);
    }
    await exportTrace(trace, [csv, path.join(folder, 'b.csv'), path.join(folder, 'c.jsonl')]);
    await exportTrace(trace, [csv]);
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'b.csv', 'c.jsonl', 'run.jsonl']);
    expect(readFileSync(path.join(folder, 'c.jsonl'), 'utf8')).toBe(TEXT);
  });
});
