// SPDX-License-Identifier: MIT
import { withoutControls } from '../wrap.js';

/** `text` as content of an element or of a quoted attribute. */
export function escapeHtml(text: string): string {
  return withoutControls(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** `value` as JSON inside a script element, which nothing in it can end. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/**
 * A number as people read it, which carries the number itself and where it stands in the report's JSON
 * (`emissions.emissionsGrams`).
 */
export function dataOf(path: string, value: number, text: string): string {
  return `<data value="${value}" data-path="${escapeHtml(path)}">${escapeHtml(text)}</data>`;
}

/** A table whose cells are HTML already. */
export function htmlTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows
    .map(
      ([first = '', ...cells]) =>
        `<tr><th scope="row">${first}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
    )
    .join('\n');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
