// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { ModelDetails } from '../core/report-types.js';

/** The free-text fields of a model file. `results` is the one field that is not text. */
const TEXT_KEYS = [
  'name',
  'developer',
  'contact',
  'institution',
  'date',
  'description',
  'purpose',
  'trainingData',
  'trainingType',
  'licence',
] as const;
const KNOWN_KEYS: readonly string[] = [...TEXT_KEYS, 'results'];
const SUGGESTION_COUNT = 3;

type TextKey = (typeof TEXT_KEYS)[number];

/**
 * The model details in `text`, the JSON content of `file` (a name for messages only; nothing is read).
 *
 * @throws MicrojouleError `ERR_BAD_MODEL` when `text` is not a JSON object of known keys and right types.
 */
export function parseModelDetails(text: string, file: string): ModelDetails {
  return checkModelDetails(parseJson(text, file), file);
}

/**
 * A copy of the model details in `value`; `where` names what holds them, for messages.
 *
 * @throws MicrojouleError `ERR_BAD_MODEL` when `value` is not an object of known keys and right types.
 */
export function checkModelDetails(value: unknown, where: string): ModelDetails {
  if (!isObject(value)) {
    throw badModel(`${where} holds ${nameOf(value)} where an object was expected.`, knownKeysHint());
  }
  const details: ModelDetails = {};
  for (const [key, entry] of Object.entries(value)) {
    // Scripts write `licence: undefined` for a field that they do not know; JSON cannot.
    if (entry === undefined && KNOWN_KEYS.includes(key)) continue;
    if (key === 'results') details.results = checkResults(entry, where);
    else if (isTextKey(key)) details[key] = checkText(entry, key, where);
    else throw unknownKey(key, where);
  }
  return details;
}

function parseJson(text: string, file: string): unknown {
  try {
    // Editors on Windows put a byte order mark first, which JSON does not allow.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw badModel(`${file} is not valid JSON: ${reason}`, knownKeysHint(), cause);
  }
}

function checkText(value: unknown, key: string, where: string): string {
  if (typeof value === 'string') return value;
  throw badModel(
    `${where}: "${key}" is ${nameOf(value)} where text was expected.`,
    `Put the value in quotes, as in "${key}": "text".`,
  );
}

function checkResults(value: unknown, where: string): Record<string, string | number> {
  if (!isObject(value)) {
    throw badModel(
      `${where}: "results" is ${nameOf(value)} where an object of names and values was expected.`,
      'For example: "results": { "Test accuracy": 0.97 }',
    );
  }
  const entries = Object.entries(value).map(([name, entry]): [string, string | number] => {
    // No report could hold NaN, nor the Infinity that JSON.parse makes of 1e999.
    if (typeof entry === 'string' || (typeof entry === 'number' && Number.isFinite(entry)))
      return [name, entry];
    throw badModel(
      `${where}: "results.${name}" is ${nameOf(entry)} where text or a finite number was expected.`,
      'Give it as text: "NaN" in a file, String(value) in a script.',
    );
  });
  return Object.fromEntries(entries);
}

function unknownKey(key: string, where: string): MicrojouleError {
  const meant = nearest(key, KNOWN_KEYS, SUGGESTION_COUNT);
  return badModel(
    `${where}: unknown key "${key}"; expected one of ${KNOWN_KEYS.join(', ')}.`,
    meant.length > 0
      ? `Nearest known keys: ${meant.join(', ')}.`
      : 'Further lines of your own go into "results".',
  );
}

function badModel(message: string, hint: string, cause?: unknown): MicrojouleError {
  return new MicrojouleError('ERR_BAD_MODEL', message, { hint, cause });
}

function knownKeysHint(): string {
  return `Give one object; its known keys: ${KNOWN_KEYS.join(', ')}.`;
}

function isTextKey(key: string): key is TextKey {
  return (TEXT_KEYS as readonly string[]).includes(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `${String(value)} (a ${typeof value})`;
}
