// SPDX-License-Identifier: MIT
//
// Configuration from files and environment. The weakest first: ~/.codecarbon.config, ./.codecarbon.config, CODECARBON_*,
// "microjoule" of ./package.json, ./microjoule.config.json; arguments are stronger than all of them.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import { type ConfigLayer, type Settled, settleConfig } from './config-keys.js';

const CODECARBON_FILE = '.codecarbon.config';
const CODECARBON_SECTION = 'codecarbon';
const ENVIRONMENT_PREFIX = 'CODECARBON_';
const OWN_FILE = 'microjoule.config.json';

/**
 * What the files of `folder` (default: the working directory), of the home directory and the environment set.
 * @throws MicrojouleError `ERR_BAD_OPTION` for a file that cannot be read as what it is, and for values of wrong types
 */
export function loadConfig(folder: string = process.cwd()): Settled {
  const home = join(homedir(), CODECARBON_FILE);
  const local = join(folder, CODECARBON_FILE);
  const codecarbon = [
    ...(home === local ? [] : iniLayer(home)),
    ...iniLayer(local),
    environmentLayer(process.env),
  ];
  return settleConfig(codecarbon, [
    ...packageLayer(join(folder, 'package.json')),
    ...jsonLayer(join(folder, OWN_FILE)),
  ]);
}

function iniLayer(file: string): ConfigLayer[] {
  const text = readText(file);
  return text === undefined ? [] : [{ where: file, values: parseIni(text, CODECARBON_SECTION) }];
}

/**
 * One section of an INI file as Python's configparser reads it: `key = value` or `key: value`, keys without case,
 * comments on lines of their own, indented lines go on with the value before.
 */
export function parseIni(text: string, section: string): Record<string, string> {
  const values = new Map<string, string>();
  let inside = false;
  let last: string | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line);
    if (header !== null) {
      inside = header[1] === section;
      last = undefined;
      continue;
    }
    if (!inside) continue;
    const more = /^\s+(.*)$/.exec(line)?.[1];
    if (more !== undefined && last !== undefined) {
      values.set(last, `${values.get(last) ?? ''}\n${more.trim()}`);
      continue;
    }
    const [, name = '', value = ''] = /^\s*([^=:]+?)\s*(?:[=:]\s*(.*))?$/.exec(line) ?? [];
    last = name.toLowerCase();
    values.set(last, value.trim());
  }
  return Object.fromEntries(values);
}

function environmentLayer(environment: NodeJS.ProcessEnv): ConfigLayer {
  const values = Object.entries(environment)
    .filter(([name]) => name.startsWith(ENVIRONMENT_PREFIX))
    .map(([name, value]) => [name.slice(ENVIRONMENT_PREFIX.length).toLowerCase(), value ?? '']);
  return { where: `environment ${ENVIRONMENT_PREFIX}*`, values: Object.fromEntries(values) };
}

function packageLayer(file: string): ConfigLayer[] {
  const text = readText(file);
  if (text === undefined) return [];
  let settings: unknown;
  try {
    settings = (JSON.parse(text) as { microjoule?: unknown } | null)?.microjoule;
  } catch {
    // npm will complain about it; it is not our file.
    return [];
  }
  return settings === undefined
    ? []
    : [{ where: `"microjoule" of ${file}`, values: requireObject(settings, file) }];
}

function jsonLayer(file: string): ConfigLayer[] {
  const text = readText(file);
  if (text === undefined) return [];
  try {
    return [{ where: file, values: requireObject(JSON.parse(text.replace(/^\uFEFF/, '')), file) }];
  } catch (cause) {
    if (cause instanceof MicrojouleError) throw cause;
    throw new MicrojouleError('ERR_BAD_OPTION', `${file} is not valid JSON: ${(cause as Error).message}`, {
      hint: 'Correct it, or take it away.',
      cause,
    });
  }
}

function requireObject(value: unknown, file: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new MicrojouleError('ERR_BAD_OPTION', `the configuration in ${file} must be an object`, {
    hint: 'For example { "country": "FR" }.',
  });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new MicrojouleError('ERR_BAD_OPTION', `cannot read ${file} (${(error as Error).message})`, {
      hint: 'Make it readable, or take it away.',
      cause: error,
    });
  }
}
