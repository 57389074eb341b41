// SPDX-License-Identifier: MIT
//
// The figures of docs/methodology.md, of the same trials as the tables of docs/precision.md.
import { byLengthPlot, WIDTH } from './plot.mjs';
import { axis, band, figure, frame, line, mark, SIZES, scale, text } from './svg.mjs';

// Told apart by those who see few colours, too (Okabe and Ito).
const BLUE = '#0072b2';
const VERMILLION = '#d55e00';
const GREEN = '#00805c';
const PURPLE = '#a8518a';
const GREY = '#57606a';

const PASSIVE = 'Passive, 30 W to 60 W and back, period 1 ms';
const ALIGNED = 'Tick-aligned, spinning at 55 W known to 1 %, period 1 ms';
const MEASURED = 'Tick-aligned, power of spinning measured';
const REPETITION = 'Repetition of 0.1 periods';
const SWEEP = 'Phase sweep';
/** Groups in which the model does not hold: only "covered or flagged" is demanded of them. */
const WRONG = [
  'Power drawn anew every quarter period',
  'Power that is not steady',
  'Records that are not whole, 30 W to 60 W',
];
/** Below this, most results of a regime are bounds and no values. */
const MOSTLY = 0.5;
const FLAGGED = 0.9;

/** Of a group, by the length that its names end with. */
function byLength(results, group, pick = () => true) {
  const found = results
    .filter((result) => result.group === group && pick(result.name))
    .map(({ name, summary }) => ({
      length: Number(/([\d.]+) periods?(, [^\d]*)?$/.exec(name)?.[1] ?? Number.NaN),
      name,
      summary,
    }));
  if (found.length === 0) throw new Error(`nothing was simulated of "${group}"`);
  const nameless = found.find(({ length }) => !(length > 0));
  if (nameless !== undefined) throw new Error(`"${nameless.name}" of "${group}" tells no length`);
  return found.sort((a, b) => a.length - b.length);
}

const given = (points) => points.filter(([, ratio]) => ratio !== undefined && ratio !== 0);

function naiveOrRegion(results, trials) {
  const passive = byLength(results, PASSIVE);
  const of = (pick) => given(passive.map(({ length, summary }) => [length, pick(summary)]));
  const size = (ratio) => (ratio === undefined ? undefined : Math.abs(ratio));
  const partly = passive
    .filter(({ summary }) => summary.resolvedRatio > 0 && summary.resolvedRatio < 0.995)
    .map(({ length, summary }) => `${(100 * summary.resolvedRatio).toFixed(0)} % at ${length} periods`);
  return byLengthPlot({
    about: {
      title: 'Error of a short region: two plain readings against begin() and end()',
      subtitle: `30 W outside, 60 W inside; a counter that updates every 1 ms; ${trials}`,
      description:
        'Spread and bias by length, on logarithmic scales. The error of two plain readings falls with the length from more ' +
        'than the energy itself to less than a per cent. The estimators of regions, which give a value above one period, ' +
        'are hundreds of times better at any length, and their bias is about what chance leaves in the mean of the trials.',
    },
    label: 'relative error',
    series: [
      {
        names: ['two readings: spread'],
        shape: 'square',
        colour: VERMILLION,
        points: of((summary) => summary.naiveRmsRatio),
      },
      {
        names: ['two readings: |bias|'],
        shape: 'hollow square',
        colour: VERMILLION,
        dashes: '6 4',
        points: of((summary) => size(summary.naiveBiasRatio)),
      },
      {
        names: ['region: spread', 'of what has a value:', ...partly],
        shape: 'circle',
        colour: BLUE,
        points: of((summary) => summary.rmsRatio),
      },
      {
        names: ['region: |bias|'],
        shape: 'hollow circle',
        colour: BLUE,
        dashes: '6 4',
        points: of((summary) => size(summary.biasRatio)),
      },
      {
        names: ['chance alone', 'spread / √ trials'],
        colour: GREY,
        dashes: '2 3',
        points: of(({ rmsRatio, trialCount, resolvedRatio }) =>
          rmsRatio === undefined ? undefined : rmsRatio / Math.sqrt(trialCount * resolvedRatio),
        ),
      },
    ],
  });
}

