// SPDX-License-Identifier: MIT
//
// The live test of a diagnosis as text.
import { formatDuration, formatEnergy, formatSignificant, formatSpread } from '../core/numbers.js';
import type { Check, CounterTest, LiveTest, ReadCost } from '../doctor/diagnosis.js';
import { COLUMNS, hang, paragraph } from './columns.js';
import type { Style, StyleName } from './text.js';
import { displayWidth, padLeft, padRight, wrap } from './wrap.js';

const NS_PER_SECOND = 1e9;
/** More comparisons than this are counted. */
const MOST_LISTED = 6;
/** More counters than this are not all listed. */
const MOST_COUNTERS = 16;
const POWER_DIGITS = 3;

/** The options of the library, as the command has them. */
export function withFlags(text: string): string {
  return text
    .replaceAll(/\bwith sysfs\b/g, 'with --sysfs')
    .replaceAll(/\bwith dev\b/g, 'with --dev')
    .replaceAll('with nvmlLibrary (--nvml-library)', 'with --nvml-library')
    .replaceAll('the nvmlLibrary option (--nvml-library)', '--nvml-library')
    .replaceAll('set wakeGpus (--wake-gpus)', 'pass --wake-gpus');
}

/** The blocks of the live test. @param lost counters of the meters that the total lacks */
export function testBlocks(test: LiveTest, lost: readonly string[], style: Style): string[][] {
  const { durationSeconds, idleSeconds, readCosts, checks } = test;
  const { listed, rest } = worthListing(test, lost);
  const took = `${formatDuration(durationSeconds)}, ${formatDuration(idleSeconds)} of it idle`;
  return [
    [
      style('heading', `Live test of ${took}`),
      ...listed.flatMap((counter) => counterLines(counter, style)),
      ...rest.flatMap((words) => paragraph(words, 2)),
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

/** Of a large machine's many counters those in the total, and whatever is odd; the others in a line. */
function worthListing(
  { counters, checks }: LiveTest,
  lost: readonly string[],
): { listed: CounterTest[]; rest: string[] } {
  if (counters.length <= MOST_COUNTERS) return { listed: counters, rest: [] };
  const odd = new Set(
    checks.filter(({ result }) => result === 'disagree').flatMap((check) => check.counters),
  );
  const isListed = ({ id, inTotal, moved, status }: CounterTest): boolean =>
    inTotal || lost.includes(id) || !moved || status !== 'ok' || odd.has(id);
  const others = counters.filter((counter) => !isListed(counter));
  const counted = new Set(counters.filter(({ inTotal }) => inTotal).map(({ id }) => id));
  const twins = new Set(
    checks
      .filter((check) => check.kind === 'twins' && check.counters.some((id) => counted.has(id)))
      .flatMap((check) => check.counters),
  );
  const repeating = others.filter(({ id }) => twins.has(id)).length;
  const more = others.length - repeating;
  return {
    listed: counters.filter(isListed),
    rest: [
      ...(repeating === 0 ? [] : [`${repeating} others repeat these meters and agree.`]),
      ...(more === 0 ? [] : [`${more} others move, and are not in the total.`]),
    ],
  };
}

function counterLines(counter: CounterTest, style: Style): string[] {
  const { id, domain, device, die, moved, inTotal, status, detail } = counter;
  const place = `${domain} ${device}${die === undefined ? '' : `.${die}`}`;
  const still = status === 'ok' || status === 'stale' ? 'does not move' : status;
  const moves = moved ? style('measured', 'moves') : style('warning', still);
  const trouble = moved && status !== 'ok' ? `, ${style('warning', status)}` : '';
  // The others overlap with what the total holds: less is said of them.
  const facts = inTotal
    ? [period(counter), quantum(counter), power(counter), shortest(counter)]
    : [period(counter), idle(counter)];
  const known = facts.filter((part) => part !== '').join('; ');
  return [
    `  ${style('label', id)}  ${place}: ${moves}${inTotal ? ', in the total' : ''}${trouble}`,
    ...(known === '' ? [] : paragraph(known, 6)),
    ...(detail === '' ? [] : paragraph(withFlags(detail), 6)),
  ];
}

function period({ updatePeriodSeconds, movedAtEveryRead, jitterSeconds, updateCount }: CounterTest): string {
  if (updatePeriodSeconds === undefined) {
    return updateCount === 0 ? '' : `${updateCount} update${updateCount === 1 ? '' : 's'} seen`;
  }
  if (movedAtEveryRead) return `an update every ${formatDuration(updatePeriodSeconds)} or less`;
  const every =
    jitterSeconds === undefined
      ? formatDuration(updatePeriodSeconds)
      : formatSpread(updatePeriodSeconds, jitterSeconds, 'duration');
  return `an update every ${every}`;
}

function quantum({ quantumJoules }: CounterTest): string {
  return quantumJoules === undefined ? '' : `steps of ${formatEnergy(quantumJoules)}`;
}

/** Updates fall where they will: of a second's mean more digits would not come again. */
function watts(powerWatts: number): string {
  return `${formatSignificant(powerWatts, POWER_DIGITS)} W`;
}

function idle({ idleWatts }: CounterTest): string {
  return idleWatts === undefined ? '' : `${watts(idleWatts)} idle`;
}

function power({ idleWatts, busyWatts }: CounterTest): string {
  const parts = [
    ...(idleWatts === undefined ? [] : [`${watts(idleWatts)} idle`]),
    ...(busyWatts === undefined ? [] : [`${watts(busyWatts)} with one thread busy`]),
  ];
  return parts.join(', ');
}

function shortest({ regionSeconds }: CounterTest): string {
  if (regionSeconds === undefined) return '';
  const { onePercentSeconds, fivePercentSeconds } = regionSeconds;
  return `1 % from ${formatDuration(onePercentSeconds)}, 5 % from ${formatDuration(fivePercentSeconds)}`;
}

function costLines(costs: readonly ReadCost[], style: Style): string[] {
  const rows = costs.map(({ source, counterCount, readCount, medianNs, p99Ns }) => ({
    source,
    median: formatDuration(medianNs / NS_PER_SECOND),
    rest:
      `median, 99 % under ${formatDuration(p99Ns / NS_PER_SECOND)}; ` +
      `${counterCount} counter${counterCount === 1 ? '' : 's'}, ${formatSignificant(readCount)} reads`,
  }));
  const names = Math.max(...rows.map(({ source }) => displayWidth(source)), 0);
  const values = Math.max(...rows.map(({ median }) => displayWidth(median)), 0);
  const before = names + values + 6;
  const lines = rows.flatMap(({ source, median, rest }) => {
    const [first = '', ...more] = wrap(rest, COLUMNS - before);
    return [
      `  ${style('label', padRight(source, names))}  ${style('value', padLeft(median, values))}  ${first}`,
      ...more.map((line) => ' '.repeat(before) + line),
    ];
  });
  return [...lines, ...costDetails(costs).flatMap((detail) => paragraph(detail, 2))];
}

/** What holds for several sources is said once. */
function costDetails(costs: readonly ReadCost[]): string[] {
  const details = [...new Set(costs.map(({ detail }) => detail))].filter((detail) => detail !== '');
  return details.map((detail) => {
    const sources = costs.filter((cost) => cost.detail === detail).map(({ source }) => source);
    return `${sources.join(', ')}: ${detail}.`;
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
