// SPDX-License-Identifier: MIT
//
// Hugging Face model cards: `co2_eq_emissions` in the YAML front matter of README.md, emissions in grams
// (huggingface/hub-docs, docs/hub/model-cards-co2.md).
import { MicrojouleError } from '../core/errors.js';
import type { Report } from '../core/report-types.js';
import { placeOf } from './labels.js';
import { yaml } from './yaml.js';

const KEY = 'co2_eq_emissions';
const SIGNIFICANT_DIGITS = 6;

/** What `co2_eq_emissions` holds, in the order in which cards write it. */
export function modelCardFields(report: Report): Record<string, string | number> {
  const { emissions, energy, model, location, machine } = report;
  const { gpuModel, cpuModel } = machine;
  const hardware = [gpuModel, cpuModel].filter((part) => part !== undefined && part !== '').join(', ');
  const low = emissions.atLeast ? 'lower bound, ' : '';
  return {
    emissions: Number(emissions.emissionsGrams.toPrecision(SIGNIFICANT_DIGITS)),
    source: `microjoule ${report.generator.version} (${low}energy ${energy.kind}, intensity ${report.intensity.kind})`,
    ...(model?.trainingType === undefined ? {} : { training_type: model.trainingType }),
    ...(location.kind === 'absent' ? {} : { geographical_location: cardPlace(location) }),
    ...(hardware === '' ? {} : { hardware_used: hardware }),
  };
}

/** A card is read without what stands beside the place in a report, so a guess says that it is one. */
function cardPlace(location: Report['location']): string {
  const place = placeOf(location);
  return location.kind === 'estimated' ? `${place}, guessed from the ${location.source}` : place;
}

/** The piece of YAML by itself, to be pasted. */
export function formatModelCard(report: Report): string {
  return yaml().stringify({ [KEY]: modelCardFields(report) }, { lineWidth: 0 });
}

/**
 * `readme` with the report's emissions in its front matter; every byte outside that one entry stays as it is. Fields of
 * the entry that a report knows nothing of stay too. Without front matter one is put first.
 *
 * @throws MicrojouleError `ERR_OUTPUT` when the front matter is no YAML mapping in block style
 */
export function withModelCard(readme: string, report: Report, file: string): string {
  const front = findFrontMatter(readme);
  if (front === undefined) {
    const mark = readme.startsWith('\uFEFF') ? '\uFEFF' : '';
    const newline = /\r\n|\n/.exec(readme)?.[0] ?? '\n';
    const block = formatModelCard(report).replaceAll('\n', newline);
    const body = readme.slice(mark.length);
    return `${mark}---${newline}${block}---${newline}${body === '' ? '' : newline}${body}`;
  }
  const { start, text, newline } = front;
  const edited = editEntry(text, report, file).replaceAll(/\r?\n/g, newline);
  return readme.slice(0, start) + (edited === '' ? text : edited) + readme.slice(start + text.length);
}

interface FrontMatter {
  /** Where its first line begins, and what is between the two lines of dashes. */
  start: number;
  text: string;
  newline: string;
}

function findFrontMatter(readme: string): FrontMatter | undefined {
  const opening = /^\uFEFF?---[ \t]*(\r?\n)/.exec(readme);
  if (opening === null) return undefined;
  const start = opening[0].length;
  const closing = /^---[ \t]*$/m.exec(readme.slice(start).replaceAll('\r', ' '));
  return closing === null
    ? undefined
    : { start, text: readme.slice(start, start + closing.index), newline: opening[1] ?? '\n' };
}

/** The front matter with the entry replaced where it stands, or added at the end. */
function editEntry(text: string, report: Report, file: string): string {
  const { parseDocument, isMap, isScalar } = yaml();
  const document = parseDocument(text, { keepSourceTokens: true });
  const problem = document.errors[0];
  if (problem !== undefined) throw unusable(file, problem.message.split('\n')[0] ?? problem.message);
  const { contents } = document;
  if (contents === null) return text + formatModelCard(report);
  if (!isMap(contents) || contents.flow === true)
    throw unusable(file, 'it is no block of "key: value" lines');
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === KEY);
  if (pair === undefined) {
    return `${text}${/(^|\n)$/.test(text) ? '' : '\n'}${formatModelCard(report)}`;
  }
  const from = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
  const next = contents.items[contents.items.indexOf(pair) + 1];
  const end = next !== undefined && isScalar(next.key) ? (next.key.range?.[0] ?? text.length) : text.length;
  // Comments and blank lines before the next key belong to that.
  const entry = text.slice(from, end).replace(/(?:(?<=\n)(?:#[^\n]*|[ \t\r]*)\n?)+$/, '');
  return text.slice(0, from) + rewriteEntry(entry, report, file) + text.slice(from + entry.length);
}

/** The entry by itself, as a document of its own, so that its comments and other fields stay. */
function rewriteEntry(entry: string, report: Report, file: string): string {
  const { parseDocument, isMap } = yaml();
  const document = parseDocument(entry);
  if (document.errors[0] !== undefined) throw unusable(file, `${KEY} cannot be read by itself`);
  const value = document.get(KEY);
  if (!isMap(value) || value.flow === true) return formatModelCard(report);
  for (const [name, field] of Object.entries(modelCardFields(report))) document.setIn([KEY, name], field);
  return document.toString({ lineWidth: 0 });
}

function unusable(file: string, why: string): MicrojouleError {
  return new MicrojouleError('ERR_OUTPUT', `the front matter of ${file} cannot be edited: ${why}`, {
    hint: `Correct what stands between the two lines of dashes, or paste this there:\n${KEY}: …  (microjoule report -o card.yaml writes it)`,
  });
}
