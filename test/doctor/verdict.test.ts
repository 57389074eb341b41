// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Compared } from '../../lib/doctor/consistency.js';
import type { SourceDiagnosis } from '../../lib/doctor/diagnosis.js';
import { fixesFor } from '../../lib/doctor/fixes.js';
import { lostMeters, type Member } from '../../lib/doctor/lost.js';
import { judgeSources } from '../../lib/doctor/sources.js';
import { judge } from '../../lib/doctor/verdict.js';
import { context, counter, lostMeter } from './fixtures.js';

const perf = (changes: Partial<Compared> = {}): Compared =>
  counter({ id: 'perf:energy-pkg:0', source: 'perf', scaleDenominator: 2n ** 32n, ...changes });

describe('lostMeters', () => {
  const member = (id: string, changes: Partial<Member> = {}): Member => ({
    id,
    source: 'powercap',
    domain: 'package',
    status: 'ok',
    meter: id,
    counted: true,
    ...changes,
  });

  it('are those of which no counter counted', () => {
    const denied = { status: 'no-permission', counted: false } as const;
    const members = [
      member('perf:0', { source: 'perf', ...denied }),
      member('perf:1', { source: 'perf', ...denied }),
      member('powercap:0', { meter: 'perf:0' }),
      member('powercap:1', { meter: 'perf:1', status: 'stale', counted: false }),
      member('psys', { domain: 'psys', counted: false }),
    ];
    expect(lostMeters(members)).toEqual([
      { id: 'perf:1', domain: 'package', status: 'no-permission', sources: ['perf', 'powercap'] },
    ]);
  });

  it('may be what a device holds of which nothing is known', () => {
    const unread = { source: 'emi', domain: 'other', status: 'no-permission', counted: false } as const;
    const members = [
      member('emi:other:1', { ...unread, unknownContent: true }),
      member('emi:other:2', unread),
    ];
    expect(lostMeters(members)).toEqual([
      { id: 'emi:other:1', domain: 'package', status: 'no-permission', sources: ['emi'] },
    ]);
  });
});

describe('judge', () => {
  const source = (name: string, changes: Partial<SourceDiagnosis>): SourceDiagnosis => ({
    source: name,
    status: 'ok',
    reason: 'It can be read.',
    needed: true,
    fixes: [],
    counters: [],
    ...changes,
  });

  it('says what is measured, and through what', () => {
    const counters = [perf(), counter({ domain: 'dram' }), counter({ domain: 'core', inTotal: false })];
    const { measured, sentence, next } = judge([source('perf', {})], counters);
    expect(measured).toBe(true);
    expect(sentence).toBe('This machine measures the CPU and memory, through perf and powercap.');
    expect(next.command).toMatch(/^microjoule run/);
  });

  it.each([
    ['does not move', counter({ moved: false, status: 'stale', inTotal: false }), /do not move/],
    ['is not in the total', counter({ domain: 'core', inTotal: false }), /no counter of the total moved/],
  ])('is no where all there is %s', (_, only, words) => {
    const verdict = judge([source('powercap', {})], [only]);
    expect(verdict.measured).toBe(false);
    expect(verdict.sentence).toMatch(words);
  });

  it('says what of the total is lost, and what would bring it', () => {
    const at = context();
    const fixes = fixesFor('powercap', 'no-permission', at);
    const sources = [
      source('msr', { fixes: fixesFor('msr', 'no-permission', at) }),
      source('powercap', { fixes }),
    ];
    const { measured, lost, sentence, next } = judge(sources, [counter()], [lostMeter()]);
    expect({ measured, lost }).toEqual({ measured: true, lost: ['powercap:intel-rapl:1'] });
    expect(sentence).toBe(
      'This machine measures the CPU, through powercap; not powercap:intel-rapl:1 (no-permission), so totals are "at least".',
    );
    expect(next.command).toBe(fixes[0]?.commands.join('\n'));
    const stale = judge([source('powercap', {})], [counter()], [lostMeter({ status: 'stale' })]);
    expect(stale.next.command).toMatch(/^microjoule run/);
    const memory = judge([], [counter()], [lostMeter({ id: 'm', domain: 'dram' })]);
    expect(memory.sentence).toMatch(/; not m \(no-permission\), so memory is estimated\.$/);
    const many = Array.from({ length: 6 }, (_, index) => lostMeter({ id: `zone ${index}` }));
    expect(judge([], [counter()], many).sentence).toMatch(/zone 2 \(no-permission\) and 3 more, so totals/);
  });

  it('sends to the narrowest fix: a group for powercap before a level for perf', () => {
    const at = context();
    const denied = ['perf', 'powercap', 'msr'].map((name) =>
      source(name, { status: 'no-permission', fixes: fixesFor(name, 'no-permission', at) }),
    );
    const { measured, next } = judge(denied, []);
    expect(measured).toBe(false);
    expect(next.command).toContain('udev');
    expect(next.why).toContain('microjoule doctor again');
  });

  it('asks for another try where counters broke off', () => {
    const broken = counter({ status: 'implausible', inTotal: false });
    const verdict = judge(
      [source('powercap', {}), source('msr', { fixes: fixesFor('msr', 'not-found', context()) })],
      [broken],
    );
    expect(verdict).toMatchObject({
      measured: false,
      sentence: expect.stringContaining('powercap:intel-rapl:0 is implausible'),
      next: { command: 'microjoule doctor' },
    });
  });

  it('trusts no counter that stopped, and names one of the total', () => {
    const counters = [
      counter({ id: 'core', domain: 'core', status: 'implausible', inTotal: false }),
      counter({ status: 'stale', inTotal: false }),
    ];
    const { sentence, next } = judge([source('powercap', {})], counters);
    expect(sentence).toContain('powercap:intel-rapl:0 is stale');
    expect(next.why).toBe('test again: if it stops again, this counter cannot be trusted');
  });

  it('has something to run even where nothing helps', () => {
    const none = judgeSources([{ source: 'nvml', status: 'not-found', detail: '', counters: [] }], context());
    expect(judge(none, []).next).toEqual({
      command: 'microjoule run -- YOUR_COMMAND',
      why: expect.stringContaining('estimates'),
    });
  });
});