function halfWidths(results, trials) {
  const passive = byLength(results, PASSIVE);
  const isValue = ({ summary }) => summary.resolvedRatio >= MOSTLY;
  const points = (found) => found.map(({ length, summary }) => [length, summary.halfWidthRatio]);
  const alike = byLength(
    results.map((result) =>
      // Its length stands in the name of the group.
      result.group === REPETITION ? { ...result, name: `${result.name}, 0.1 periods` } : result,
    ),
    REPETITION,
    (name) => name.startsWith('period 1 ms, calls alike'),
  );
  return byLengthPlot({
    about: {
      title: 'How narrow the stated 95 % interval is',
      subtitle: `60 W, a counter that updates every 1 ms in steps of 61 µJ; ${trials}`,
      description:
        'Relative half-width by length, on logarithmic scales. Passive regions below about two periods have only wide bounds; ' +
        'above, the inside-slope narrows with the length. Tick-aligned regions go down to a tenth of a period, ten times ' +
        'narrower where the power of spinning was measured. Phase sweep and repetition are narrower still.',
    },
    label: 'half-width / energy',
    series: [
      {
        names: ['begin(): bounds', 'mostly, below 2.2'],
        shape: 'hollow circle',
        colour: BLUE,
        dashes: '2 4',
        points: points(passive.filter((one) => !isValue(one))),
      },
      {
        names: ['begin(): inside-slope'],
        shape: 'circle',
        colour: BLUE,
        points: points(passive.filter(isValue)),
      },
      {
        names: ['beginAligned()', 'spinning known to 1 %'],
        shape: 'square',
        colour: VERMILLION,
        points: points(byLength(results, ALIGNED)),
      },
      {
        names: ['beginAligned()', 'spinning measured'],
        shape: 'hollow square',
        colour: VERMILLION,
        dashes: '6 4',
        points: points(byLength(results, MEASURED)),
      },
      {
        names: ['repetition', 'batches for a target', 'of 1 %, calls alike'],
        shape: 'diamond',
        colour: GREEN,
        isLine: false,
        points: points(alike),
      },
      {
        names: ['phase sweep', '100 single calls'],
        shape: 'hollow diamond',
        colour: PURPLE,
        isLine: false,
        points: points(byLength(results, SWEEP, (name) => /^100 single calls of [\d.]+ periods$/.test(name))),
      },
    ],
  });
}

/** One row for each group, one mark for each regime of it. */
function rows(groups, results, { area, domain, ticks, label }) {
  const [left, top, right, bottom] = area;
  const x = scale(domain, [left, right]);
  const parts = [
    band(x(0.93), top, x(0.97), bottom, GREEN),
    axis(
      'x',
      area,
      x,
      ticks.map((value) => ({ value, name: `${Math.round(100 * value)} %` })),
      label,
    ),
    line(
      [
        [x(0.95), top],
        [x(0.95), bottom],
      ],
      GREEN,
      { dashes: '4 4' },
    ),
    frame(area),
  ];
  const pitch = (bottom - top) / groups.length;
  for (const [i, group] of groups.entries()) {
    const y = top + pitch * (i + 0.5);
    parts.push(text(left - 12, y + 4.5, group, { anchor: 'end', size: SIZES.small }));
    for (const [j, { summary }] of results.filter((one) => one.group === group).entries()) {
      // Neighbours are set apart, or they would hide one another.
      const lifted = y + ((j % 3) - 1) * 5;
      const isFlagged = summary.flaggedRatio >= FLAGGED;
      const shape = summary.resolvedRatio < MOSTLY ? 'hollow circle' : isFlagged ? 'diamond' : 'circle';
      parts.push(mark(shape, x(summary.coverage), lifted, isFlagged ? VERMILLION : BLUE, { size: 3.6 }));
    }
  }
  return parts;
}

function coverage(results, trials) {
  const groups = [...new Set(results.map(({ group }) => group))];
  for (const group of WRONG)
    if (!groups.includes(group)) throw new Error(`nothing was simulated of "${group}"`);
  const right = groups.filter((group) => !WRONG.includes(group));
  // Down to the lowest, should one ever fall out of the usual.
  const lowest = Math.min(
    0.9,
    ...results.flatMap((one) => (right.includes(one.group) ? [one.summary.coverage] : [])),
  );
  const [from, to] = [428, 856];
  const key = 82;
  const label = 'trials whose interval holds the truth';
  const top = 128;
  const bottom = top + 25 * right.length;
  const wrongTop = bottom + 96;
  const wrongBottom = wrongTop + 25 * WRONG.length;
  return figure(
    {
      width: WIDTH,
      height: wrongBottom + 62,
      title: 'How often the stated 95 % interval holds the truth',
      subtitle: `one mark for each situation of docs/precision.md; green: 93 % to 97 %; ${trials}`,
      description:
        'Coverage by group of situations. Where the model holds nearly all lie between 93 and 97 per cent, sums of ' +
        'counters and bounds above. Where it is wrong on purpose coverage falls to a small part, and those are flagged.',
    },
    mark('circle', 28, key, BLUE, { name: 'key' }),
    text(40, key + 5, 'values'),
    mark('hollow circle', 118, key, BLUE, { name: 'key' }),
    text(130, key + 5, 'mostly bounds'),
    mark('diamond', 256, key, VERMILLION, { name: 'key' }),
    text(268, key + 5, 'flagged in at least 90 % of trials: the result itself says that it may be wrong'),
    text(20, top - 12, 'The model holds', { weight: 600 }),
    ...rows(right, results, {
      area: [from, top, to, bottom],
      domain: [lowest - 0.003, 1.003],
      ticks: [0.9, 0.92, 0.94, 0.96, 0.98, 1],
      label,
    }),
    text(20, wrongTop - 12, 'The model is wrong on purpose (another scale)', { weight: 600 }),
    ...rows(WRONG, results, {
      area: [from, wrongTop, to, wrongBottom],
      domain: [-0.03, 1.03],
      ticks: [0, 0.2, 0.4, 0.6, 0.8, 1],
      label,
    }),
  );
}

/** SVG by file name. `trials` says in words how many there were. */
export function figures(results, trials) {
  return {
    'naive-or-region.svg': naiveOrRegion(results, trials),
    'coverage.svg': coverage(results, trials),
    'half-width.svg': halfWidths(results, trials),
  };
}
