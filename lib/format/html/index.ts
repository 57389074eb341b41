// SPDX-License-Identifier: MIT
import type { PowerSeries, Report } from '../../core/report-types.js';
import { processScope, titleOf } from '../labels.js';
import { componentsChart } from './components-chart.js';
import { escapeHtml, scriptJson } from './escape.js';
import { SERIES_SCRIPT, TIP_SCRIPT } from './script.js';
import { kindBar, rateLine, runsSection, tiles } from './sections.js';
import { STYLE } from './style.js';
import { counters, facts, provenance, references, warnings, whenAndWhat } from './tables.js';

/** Forbids the page every request: nothing in it may reach for the network, whatever a report holds. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const SERIES_HINT = 'Drag to zoom, double click for the whole; with the keyboard + and -, arrows, 0.';

/**
 * The report as one HTML file that needs nothing else: charts, provenance on hover and in a table, light and dark,
 * paper. Shows the power over time when the report has a `series`.
 */
export function formatHtml(report: Report): string {
  const title = `CO2 emission report: ${titleOf(report)}`;
  const counterTable = counters(report);
  const sections = [
    `<h1>${escapeHtml(title)}</h1>\n<p class="meta">${whenAndWhat(report)}</p>`,
    tiles(report),
    rateLine(report),
    warnings(report),
    `<h2>Energy by component</h2>
<figure>${componentsChart(report)}</figure>
<figure>${kindBar(report)}</figure>
<p class="note">${escapeHtml(processScope(report) ?? 'The whole machine is accounted for, idle included.')} Measured: read from a counter. Estimated: computed by a model from something observed. Assumed: a default, or what the user gave. Absent: not known, and never counted as zero.</p>`,
    ...(report.series === undefined ? [] : [powerSection(report.series)]),
    ...runsSection(report),
    `<h2>Where every number comes from</h2>\n${provenance(report)}`,
    ...(counterTable === undefined ? [] : [`<h2>Counters</h2>\n${counterTable}`]),
    `<h2>Machine and model</h2>\n${facts(report)}`,
    references(report),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="microjoule ${escapeHtml(report.generator.version)}">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${sections.filter((section) => section !== '').join('\n')}
</main>
<div id="tip" role="tooltip" hidden></div>
<script>${TIP_SCRIPT}${report.series === undefined ? '' : SERIES_SCRIPT}</script>
</body>
</html>
`;
}

function powerSection(series: PowerSeries): string {
  const colour = (component: string | undefined, index: number) =>
    component ?? ['other', 'cpu', 'gpu', 'ram'][index % 4] ?? 'other';
  const legend = series.channels.map(
    ({ name, component, kind, source }, index) =>
      `<li><span class="swatch ${colour(component, index)}" style="background:var(--c)"></span>${escapeHtml(`${name} (${kind}, ${source})`)}</li>`,
  );
  const { edgesSeconds, channels } = series;
  return `<h2>Power over time</h2>
<figure><svg id="power" viewBox="0 0 900 310" tabindex="0" role="img" aria-label="Power over time, in watts"></svg>
<div class="tools"><ul class="legend">${legend.join('')}</ul><button id="reset" type="button" disabled>Whole run</button></div>
<figcaption id="readout" data-hint="${SERIES_HINT}">${SERIES_HINT}</figcaption>
<noscript>The chart needs JavaScript; the numbers are in the tables.</noscript></figure>
<p class="note">${escapeHtml(`${upperFirst(series.method)}. ${series.detail}`)}</p>
<script type="application/json" id="series">${scriptJson({ edgesSeconds, channels })}</script>`;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
