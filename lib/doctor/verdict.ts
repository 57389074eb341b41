// SPDX-License-Identifier: MIT
import type { Domain } from '../core/vocabulary.js';
import type { CounterTest, SourceDiagnosis, Verdict } from './diagnosis.js';

const PARTS: Partial<Record<Domain, string>> = { package: 'the CPU', dram: 'memory', gpu: 'the GPU' };

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Nothing of what the machine has can be read: what would change that, if anything. */
function whatNext(sources: readonly SourceDiagnosis[]): Verdict['next'] {
  const fixable = sources.find(({ needed, fixes, status }) => needed && status !== 'ok' && fixes.length > 0);
  const fix = fixable?.fixes[0];
  if (fix === undefined) {
    return {
      command: 'microjoule run -- YOUR_COMMAND',
      why: 'it reports estimates and calls them so, since nothing here brings a counter',
    };
  }
  return { command: fix.commands.join('\n'), why: `${fix.title}; then run microjoule doctor again` };
}

/** Of all fixes that of the group rule harms least: powercap goes before perf where both wait. */
function byNarrowness(a: SourceDiagnosis, b: SourceDiagnosis): number {
  const rank = ({ source, status }: SourceDiagnosis): number =>
    source === 'native'
      ? 0
      : source === 'powercap' && status === 'no-permission'
        ? 1
        : status === 'no-permission'
          ? 2
          : 3;
  return rank(a) - rank(b);
}

/** Can this machine measure, and what to run next. */
export function judge(sources: readonly SourceDiagnosis[], counters: readonly CounterTest[]): Verdict {
  const counted = counters.filter(({ inTotal, moved, status }) => inTotal && moved && status === 'ok');
  if (counted.length > 0) {
    const parts = [...new Set(counted.map(({ domain }) => PARTS[domain] ?? domain))];
    const through = [...new Set(counted.map(({ source }) => source))];
    return {
      measured: true,
      sentence: `This machine measures ${listed(parts)}, through ${listed(through)}.`,
      next: { command: 'microjoule run -- YOUR_COMMAND', why: 'it reports the energy and CO2 of a command' },
    };
  }
  const broken = counters.find(({ moved, status }) => moved && status !== 'ok');
  if (broken !== undefined) {
    return {
      measured: false,
      sentence: `This machine has counters that move, and none of the total lasted through the test: ${broken.id} is ${broken.status}.`,
      next: {
        command: 'microjoule doctor',
        why: 'test again: what broke the counts off, a pause or a driver loaded anew, is over',
      },
    };
  }
  const next = whatNext(sources.toSorted(byNarrowness));
  const why =
    counters.length === 0
      ? 'no counter can be read'
      : counters.every(({ moved }) => !moved)
        ? 'the counters that can be read do not move'
        : 'no counter of the total moved';
  return {
    measured: false,
    sentence: `This machine measures nothing: ${why}. Reports will be estimates.`,
    next,
  };
}
