// SPDX-License-Identifier: MIT
import {
  formatDecimals,
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatShare,
  formatSignificant,
  formatSixDecimals,
  formatSpread,
  formatTimestamp,
  withAtLeast,
} from '../../core/numbers.js';
import type { Report } from '../../core/report-types.js';
import { GRAMS_PER_KG } from '../../core/units.js';
import type { Provenance } from '../../core/vocabulary.js';
import {
  emissionsBounds,
  energyBounds,
  intensityBounds,
  intervalName,
  scoreBounds,
  scoreName,
  uncertaintyScope,
} from '../intervals.js';
import { placeOf } from '../labels.js';
import { absentParts, sharesOf } from '../shares.js';
import { dataOf, escapeHtml, htmlTable } from './escape.js';

interface Tile {
  name: string;
  /** What says how the value came about. */
  of: Pick<Provenance, 'kind' | 'source' | 'method'>;
  /** HTML. */
  value: string;
  /** HTML, a line each. */
  more: string[];
}

/** The numbers that a reader came for. */
export function tiles(report: Report): string {
  const { energy, emissions, intensity, duration, score, embodied } = report;
  const interval = (bounds: string, confidenceRatio: number | undefined) =>
    bounds === '' ? [] : [escapeHtml(`${intervalName(confidenceRatio)}: ${bounds}`)];
  const all: Tile[] = [
    {
      name: 'Emissions (CO2 equivalent)',
      of: emissions,
      value: amount('emissions.emissionsGrams', emissions.emissionsGrams, formatMass, emissions.atLeast),
      more: [
        ...interval(emissionsBounds(emissions), emissions.confidenceRatio),
        ...(emissions.uncertaintyOf === undefined ? [] : [escapeHtml(uncertaintyScope(emissions))]),
        kindOf(emissions.kind),
      ],
    },
    {
      name: 'Energy',
      of: energy,
      value: amount('energy.energyJoules', energy.energyJoules, formatEnergy, energy.atLeast),
      more: [
        ...interval(energyBounds(energy.energyJoules, energy), energy.confidenceRatio),
        `${dataOf('energy.energyKwh', energy.energyKwh, formatSixDecimals(energy.energyKwh))} kWh`,
        kindOf(energy.kind),
      ],
    },
    {
      name: report.merged === undefined ? 'Duration' : 'Machine time',
      of: duration,
      value: amount('duration.durationSeconds', duration.durationSeconds, formatDuration, false),
      more:
        energy.powerWatts === undefined
          ? []
          : [
              `mean power ${amount('energy.powerWatts', energy.powerWatts, formatPower, energy.atLeast)}`,
              ...(report.merged === undefined ? [] : ['per machine']),
            ],
    },
    {
      name: 'Carbon intensity',
      of: intensity,
      value: `${dataOf('intensity.intensityGramsPerKwh', intensity.intensityGramsPerKwh, formatDecimals(intensity.intensityGramsPerKwh, 6))} g/kWh`,
      more: [
        ...interval(intensityBounds(intensity), intensity.confidenceRatio),
        escapeHtml(`${placeOf(report.location)}${intensity.year === undefined ? '' : `, ${intensity.year}`}`),
        kindOf(intensity.kind),
      ],
    },
  ];
  if (score !== undefined) {
    all.push({
      name: scoreName(score),
      of: score,
      value: amount('score.gramsPerUnit', score.gramsPerUnit, formatMass, score.atLeast),
      more: [
        ...interval(scoreBounds(score), score.confidenceRatio),
        `${dataOf('score.unitCount', score.unitCount, formatSignificant(score.unitCount))} of them`,
        kindOf(score.kind),
      ],
    });
  }
  if (embodied !== undefined) {
    all.push({
      name: 'Embodied emissions',
      of: embodied,
      value: amount('embodied.embodiedGrams', embodied.embodiedGrams, formatMass, false),
      more: ["the run's share of making the hardware", kindOf(embodied.kind)],
    });
  }
  const tile = ({ name, of, value, more }: Tile, index: number) =>
    `<div class="tile${index === 0 ? ' first' : ''}" tabindex="0" data-tip="${escapeHtml(`${of.kind}, ${of.source}: ${of.method}`)}"><dt>${escapeHtml(name)}</dt><dd><span class="value">${value.replace(/^at least /, '<span class="low">at least</span> ')}</span>${more.map((line) => `<span class="more">${line}</span>`).join('')}</dd></div>`;
  return `<dl class="tiles${all.length > 4 ? ' many' : ''}">\n${all.map(tile).join('\n')}\n</dl>`;
}

