// SPDX-License-Identifier: MIT
import type { Domain } from '../core/vocabulary.js';
import type { CounterTest, SourceDiagnosis, Verdict } from './diagnosis.js';
import type { LostMeter } from './lost.js';

const PARTS: Partial<Record<Domain, string>> = { package: 'the CPU', dram: 'memory', gpu: 'the GPU' };

/** More lost meters than this are counted. */
const MOST_NAMED = 3;

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function firstFix(sources: readonly SourceDiagnosis[]): Verdict['next'] | undefined {
  const fix = sources.find(({ fixes }) => fixes.length > 0)?.fixes[0];
  return fix === undefined
    ? undefined
    : { command: fix.commands.join('\n'), why: `${fix.title}; then run microjoule doctor again` };
}

/** Of all fixes those of powercap, the group rule and the mount, harm least: it goes before perf where both wait. */
function byNarrowness(a: SourceDiagnosis, b: SourceDiagnosis): number {
  const rank = ({ source, status }: SourceDiagnosis): number =>
    source === 'native'
      ? 0
      : source === 'powercap' && (status === 'no-permission' || status === 'masked')
        ? 1
        : status === 'no-permission'
          ? 2
          : 3;
  return rank(a) - rank(b);
}

/** ` not A (no-permission), so totals are "at least"`, of what a machine that measures does not. */
function without(lost: readonly LostMeter[], counted: readonly CounterTest[]): string {
  if (lost.length === 0) return '';
  const named = lost.slice(0, MOST_NAMED).map(({ id, status }) => `${id} (${status})`);
  const rest = lost.length - named.length;
  const names = listed(rest === 0 ? named : [...named, `${rest} more`]);
  // Of the CPU or the memory alone a report makes an estimate where no counter of it counts.
  const isPartial = lost.some(
    ({ domain }) => domain === 'gpu' || counted.some((counter) => counter.domain === domain),
  );
  const replaced = lost.filter(
    ({ domain }) => domain !== 'gpu' && counted.every((counter) => counter.domain !== domain),
  );
  const parts = [...new Set(replaced.map(({ domain }) => PARTS[domain] ?? domain))];
  const consequences = [
    ...(isPartial ? ['totals are "at least"'] : []),
    ...(parts.length === 0 ? [] : [`${listed(parts)} ${parts.length > 1 ? 'are' : 'is'} estimated`]),
  ];
  return `; not ${names}, so ${listed(consequences)}`;
}

function measures(
  counted: readonly CounterTest[],
  sources: readonly SourceDiagnosis[],
  lost: readonly LostMeter[],
): Verdict {
  const parts = [...new Set(counted.map(({ domain }) => PARTS[domain] ?? domain))];
  const through = [...new Set(counted.map(({ source }) => source))];
  const helpful = sources.filter(({ source }) => lost.some((meter) => meter.sources.includes(source)));
  return {
    measured: true,
    lost: lost.map(({ id }) => id),
    sentence: `This machine measures ${listed(parts)}, through ${listed(through)}${without(lost, counted)}.`,
    next: firstFix(helpful.toSorted(byNarrowness)) ?? {
      command: 'microjoule run -- YOUR_COMMAND',
      why: 'it reports the energy and CO2 of a command',
    },
  };
}

/** Of counters that moved and broke off, one of the total. */
function broke(counters: readonly CounterTest[]): CounterTest | undefined {
  const broken = counters.filter(({ moved, status }) => moved && status !== 'ok');
  return broken.find(({ domain }) => PARTS[domain] !== undefined) ?? broken[0];
}

/** Can this machine measure, and what to run next. @param lost the meters that the total lacks */
export function judge(
  sources: readonly SourceDiagnosis[],
  counters: readonly CounterTest[],
  lost: readonly LostMeter[] = [],
): Verdict {
  const counted = counters.filter(({ inTotal, moved, status }) => inTotal && moved && status === 'ok');
  if (counted.length > 0) return measures(counted, sources, lost);
  const none = { measured: false, lost: lost.map(({ id }) => id) };
  const broken = broke(counters);
  if (broken !== undefined) {
    const why =
      broken.status === 'stale'
        ? 'test again: if it stops again, this counter cannot be trusted'
        : 'test again: what broke the counts off, a pause or a driver loaded anew, is over';
    return {
      ...none,
      sentence: `This machine has counters that move, and none of the total lasted through the test: ${broken.id} is ${broken.status}.`,
      next: { command: 'microjoule doctor', why },
    };
  }
  const fixable = sources.filter(({ needed, status }) => needed && status !== 'ok');
  return {
    ...none,
    sentence: `This machine measures nothing: ${whyNothing(counters)}. Reports will be estimates.`,
    next: firstFix(fixable.toSorted(byNarrowness)) ?? {
      command: 'microjoule run -- YOUR_COMMAND',
      why: 'it reports estimates and calls them so, since nothing here brings a counter',
    },
  };
}

function whyNothing(counters: readonly CounterTest[]): string {
  if (counters.length === 0) return 'no counter can be read';
  return counters.every(({ moved }) => !moved)
    ? 'the counters that can be read do not move'
    : 'no counter of the total moved';
}
