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
  const value = parseJson(text, file);
  if (!isObject(value)) {
    throw badModel(`${file} holds ${nameOf(value)} where a JSON object was expected.`, knownKeysHint());
  }
  const details: ModelDetails = {};
  for (const [key, entry] of Object.entries(value)) {
    if (key === 'results') details.results = checkResults(entry, file);
    else if (isTextKey(key)) details[key] = checkText(entry, key, file);
    else throw unknownKey(key, file);
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

function checkText(value: unknown, key: string, file: string): string {
  if (typeof value === 'string') return value;
  throw badModel(
    `${file}: "${key}" is ${nameOf(value)} where text was expected.`,
    'Write the value in double quotes.',
  );
}

function checkResults(value: unknown, file: string): Record<string, string | number> {
  if (!isObject(value)) {
    throw badModel(
      `${file}: "results" is ${nameOf(value)} where an object of names and values was expected.`,
      'For example: "results": { "Test accuracy": 0.97 }',
    );
  }
  const entries = Object.entries(value).map(([name, entry]): [string, string | number] => {
    // JSON.parse turns 1e999 into Infinity, which no report could hold.
    if (typeof entry === 'string' || (typeof entry === 'number' && Number.isFinite(entry)))
      return [name, entry];
    throw badModel(
      `${file}: "results.${name}" is ${nameOf(entry)} where text or a finite number was expected.`,
      'For example: "results": { "Test accuracy": 0.97 }',
    );
  });
  return Object.fromEntries(entries);
}

function unknownKey(key: string, file: string): MicrojouleError {
  const meant = nearest(key, KNOWN_KEYS, SUGGESTION_COUNT);
  return badModel(
    `${file}: unknown key "${key}"; expected one of ${KNOWN_KEYS.join(', ')}.`,
    meant.length > 0
      ? `Nearest known keys: ${meant.join(', ')}.`
      : 'Further lines of your own go into "results".',
  );
}

function badModel(message: string, hint: string, cause?: unknown): MicrojouleError {
  return new MicrojouleError('ERR_BAD_MODEL', message, { hint, cause });
}

function knownKeysHint(): string {
  return `Write one JSON object; known keys: ${KNOWN_KEYS.join(', ')}.`;
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
