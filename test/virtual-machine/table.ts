// SPDX-License-Identifier: MIT
//
// The table of described machines: what a row says, how a machine is measured for it, and how the two are compared.
import { expect } from 'vitest';
import type { Report } from '../../lib/core/report-types.js';
import type { CounterDelta, SourceState } from '../../lib/meter/meter.js';
import type { Reading } from '../../lib/meter/reading.js';
import { machineText, startMachine, type VirtualMachine } from '../support/virtual-machine.js';
import { extraRatio, getMeters, possibleJoules } from './truth.js';

export const SOURCES = ['perf', 'powercap', 'msr', 'perf-core', 'msr-core'] as const;
export type SourceName = (typeof SOURCES)[number];

/**
 * What the product should make of a machine.
 *
 * A source that finds counters has them in its order, `id=domain-device[-die-n]`: with `+` before it what the one total
 * holds, with `<meter` behind it which meter of the machine it truly is, where that is not the one it names. A source
 * that finds none has its status and words.
 */
export interface Row extends Partial<Record<SourceName, string>> {
  /** Whose counters are read where no source is named. */
  byDefault: SourceName[];
  /** What is said of a source with counters, or of a counter, where more than a bare `ok` is: `status: words`. */
  words?: Record<string, string>;
  /** Why the report is "at least" or estimates the CPU, if it does. */
  report?: string;
  /** A source that is well but whose counters fail, so that it alone gives nothing. */
  insufficient?: SourceName;
  /** Not all of the machine can be measured. */
  partly?: boolean;
  /** Changes the machine, so that its readings do not depend on when they are taken. */
  change?: (text: string) => string;
}

export interface Measured {
  from: Reading;
  to: Reading;
  sources: SourceState[];
  deltas: CounterDelta[];
}

/** The machine, with what befalls it in time put off until after its readings. */
export function calmMachine(name: string, { change = (text) => text }: Row): VirtualMachine {
  const befalls = /^((?:fault|suspend|renumber)\b.* )(from|at) [\d.]+m?s(?: to [\d.]+m?s)?/gm;
  return startMachine(change(machineText(name).replace(befalls, '$1$2 3000s')));
}

/** Measures 0.12 s with several meters at once, each of which has these sources; undefined is the default. */
export function measureWithEach(
  machine: VirtualMachine,
  choices: readonly (readonly string[] | undefined)[],
): Promise<Measured[]> {
  return machine.script(`
    const options = ${JSON.stringify(choices.map((sources) => ({ sources })))};
    const meters = options.map((each) => openMeter(each));
    const starts = meters.map((meter) => meter.read(true));
    await wait(120);
    return meters.map((meter, i) => {
      const [from, to] = [starts[i], meter.read()];
      const measured = { from, to, sources: meter.sources, deltas: meter.between(from, to) };
      meter.close();
      return measured;
    });`);
}

interface Listed {
  id: string;
  inTotal: boolean;
  claim: string;
  truth: string;
}

/** The counters that a row has of a source. */
function listed(row: Row, source: SourceName): Listed[] {
  const text = row[source] ?? '';
  if (!text.includes('=')) return [];
  return text.split(/\s+/).map((word) => {
    const [, plus, id, claim = '', truth = claim] = /^(\+?)([^=]+)=([^<]+)(?:<(.+))?$/.exec(word) ?? [];
    return { id: `${source}:${id}`, inTotal: plus === '+', claim, truth };
  });
}

/** The sources that alone give what the total should be. */
export function sufficient(row: Row): SourceName[] {
  const meters = ['perf', 'powercap', 'msr'] as const;
  return meters.filter(
    (source) =>
      listed(row, source).length > 0 && row.words?.[source] === undefined && source !== row.insufficient,
  );
}

/** That these counters were found, what they say they meter, and which of them the total holds. */
export function expectCounters(row: Row, sources: readonly SourceName[], { deltas }: Measured): void {
  const found = deltas.map(({ counter: { id, domain, device, die }, inTotal }) => {
    const place = `${domain}-${device}${die === undefined ? '' : `-die-${die}`}`;
    return `${inTotal ? '+' : ''}${id} = ${place}`;
  });
  const wanted = sources
    .flatMap((source) => listed(row, source))
    .map(({ inTotal, id, claim }) => `${inTotal ? '+' : ''}${id} = ${claim}`);
  expect(found).toEqual(wanted);
}

/** That what is beside the total says why. */
export function expectReasons({ deltas }: Measured): void {
  const apart = { core: 'inside its package', uncore: 'inside its package', psys: 'contains the packages' };
  const total = new Set(deltas.filter(({ inTotal }) => inTotal).map(({ counter }) => counter.id));
  for (const { counter, status, inTotal, apart: reason, twinOf } of deltas) {
    if (inTotal) expect(reason).toBe('');
    else if (counter.domain === 'other') expect(reason).toContain('is not known');
    else if (counter.domain in apart) expect(reason).toContain(apart[counter.domain as keyof typeof apart]);
    else if (status !== 'ok') expect(reason).toBe('cannot be read');
    else
      expect([reason, total.has(twinOf ?? '')]).toEqual([`the same meter as ${twinOf}, counted once`, true]);
  }
}

/** Whether a text holds these words, of which `...` stands for any. */
function holds(text: string, words: string): boolean {
  const parts = words.split('...').map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'), 's').test(text);
}

