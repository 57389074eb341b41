// SPDX-License-Identifier: MIT
//
// Results of a simulation as Markdown.
import { RATES } from './rates.js';
import { REGIMES, shortcomings, slackOf } from './regimes.js';
import { simulate, simulateRate } from './simulate.js';
import type { Summary } from './tally.js';

const percent = (ratio: number | undefined, digits = 1): string => {
  if (ratio === undefined) return '';
  const value = 100 * ratio;
  const fixed = value.toFixed(digits);
  // A small bias is not none.
  if (value !== 0 && Number(fixed) === 0) return `${value < 0 ? '-' : ''}<${10 ** -digits} %`;
  return `${fixed} %`;
};

const HEAD = [
  'Situation',
  'Bias',
  'Spread',
  'Naive bias',
  'Naive spread',
  '± stated',
  'Covered',
  'Width',
  'Resolved',
  'Flagged',
  'Method',
];

function row(name: string, summary: Summary): string {
  const { biasRatio, rmsRatio, naiveBiasRatio, naiveRmsRatio, widthOverShortest } = summary;
  const cells = [
    name,
    percent(biasRatio, 2),
    percent(rmsRatio, 2),
    percent(naiveBiasRatio),
    percent(naiveRmsRatio),
    percent(summary.halfWidthRatio, 2),
    percent(summary.coverage),
    widthOverShortest === undefined ? '' : `${widthOverShortest.toFixed(2)} x`,
    percent(summary.resolvedRatio, 0),
    percent(summary.flaggedRatio, 0),
    summary.methods.slice(0, 2).join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What one regime came to, for those who draw it. */
export interface Result {
  group: string;
  name: string;
  summary: Summary;
}

export interface Tables {
  markdown: string;
  results: Result[];
  shortcomings: string[];
}

/** Runs everything. `progress` hears of each group before it is run. */
export function tables(trialCount: number, seed: number, progress: (group: string) => void): Tables {
  const lines: string[] = [];
  const short: string[] = [];
  const results: Result[] = [];
  for (const group of [...new Set(REGIMES.map((regime) => regime.group))]) {
    progress(group);
    lines.push(`### ${group}`, '', `| ${HEAD.join(' | ')} |`, `| ${HEAD.map(() => '---').join(' | ')} |`);
    for (const regime of REGIMES.filter((one) => one.group === group)) {
      const summary = simulate(regime, trialCount, seed);
      lines.push(row(regime.name, summary));
      results.push({ group, name: regime.name, summary });
      short.push(...shortcomings(regime, summary).map((text) => `${group}, ${regime.name}: ${text}`));
    }
    lines.push('');
  }
  progress('rates');
  lines.push(
    '### Comparisons and correlated values',
    '',
    '| Statement | How often | Demanded |',
    '| --- | --- | --- |',
  );
  const slack = slackOf(trialCount);
  for (const rate of RATES) {
    const found = simulateRate(rate, trialCount, seed);
    const [lower, upper] = rate.limits;
    lines.push(`| ${rate.name} | ${percent(found)} | ${percent(lower)} to ${percent(upper)} |`);
    if (found < lower - slack(lower) || found > upper + slack(upper))
      short.push(`${rate.name}: ${percent(found)}`);
  }
  return { markdown: lines.join('\n'), results, shortcomings: short };
}
