// SPDX-License-Identifier: MIT
//
// Configuration from files and environment. The weakest first: ~/.codecarbon.config, ./.codecarbon.config, CODECARBON_*,
// "microjoule" of ./package.json, ./microjoule.config.json; arguments are stronger than all of them.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import type { Warning } from '../core/vocabulary.js';
import { type ConfigLayer, type Settled, settleConfig } from './config-keys.js';
import { parseIni } from './ini.js';

const CODECARBON_FILE = '.codecarbon.config';
const CODECARBON_SECTION = 'codecarbon';
const ENVIRONMENT_PREFIX = 'codecarbon_';
const OWN_FILE = 'microjoule.config.json';

/**
 * What the files of `folder` (default: the working directory), of the home directory and the environment set.
 * @throws MicrojouleError `ERR_BAD_OPTION` for a file that cannot be read as what it is, and for values of wrong types
 */
export function loadConfig(folder: string = process.cwd()): Settled {
  const found: Warning[] = [];
  const local = join(folder, CODECARBON_FILE);
  const codecarbon = [...homeLayer(local, found), ...iniLayer(local, found), environmentLayer(process.env)];
  const own = [...packageLayer(join(folder, 'package.json')), ...jsonLayer(join(folder, OWN_FILE))];
  const { options, warnings } = settleConfig(codecarbon, own);
  return { options, warnings: [...found, ...warnings] };
}

/** A home that is not there, or another user's, as in containers, is no reason not to work. */
function homeLayer(local: string, warnings: Warning[]): ConfigLayer[] {
  let file: string;
  try {
    file = join(os.homedir(), CODECARBON_FILE);
  } catch {
    // A user without a home has no file there.
    return [];
  }
  if (file === local) return [];
  try {
    return iniLayer(file, warnings);
  } catch (error) {
    const { message, hint } = error as MicrojouleError;
    warnings.push({
      code: 'config-unreadable',
      message: `${message}: what it may set is not used.`,
      ...(hint === undefined ? {} : { hint }),
    });
    return [];
  }
}

function iniLayer(file: string, warnings: Warning[]): ConfigLayer[] {
  const text = readText(file);
  if (text === undefined) return [];
  const values = parseIni(text, CODECARBON_SECTION);
  if (values !== undefined) return [{ where: file, values }];
  warnings.push({
    code: 'config-section-missing',
    message: `${file} has no section [${CODECARBON_SECTION}]: nothing in it is used.`,
    hint: `Put [${CODECARBON_SECTION}] on a line of its own above the keys.`,
  });
  return [];
}

/** CodeCarbon reads the variables in either case. */
function environmentLayer(environment: NodeJS.ProcessEnv): ConfigLayer {
  const values = Object.entries(environment)
    .map(([name, value]) => [name.toLowerCase(), value ?? ''] as const)
    .filter(([name]) => name.startsWith(ENVIRONMENT_PREFIX))
    .map(([name, value]) => [name.slice(ENVIRONMENT_PREFIX.length), value.replaceAll('%%', '%')]);
  return { where: 'environment CODECARBON_*', values: Object.fromEntries(values) };
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