/** That sources and counters say this, and no other says anything. */
function expectWords(wanted: Record<string, string>, { sources, deltas }: Measured): void {
  const said = [
    ...sources.map(({ source, status, detail }) => ({ name: source, status, detail })),
    ...deltas.map(({ counter, status, detail }) => ({ name: counter.id, status, detail })),
  ].filter(({ status, detail }) => status !== 'ok' || detail !== '');
  const seen = said.map(({ name, status, detail }) => {
    const [wantedStatus, words = ''] = (wanted[name] ?? '').split(/: (.*)/s);
    const right = wantedStatus === status && holds(detail, words);
    return [name, right ? wanted[name] : `${status}: ${detail}`];
  });
  expect(Object.fromEntries(seen)).toEqual(wanted);
}

function sourceWords(row: Row): [string, string][] {
  return SOURCES.flatMap((source) =>
    row[source] === undefined || listed(row, source).length > 0 ? [] : [[source, row[source]]],
  );
}

/** That this is said where no source is named. */
export function expectDefaultWords(row: Row, measured: Measured): void {
  const wellRead = row.byDefault.filter((source) => sufficient(row).includes(source));
  const left = `ok: what ${wellRead.join(' and ')} reads is not read a second time`;
  const wanted: [string, string][] = [
    ...sourceWords(row),
    ...Object.entries(row.words ?? {}).filter(([name]) =>
      row.byDefault.some((one) => name.split(':')[0] === one),
    ),
    ...SOURCES.filter((one) => listed(row, one).length > 0 && !row.byDefault.includes(one)).map(
      (one): [string, string] => [one, left],
    ),
    ['nvml', 'not-found: no-nvml does not exist: check the nvmlLibrary option (--nvml-library)'],
  ];
  expectWords(Object.fromEntries(wanted.filter(([name]) => !/^\w+-core$/.test(name))), measured);
}

/** That this is said where all sources of CPU counters are named. */
export function expectAllWords(row: Row, { description }: VirtualMachine, measured: Measured): void {
  const why = description.processor?.isVirtual ? 'this is a virtual machine' : 'only AMD processors have it';
  const amdOnly: [string, string][] = [
    ['perf-core', `not-found: power_core does not exist: ${why}`],
    ['msr-core', "not-supported: only AMD's and Hygon's processors count the energy of single cores"],
  ];
  const wanted = [
    ...amdOnly.filter(([source]) => row[source as SourceName] === undefined),
    ...sourceWords(row),
    ...Object.entries(row.words ?? {}),
  ];
  expectWords(Object.fromEntries(wanted), measured);
}

/** That every counter has the energy of the meter that it is, and the total that of the machine. */
export function expectEnergy(row: Row, machine: VirtualMachine, { from, to, deltas }: Measured): void {
  const rows = new Map(SOURCES.flatMap((source) => listed(row, source)).map((one) => [one.id, one]));
  const total = { least: 0, most: 0 };
  for (const { counter, status, energyJoules = Number.NaN, inTotal } of deltas) {
    if (status !== 'ok') continue;
    const meters = getMeters(machine, rows.get(counter.id)?.truth ?? '');
    const { least, most } = possibleJoules(machine, meters, from, to);
    const ratio = extraRatio(machine, counter.id);
    expect(energyJoules, counter.id).toBeGreaterThanOrEqual(least * ratio);
    expect(energyJoules, counter.id).toBeLessThanOrEqual(most * ratio);
    if (!inTotal) continue;
    total.least += least;
    total.most += most;
  }
  if (row.partly) return;
  // Each meter once, and none forgotten: the truth is among what the counters that were added leave possible.
  const truth = machine.trueTotalJoules(from.afterNs, to.beforeNs);
  expect(truth).toBeGreaterThanOrEqual(total.least);
  expect(truth).toBeLessThanOrEqual(total.most);
}

/** That the report says so where a part of the machine, or all of it, was not measured. */
export function expectReport(row: Row, { components, energy, warnings }: Report): void {
  const says = (code: string) => warnings.find((warning) => warning.code === code)?.message ?? `no ${code}`;
  const held = SOURCES.flatMap((source) => listed(row, source)).filter(({ inTotal }) => inTotal);
  const measures = (domain: string) => held.some(({ claim }) => claim.startsWith(domain));
  const { cpu, ram } = components;
  const counted = [...cpu.counters, ...ram.counters].filter(({ inTotal }) => inTotal);
  const joules = counted.reduce((sum, { energyJoules = Number.NaN }) => sum + energyJoules, 0);
  expect(energy.measuredJoules).toBeCloseTo(joules, 6);
  expect(cpu.kind === 'measured').toBe(measures('package'));
  expect(ram.kind === 'measured').toBe(measures('dram'));
  expect(energy.atLeast).toBe(row.report !== undefined && measures('package'));
  if (row.report === undefined) {
    expect(warnings.map(({ code }) => code)).not.toContain('partly-measured');
  } else if (measures('package')) {
    expect(holds(says('partly-measured'), row.report), says('partly-measured')).toBe(true);
    expect(
      energy.absent.some((text) => holds(text, row.report ?? '')),
      energy.absent.join('\n'),
    ).toBe(true);
  } else {
    expect(holds(says('cpu-not-measured'), row.report), says('cpu-not-measured')).toBe(true);
  }
}
