// SPDX-License-Identifier: MIT
//
// Energy by component: one stacked bar, and below it one bar a component with its interval.
import { formatEnergy, formatPower, formatShare, withAtLeast } from '../../core/numbers.js';
import type { Component, Components, Report } from '../../core/report-types.js';
import { energyBounds, intervalName } from '../intervals.js';
import { absenceOf, COMPONENTS } from '../labels.js';
import { escapeHtml } from './escape.js';

const WIDTH = 900;
const LABEL = 56;
/** Right of the bars, for the values. */
const VALUES = 250;
const BAR = WIDTH - LABEL - VALUES;
const STACK_HEIGHT = 34;
const ROW = 38;
const ROW_BAR = 18;

const PATTERNS = `<defs>
<pattern id="estimated" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" fill="var(--panel)" fill-opacity=".55"/></pattern>
<pattern id="assumed" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1.6" fill="var(--panel)" fill-opacity=".75"/></pattern>
</defs>`;

/** The chart as inline SVG, to scale; what is absent has no length and says so. */
export function componentsChart(report: Report): string {
  const { energy, components } = report;
  // Room for the longest whisker.
  const most = Math.max(
    energy.energyJoules,
    energy.upperJoules ?? 0,
    ...COMPONENTS.map(({ key }) => components[key].upperJoules ?? 0),
  );
  const scale = most > 0 ? BAR / most : 0;
  const height = STACK_HEIGHT + 20 + COMPONENTS.length * ROW;
  let left = LABEL;
  const stack = COMPONENTS.map(({ key, name }) => {
    const width = (components[key].energyJoules ?? 0) * scale;
    const part = width > 0 ? bar(report, key, name, left, 4, width, STACK_HEIGHT - 8) : '';
    left += width;
    return part;
  }).join('');
  const total = withAtLeast(formatEnergy(energy.energyJoules), energy.atLeast);
  const whisker = whiskerOf(energy.lowerJoules, energy.upperJoules, scale, STACK_HEIGHT / 2);
  const rows = COMPONENTS.map(({ key, name }, index) =>
    row(report, key, name, STACK_HEIGHT + 20 + index * ROW, scale),
  ).join('\n');
  const label = `Energy by component: ${COMPONENTS.map(({ key, name }) => `${name} ${amountOf(report, key)}`).join(', ')}`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}" id="components">
${PATTERNS}
<text x="0" y="${STACK_HEIGHT / 2 + 5}" font-weight="600">Total</text>${stack}${whisker}
<text x="${LABEL + BAR + 12}" y="${STACK_HEIGHT / 2 + 5}" font-weight="600">${escapeHtml(total)}</text>
<line x1="0" x2="${WIDTH}" y1="${STACK_HEIGHT + 8}" y2="${STACK_HEIGHT + 8}" stroke="var(--line)"/>
${rows}
</svg>`;
}

function row(report: Report, key: keyof Components, name: string, top: number, scale: number): string {
  const component = report.components[key];
  const middle = top + ROW / 2;
  const text = `<text x="0" y="${middle + 5}" font-weight="600">${name}</text>`;
  const beside = `<text x="${LABEL + BAR + 12}" y="${middle + 5}">${escapeHtml(amountOf(report, key))}</text>`;
  if (component.energyJoules === undefined) {
    const dashed = `<rect x="${LABEL + 0.5}" y="${middle - ROW_BAR / 2 + 0.5}" width="90" height="${ROW_BAR - 1}" rx="2" fill="none" stroke="var(--soft)" stroke-dasharray="4 3"/>`;
    const unknown = `<text class="soft" x="${LABEL + 102}" y="${middle + 5}">${component.atLeast ? 'of unknown size' : ''}</text>`;
    return `<g tabindex="0" data-tip="${tipOf(report, key, name)}">${text}${dashed}${unknown}${beside}</g>`;
  }
  const width = component.energyJoules * scale;
  const shape = bar(report, key, name, LABEL, middle - ROW_BAR / 2, width, ROW_BAR);
  const whisker = whiskerOf(component.lowerJoules, component.upperJoules, scale, middle);
  return `${text}${shape}${whisker}${beside}`;
}

function bar(
  report: Report,
  key: keyof Components,
  name: string,
  x: number,
  y: number,
  width: number,
  height: number,
): string {
  const { kind } = report.components[key];
  // What is there shows, however little it is.
  const at = `x="${fixed(x)}" y="${fixed(y)}" width="${fixed(Math.max(1, width - 1))}" height="${height}" rx="2"`;
  const texture = kind === 'measured' ? '' : `<rect ${at} fill="url(#${kind})"/>`;
  return `<g class="${key}" tabindex="0" data-tip="${tipOf(report, key, name)}"><rect ${at} fill="var(--c)"/>${texture}</g>`;
}

function whiskerOf(
  lower: number | undefined,
  upper: number | undefined,
  scale: number,
  middle: number,
): string {
  if (lower === undefined || upper === undefined) return '';
  const [from, to] = [fixed(LABEL + lower * scale), fixed(LABEL + upper * scale)];
  const path = `M${from} ${middle - 5}v10M${from} ${middle}H${to}M${to} ${middle - 5}v10`;
  // A light rim, so that it shows on any bar.
  return `<path class="whisker" d="${path}" stroke="var(--panel)" stroke-width="4" fill="none"/><path d="${path}" stroke="var(--ink)" stroke-width="1.5" fill="none"/>`;
}

function amountOf(report: Report, key: keyof Components): string {
  const { energyJoules, atLeast } = report.components[key];
  if (energyJoules === undefined) return absenceOf(key, report);
  const total = report.energy.energyJoules;
  const share = total > 0 ? ` (${formatShare(energyJoules / total)})` : '';
  return `${withAtLeast(formatEnergy(energyJoules), atLeast)}${share}`;
}

function tipOf(report: Report, key: keyof Components, name: string): string {
  const component: Component = report.components[key];
  const { powerWatts, kind, source, method, detail } = component;
  const bounds = energyBounds(component.energyJoules ?? 0, component);
  const lines = [
    `${name}: ${amountOf(report, key)}${powerWatts === undefined ? '' : `, mean ${formatPower(powerWatts)}`}`,
    ...(bounds === '' ? [] : [`${intervalName(component.confidenceRatio)}: ${bounds}`]),
    `${kind}, ${source}: ${method}`,
    detail,
  ];
  return lines.map(escapeHtml).join('&#10;');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(2)));
}
