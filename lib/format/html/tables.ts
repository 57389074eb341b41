// SPDX-License-Identifier: MIT
import {
  formatDecimals,
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatSignificant,
  formatTimestamp,
} from '../../core/numbers.js';
import type { Report } from '../../core/report-types.js';
import type { Provenance } from '../../core/vocabulary.js';
import {
  emissionsBounds,
  energyBounds,
  facilityText,
  intensityBounds,
  intervalName,
  scoreBounds,
  scoreName,
} from '../intervals.js';
import {
  absenceOf,
  COMPONENTS,
  cloudOf,
  commandLine,
  countersOf,
  endingOf,
  groupWarnings,
  modelLines,
  placeOf,
  shareText,
} from '../labels.js';
import { dataOf, escapeHtml, htmlTable } from './escape.js';
import { kindOf } from './sections.js';

/** Where every number comes from. */
export function provenance(report: Report): string {
  const { duration, energy, emissions, intensity, location, cloud, embodied, facility, score, series } =
    report;
  const { attribution } = report;
  const line = (name: string, value: string, from: Provenance, more = '') => [
    escapeHtml(name),
    value,
    kindOf(from.kind),
    escapeHtml(from.source),
    escapeHtml(from.method),
    escapeHtml(`${from.detail}${more}`),
  ];
  const after = (bounds: string, confidenceRatio: number | undefined) =>
    bounds === '' ? '' : escapeHtml(`, ${intervalName(confidenceRatio)} ${bounds}`);
  const low = (atLeast: boolean) => (atLeast ? 'at least ' : '');
  const components = COMPONENTS.map(({ key, name }) => {
    const component = report.components[key];
    const { energyJoules, powerWatts, atLeast, confidenceRatio } = component;
    if (energyJoules === undefined) return line(name, escapeHtml(absenceOf(key, report)), component);
    const path = `components.${key}`;
    const power =
      powerWatts === undefined
        ? ''
        : `, mean ${dataOf(`${path}.powerWatts`, powerWatts, formatPower(powerWatts))}`;
    const text = dataOf(`${path}.energyJoules`, energyJoules, formatEnergy(energyJoules));
    const bounds = after(energyBounds(energyJoules, component), confidenceRatio);
    return line(name, `${low(atLeast)}${text}${bounds}${power}`, component);
  });
  const grams = dataOf(
    'intensity.intensityGramsPerKwh',
    intensity.intensityGramsPerKwh,
    `${formatDecimals(intensity.intensityGramsPerKwh, 6)} g/kWh`,
  );
  const year = intensity.year === undefined ? '' : `, ${intensity.year}`;
  const zone = intensity.zone === undefined ? '' : `, zone ${intensity.zone}`;
  const spread =
    intensity.uncertaintyMethod === undefined ? '' : ` Interval: ${intensity.uncertaintyMethod}.`;
  const credit = intensity.credit === undefined ? '' : ` Data: ${intensity.credit}`;
  const rows = [
    line(
      'Duration',
      dataOf('duration.durationSeconds', duration.durationSeconds, formatDuration(duration.durationSeconds)),
      duration,
    ),
    ...components,
    ...(attribution === undefined
      ? []
      : [line('Share of the machine', escapeHtml(shareText(attribution)), attribution)]),
    line(
      'Total energy',
      `${low(energy.atLeast)}${dataOf('energy.energyJoules', energy.energyJoules, formatEnergy(energy.energyJoules))}${after(energyBounds(energy.energyJoules, energy), energy.confidenceRatio)}`,
      energy,
    ),
    line(
      'Emissions',
      `${low(emissions.atLeast)}${dataOf('emissions.emissionsGrams', emissions.emissionsGrams, formatMass(emissions.emissionsGrams))}${after(emissionsBounds(emissions), emissions.confidenceRatio)}`,
      emissions,
    ),
    ...(facility === undefined ? [] : [line('Facility', escapeHtml(facilityText(facility)), facility)]),
    ...(embodied === undefined
      ? []
      : [
          line(
            'Embodied emissions',
            dataOf('embodied.embodiedGrams', embodied.embodiedGrams, formatMass(embodied.embodiedGrams)),
            embodied,
          ),
        ]),
    ...(score === undefined
      ? []
      : [
          line(
            scoreName(score),
            `${low(score.atLeast)}${dataOf('score.gramsPerUnit', score.gramsPerUnit, formatMass(score.gramsPerUnit))}${after(scoreBounds(score), score.confidenceRatio)}`,
            score,
          ),
        ]),
    line(
      'Carbon intensity',
      `${grams}${escapeHtml(`${year}${zone}`)}${after(intensityBounds(intensity), intensity.confidenceRatio)}`,
      intensity,
      `${spread}${credit}`,
    ),
    line('Location', escapeHtml(placeOf(location)), location),
    line('Cloud', escapeHtml(cloudOf(cloud)), cloud),
    ...(series === undefined
      ? []
      : [line('Power over time', `${series.edgesSeconds.length - 1} intervals`, series)]),
  ];
  return htmlTable(['Quantity', 'Value', 'Kind', 'Source', 'Method', 'Detail'], rows);
}