function amount(path: string, value: number, format: (value: number) => string, atLeast: boolean): string {
  return `${atLeast ? 'at least ' : ''}${dataOf(path, value, format(value))}`;
}

/** A kind with its texture. */
export function kindOf(kind: string): string {
  return `<span class="kind"><span class="swatch ${kind}"></span>${kind}</span>`;
}

/** What was measured, estimated and assumed, and what is not in the bar. */
export function kindBar(report: Report): string {
  const shares = sharesOf(report);
  const absent = absentParts(report);
  const parts = shares.map(
    ({ kind, ratio }) => `<span class="${kind}" style="flex:${Number(ratio.toFixed(6))} 1 0"></span>`,
  );
  const legend = shares.map(({ kind, ratio }) => `<li>${kindOf(kind)} ${formatShare(ratio)}</li>`);
  if (absent.length > 0) {
    parts.push('<span class="absent">?</span>');
    legend.push(`<li>${kindOf('absent')}: ${escapeHtml(absent.join(', '))}, of unknown size</li>`);
  }
  const label = shares.map(({ kind, ratio }) => `${formatShare(ratio)} ${kind}`).join(', ');
  return `<div class="kindbar" role="img" aria-label="${label}">${parts.join('')}</div>\n<ul class="legend">${legend.join('')}</ul>`;
}

/** The single runs, of a merged report or of repetitions. */
export function runsSection(report: Report): string[] {
  const { merged, repetitions } = report;
  const sections: string[] = [];
  if (merged !== undefined) {
    const rows = merged.map((run, index) => [
      escapeHtml(run.projectName),
      escapeHtml(run.runId),
      escapeHtml(`${formatTimestamp(run.startedAt)} to ${formatTimestamp(run.endedAt)}`),
      dataOf(`merged.${index}.durationSeconds`, run.durationSeconds, formatDuration(run.durationSeconds)),
      amount(`merged.${index}.energyJoules`, run.energyJoules, formatEnergy, run.atLeast),
      `${amount(`merged.${index}.emissionsGrams`, run.emissionsGrams, formatMass, run.atLeast)} ${kindOf(run.kind)}`,
      escapeHtml([run.place, run.os, run.cpuModel, run.gpuModel].filter((part) => part).join('; ')),
    ]);
    const header = ['Project', 'Run', 'When', 'Duration', 'Energy', 'Emissions', 'Where'];
    sections.push(`<h2>The ${merged.length} runs</h2>\n${htmlTable(header, rows)}`);
  }
  if (repetitions !== undefined) {
    const { durationSeconds, energyJoules, emissionsGrams, atLeast, kind } = repetitions;
    const line = (name: string, spread: typeof durationSeconds, quantity: 'duration' | 'energy' | 'mass') => [
      name,
      escapeHtml(
        withAtLeast(
          formatSpread(spread.mean, spread.standardDeviation, quantity),
          quantity !== 'duration' && atLeast,
        ),
      ),
    ];
    const rows = [
      [...line('Duration', durationSeconds, 'duration'), kindOf('measured')],
      [...line('Energy', energyJoules, 'energy'), kindOf(kind)],
      [...line('Emissions (CO2eq)', emissionsGrams, 'mass'), kindOf(emissionsGrams.kind)],
    ];
    const header = [`Per run, of ${repetitions.count}`, 'Mean ± standard deviation', 'Kind'];
    sections.push(`<h2>Repetitions</h2>\n${htmlTable(header, rows)}`);
  }
  return sections;
}

/** What a year at this rate would emit, and the rate. */
export function rateLine({ emissions }: Report): string {
  const { emissionsKgPerSecond, emissionsKgPerYear, atLeast } = emissions;
  if (emissionsKgPerSecond === undefined || emissionsKgPerYear === undefined) return '';
  const perSecond = dataOf(
    'emissions.emissionsKgPerSecond',
    emissionsKgPerSecond,
    `${formatMass(emissionsKgPerSecond * GRAMS_PER_KG)}/s`,
  );
  const perYear = dataOf(
    'emissions.emissionsKgPerYear',
    emissionsKgPerYear,
    formatMass(emissionsKgPerYear * GRAMS_PER_KG),
  );
  const low = atLeast ? 'at least ' : '';
  return `<p class="note">That is ${low}${perSecond}, or ${low}${perYear} in a year at this rate.</p>`;
}
