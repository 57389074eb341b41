// SPDX-License-Identifier: MIT

import {
  formatDuration,
  formatEnergy,
  formatPower,
  formatSignificant,
  formatSpread,
  formatTimestamp,
} from '../core/numbers.js';
import type {
  Check,
  CounterTest,
  Diagnosis,
  Fix,
  LiveTest,
  MachineDiagnosis,
  ReadCost,
  Resolution,
  SourceDiagnosis,
} from '../doctor/diagnosis.js';
import type { Style, StyleName } from './text.js';
import { displayWidth, padLeft, padRight, withoutControls, wrap } from './wrap.js';

const COLUMNS = 80;
const LABEL_COLUMNS = 14;
const NS_PER_SECOND = 1e9;
/** More comparisons than this are counted. */
const MOST_LISTED = 6;
const plain: Style = (_, text) => text;

/** The diagnosis for a terminal of 80 columns, with a final newline. Only commands and paths run over. */
export function formatDiagnosis(diagnosis: Diagnosis, style: Style = plain): string {
  const { generator, generatedAt, machine, sources, test, resolution } = diagnosis;
  const blocks = [
    [
      style('title', 'What this machine can measure'),
      style('muted', `microjoule ${generator.version}, ${formatTimestamp(generatedAt)}`),
    ],
    machineLines(machine, style),
    ...sources.map((source) => sourceLines(source, style)),
    ...(test === undefined ? [] : testBlocks(test, style)),
    resolutionLines(resolution, machine, style),
    verdictLines(diagnosis, style),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function paragraph(text: string, indent: number): string[] {
  return wrap(text, COLUMNS - indent).map((line) => ' '.repeat(indent) + line);
}

/** A label with text hanging to its right. */
function hang(label: string, text: string, name: StyleName, style: Style, columns = LABEL_COLUMNS): string[] {
  const [first = '', ...more] = wrap(text, COLUMNS - columns);
  const indent = ' '.repeat(columns);
  return [`${style(name, padRight(label, columns))}${first}`, ...more.map((line) => indent + line)];
}

const spaced = (state: string): string => state.replaceAll('-', ' ');

function machineLines(machine: MachineDiagnosis, style: Style): string[] {
  const { cpu, hardware, container, addon, perfEventParanoid, lockdown, energyFilter } = machine;
  const identity = cpu.vendor === undefined ? '' : `, ${cpu.vendor} family ${cpu.family} model ${cpu.model}`;
  const kernel = [
    ...(perfEventParanoid === undefined ? [] : [`perf_event_paranoid ${perfEventParanoid}`]),
    ...(lockdown === undefined ? [] : [`lockdown ${lockdown}`]),
  ];
  const facts: [label: string, text: string][] = [
    ['System', `${machine.os} ${machine.kernel}, ${machine.architecture}`],
    ['CPU', `${cpu.name}${identity}, ${cpu.threadCount} threads`],
    ['Hardware', `${spaced(hardware.state)}: ${hardware.detail}`],
    ['Container', `${container.state}: ${container.detail}`],
    ...(kernel.length === 0 ? [] : [['Kernel', kernel.join('; ')] as [string, string]]),
    ['Energy filter', `${energyFilter.state}: ${energyFilter.detail}`],
    // What is missing stands below, with what to do about it.
    ['Addon', addon.path === undefined ? addon.state : `${addon.state}: ${addon.path}`],
    ['Runtime', `Node ${machine.nodeVersion}`],
  ];
  return facts.flatMap(([label, text]) => hang(label, text, 'label', style));
}

function sourceLines({ source, status, reason, needed, fixes }: SourceDiagnosis, style: Style): string[] {
  const mark = style(status === 'ok' ? 'measured' : needed ? 'warning' : 'muted', status);
  return [
    `${style('heading', withoutControls(source))}  ${mark}`,
    ...paragraph(reason, 2),
    ...(needed ? fixes.flatMap((fix, index) => fixLines(fix, index, fixes.length, style)) : []),
  ];
}

function fixLines({ title, commands, why, lasting }: Fix, index: number, of: number, style: Style): string[] {
  const number = of === 1 ? 'Fix' : `Fix ${index + 1}`;
  const kept = lasting ? 'lasts' : 'until it ends';
  const [first = '', ...more] = wrap(`${title} (${kept}).`, COLUMNS - 4 - number.length);
  const indent = ' '.repeat(4 + number.length);
  return [
    `  ${style('label', number)}  ${first}`,
    ...more.map((line) => indent + line),
    ...commands.flatMap((command) => command.split('\n').map((line) => `      ${style('value', line)}`)),
    ...paragraph(why, 4),
  ];
}

function testBlocks(test: LiveTest, style: Style): string[][] {
  const { durationSeconds, idleSeconds, counters, readCosts, checks } = test;
  const took = `${formatDuration(durationSeconds)}, ${formatDuration(idleSeconds)} of it idle`;
  return [
    [
      style('heading', `Live test of ${took}`),
      ...counters.flatMap((counter) => counterLines(counter, style)),
    ],
    [style('heading', 'Cost of a read, in this process'), ...costLines(readCosts, style)],
    checks.length === 0
      ? []
      : [
          style('heading', 'Agreement over the test'),
          ...agreement(checks).flatMap((check) => checkLines(check, style)),
        ],
  ];
}

function counterLines(counter: CounterTest, style: Style): string[] {
  const { id, domain, device, die, moved, inTotal, status, detail } = counter;
  const place = `${domain} ${device}${die === undefined ? '' : `.${die}`}`;
  const moves = moved ? style('measured', 'moves') : style('warning', 'does not move');
  const trouble = moved && status !== 'ok' ? `, ${style('warning', status)}` : '';
  // The others overlap with what the total holds: less is said of them.
  const facts = inTotal
    ? [period(counter), quantum(counter), power(counter), shortest(counter)]
    : [period(counter), idle(counter)];
  const known = facts.filter((part) => part !== '').join('; ');
  return [
    `  ${style('label', id)}  ${place}: ${moves}${inTotal ? ', in the total' : ''}${trouble}`,
    ...(known === '' ? [] : paragraph(known, 6)),
    ...(detail === '' ? [] : paragraph(detail, 6)),
  ];
}

function period({ updatePeriodSeconds, jitterSeconds, updateCount }: CounterTest): string {
  if (updatePeriodSeconds === undefined) {
    return updateCount === 0 ? '' : `${updateCount} update${updateCount === 1 ? '' : 's'} seen`;
  }
  const every =
    jitterSeconds === undefined
      ? formatDuration(updatePeriodSeconds)
      : formatSpread(updatePeriodSeconds, jitterSeconds, 'duration');
  return `an update every ${every}`;
}

function quantum({ quantumJoules }: CounterTest): string {
  return quantumJoules === undefined ? '' : `steps of ${formatEnergy(quantumJoules)}`;
}

function idle({ idleWatts }: CounterTest): string {
  return idleWatts === undefined ? '' : `${formatPower(idleWatts)} idle`;
}

function power({ idleWatts, busyWatts }: CounterTest): string {
  const parts = [
    ...(idleWatts === undefined ? [] : [`${formatPower(idleWatts)} idle`]),
    ...(busyWatts === undefined ? [] : [`${formatPower(busyWatts)} with one thread busy`]),
  ];
  return parts.join(', ');
}

function shortest({ regionSeconds }: CounterTest): string {
  if (regionSeconds === undefined) return '';
  const { onePercentSeconds, fivePercentSeconds } = regionSeconds;
  return `1 % from ${formatDuration(onePercentSeconds)}, 5 % from ${formatDuration(fivePercentSeconds)}`;
}

function costLines(costs: readonly ReadCost[], style: Style): string[] {
  const rows = costs.map(({ source, counterCount, readCount, medianNs, p99Ns, detail }) => ({
    source,
    median: formatDuration(medianNs / NS_PER_SECOND),
    rest:
      `median, 99 % under ${formatDuration(p99Ns / NS_PER_SECOND)}; ` +
      `${counterCount} counter${counterCount === 1 ? '' : 's'}, ${formatSignificant(readCount)} reads` +
      `${detail === '' ? '' : `; ${detail}`}`,
  }));
  const names = Math.max(...rows.map(({ source }) => displayWidth(source)), 0);
  const values = Math.max(...rows.map(({ median }) => displayWidth(median)), 0);
  const before = names + values + 6;
  return rows.flatMap(({ source, median, rest }) => {
    const [first = '', ...more] = wrap(rest, COLUMNS - before);
    return [
      `  ${style('label', padRight(source, names))}  ${style('value', padLeft(median, values))}  ${first}`,
      ...more.map((line) => ' '.repeat(before) + line),
    ];
  });
}

/** A large machine's many comparisons that hold are counted, not listed. */
function agreement(checks: readonly Check[]): Pick<Check, 'result' | 'detail'>[] {
  const agreeing = checks.filter(({ result }) => result === 'agree');
  if (agreeing.length <= MOST_LISTED) return [...checks];
  const of = (kind: Check['kind']): number => agreeing.filter((check) => check.kind === kind).length;
  const counted = [
    [of('twins'), 'pairs of interfaces to one meter agree'],
    [of('parts'), 'packages hold their parts'],
    [of('platform'), 'platforms hold their packages'],
  ] as const;
  const detail = counted
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join('; ');
  return [...checks.filter(({ result }) => result !== 'agree'), { result: 'agree', detail: `${detail}.` }];
}

function checkLines({ result, detail }: Pick<Check, 'result' | 'detail'>, style: Style): string[] {
  const name: StyleName = result === 'agree' ? 'measured' : result === 'disagree' ? 'warning' : 'muted';
  return hang(`  ${result}`, detail, name, style, 12);
}

const SETS = { 'update-period': 'the update period', quantum: 'the size of the steps' } as const;

function resolutionLines(
  resolution: readonly Resolution[],
  { energyFilter }: MachineDiagnosis,
  style: Style,
): string[] {
  const [first] = resolution;
  if (first === undefined) return [];
  const lasts = resolution.map(
    ({ errorRatio, regionSeconds }) =>
      `${formatDuration(regionSeconds)} for ${formatSignificant(errorRatio * 100, 1)} %`,
  );
  return [
    style('heading', 'The shortest region'),
    ...paragraph(
      `Read before and after, a region must last ${lasts.join(', or ')} (one sigma): ${SETS[first.bound]} of ` +
        `${first.counter} sets that.`,
      2,
    ),
    ...(energyFilter.state === 'on' || energyFilter.state === 'possible'
      ? paragraph("The energy filter's noise, which short regions feel most, comes on top.", 2)
      : []),
  ];
}

function verdictLines({ verdict, sources }: Diagnosis, style: Style): string[] {
  const { measured, sentence, next } = verdict;
  const above = sources.find(
    ({ needed, fixes }) => needed && fixes.some(({ commands }) => commands.join('\n') === next.command),
  );
  const indent = ' '.repeat(LABEL_COLUMNS);
  const [first = '', ...more] = next.command.split('\n');
  return [
    ...hang('Verdict', sentence, measured ? 'measured' : 'warning', style),
    // What stands above in several lines need not be said again.
    ...(above !== undefined && more.length > 0
      ? hang('Next', `the first fix of ${above.source}: ${next.why}.`, 'label', style)
      : [
          `${style('label', padRight('Next', LABEL_COLUMNS))}${style('value', first)}`,
          ...more.map((line) => indent + style('value', line)),
          ...paragraph(`${next.why}.`, LABEL_COLUMNS),
        ]),
  ];
}