/** Every counter with its status, or nothing when the machine has none. */
export function counters(report: Report): string | undefined {
  const all = countersOf(report);
  if (all.length === 0) return undefined;
  const rows = all.map(({ id, domain, device, origin, status, energyJoules, inTotal, detail }) => [
    `<code>${escapeHtml(id)}</code>`,
    escapeHtml(`${domain} ${device}`),
    `<code>${escapeHtml(origin)}</code>`,
    escapeHtml(status),
    energyJoules === undefined ? 'absent' : escapeHtml(formatEnergy(energyJoules)),
    inTotal ? 'yes' : 'no',
    escapeHtml(detail),
  ]);
  return htmlTable(['Counter', 'Meters', 'Read at', 'Status', 'Energy', 'In the total', 'Detail'], rows);
}

/** The machine, the command and whoever made the model. */
export function facts(report: Report): string {
  const { machine, command, model } = report;
  const { cpuModel, cpuThreadCount, cpuUtilisationRatio, gpuModel, gpuCount, ramTotalGib } = machine;
  const busy =
    cpuUtilisationRatio === undefined ? '' : `, ${formatDecimals(cpuUtilisationRatio * 100, 1)} % busy`;
  const unnamed = gpuCount === undefined ? 'unknown' : 'none found';
  const rows: [string, string][] = [
    ['CPU', escapeHtml(`${cpuModel ?? 'unknown'}, ${cpuThreadCount} threads${busy}`)],
    ['GPU', escapeHtml(gpuModel ?? unnamed)],
    ['Memory', escapeHtml(`${formatSignificant(ramTotalGib)} GiB`)],
    ['Software', escapeHtml(`${machine.os}; ${machine.runtime}`)],
    ...(command === undefined
      ? []
      : [
          [
            'Command',
            `<code>${escapeHtml(commandLine(command.argv))}</code>, ${escapeHtml(endingOf(command))}`,
          ] as [string, string],
        ]),
    ...modelLines(model).map(([name, value]): [string, string] => [escapeHtml(name), escapeHtml(value)]),
  ];
  return htmlTable(['What', 'Which'], rows);
}

/** What a reader must know. */
export function warnings(report: Report): string {
  const items = [
    ...report.energy.absent.map((sentence) => `<li>Not counted: ${escapeHtml(sentence)}</li>`),
    ...groupWarnings(report.warnings).map(({ code, messages, hint }) => {
      const text = messages.map(escapeHtml).join('<br>');
      return `<li>${text}${hint === undefined ? '' : ` ${escapeHtml(hint)}`} <code>${escapeHtml(code)}</code></li>`;
    }),
  ];
  return items.length === 0
    ? ''
    : `<h2>To bear in mind</h2>\n<ul class="warnings">\n${items.join('\n')}\n</ul>`;
}

export function references(report: Report): string {
  const items = report.references.map(({ text, url }) => {
    // A report may come from anywhere; a link leads to the web and runs nothing.
    const link =
      url === undefined || !/^https?:/i.test(url)
        ? ''
        : ` <a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(url)}</a>`;
    return `<li>${escapeHtml(text)}${link}</li>`;
  });
  return `<h2>References</h2>\n<ol class="references">\n${items.join('\n')}\n</ol>`;
}

export function whenAndWhat(report: Report): string {
  const { runId, startedAt, endedAt, generatedAt, generator } = report;
  return escapeHtml(
    `Run ${runId}, from ${formatTimestamp(startedAt)} to ${formatTimestamp(endedAt)}; microjoule ${generator.version}, ${formatTimestamp(generatedAt)}`,
  );
}
