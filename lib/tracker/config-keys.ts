// SPDX-License-Identifier: MIT
//
// What the keys of a configuration set here. CodeCarbon's are those of its version 3.3.
import { isAbsolute, join } from 'node:path';
import { findCountry } from '../carbon/countries.js';
import { MicrojouleError } from '../core/errors.js';
import type { Warning } from '../core/vocabulary.js';
import { asHttpUrl } from './http-url.js';
import {
  CODECARBON_KEYS,
  type ConfigOptions,
  HARMLESS,
  hintFor,
  isOutputKey,
  type OutputKey,
  OWN_KEYS,
  SAME,
  type ValueType,
  WITHOUT_EFFECT,
} from './option-names.js';

/** One place of configuration: `where` names it in messages. */
export interface ConfigLayer {
  where: string;
  values: Readonly<Record<string, unknown>>;
}

export interface Settled {
  options: ConfigOptions;
  warnings: Warning[];
}

type Output = Partial<Record<OutputKey, string>>;

/**
 * The options of CodeCarbon's layers and then of ours, the later the stronger. Unknown keys become warnings.
 * @throws MicrojouleError `ERR_BAD_OPTION` for a value of the wrong type
 */
export function settleConfig(codecarbon: readonly ConfigLayer[], own: readonly ConfigLayer[]): Settled {
  const warnings: Warning[] = [];
  const output: Output = {};
  let options: ConfigOptions = {};
  for (const layer of codecarbon) options = override(options, fromCodecarbon(layer, output, warnings));
  options = { ...options, ...outputOption(output) };
  for (const layer of own) options = override(options, fromOwn(layer, warnings));
  return { options, warnings };
}

/**
 * `base` under `stronger`, of which `undefined` is not given. What only makes sense beside a weaker value goes with it
 * where that one is another: a region is one of its own country.
 */
export function override<T extends ConfigOptions>(base: ConfigOptions, stronger: T): T {
  const given: Partial<ConfigOptions> = Object.fromEntries(
    Object.entries(stronger).filter(([, value]) => value !== undefined),
  );
  const kept = { ...base };
  const { country, cloudProvider, intensityGramsPerKwh, cpuWatts, cpuFullWatts } = given;
  if (country !== undefined && kept.region !== undefined && !isSameCountry(country, kept.country)) {
    delete kept.region;
  }
  if (cloudProvider !== undefined && !isSameName(cloudProvider, kept.cloudProvider)) delete kept.cloudRegion;
  if (intensityGramsPerKwh !== undefined && intensityGramsPerKwh !== kept.intensityGramsPerKwh) {
    delete kept.intensityUncertaintyGramsPerKwh;
  }
  // Two models of one CPU.
  if (cpuWatts !== undefined) delete kept.cpuFullWatts;
  if (cpuFullWatts !== undefined) delete kept.cpuWatts;
  return { ...kept, ...given } as T;
}

function isSameName(one: unknown, other: unknown): boolean {
  return String(one).toLowerCase() === String(other).toLowerCase();
}

function isSameCountry(one: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  try {
    return findCountry(one).alpha3 === findCountry(other).alpha3;
  } catch {
    // What is no country is an error later, if it is used.
    return false;
  }
}

function fromCodecarbon({ where, values }: ConfigLayer, output: Output, warnings: Warning[]): ConfigOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const text = String(value);
    const same = Object.hasOwn(SAME, name) ? SAME[name] : undefined;
    if (name === 'save_to_file') output[name] = text;
    // Python's word for "none", which people write into these files.
    else if (text === '' || text === 'None') continue;
    else if (same === 'emissionsEndpoint') options[same] = endpointOf(text, where, name, warnings);
    else if (same !== undefined) options[same] = fromText(text, OWN_KEYS[same], where, name);
    else if (isOutputKey(name)) {
      output[name] = text;
      const unused = name === 'output_methods' ? methodsOf(text).filter((one) => one !== 'csv') : [];
      if (unused.length > 0) warnings.push(unusedKey(name, where, ` for ${unused.join(', ')}`));
    } else if (!WITHOUT_EFFECT.has(name)) warnings.push(unknownKey(name, where, CODECARBON_KEYS));
    else if (!HARMLESS.has(name)) warnings.push(unusedKey(name, where));
  }
  return options as ConfigOptions;
}

/** CodeCarbon fails to send to what is no URL, as `localhost:7777` of its documentation, and measures all the same. */
function endpointOf(text: string, where: string, name: string, warnings: Warning[]): string {
  if (asHttpUrl(text) !== undefined) return text;
  warnings.push({
    code: 'config-endpoint-unused',
    message: `${where}: "${name}" does not begin with http:// or https://, so nothing is sent there.`,
    hint: 'For example http://localhost:7777.',
  });
  return '';
}

/** `csv, api`, or the list as Python writes it. */
function methodsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** As there: `output_methods` is stronger than `save_to_file`, of which all but `true` is false. */
function outputOption({ output_dir, output_file, output_methods, save_to_file }: Output): ConfigOptions {
  const saves =
    output_methods === undefined
      ? save_to_file === undefined || save_to_file.toLowerCase() === 'true'
      : methodsOf(output_methods).includes('csv');
  if (!saves) return { output: [] };
  if (output_dir === undefined && output_file === undefined) return {};
  const name = output_file ?? 'emissions.csv';
  const file = isAbsolute(name) ? name : join(output_dir ?? '.', name);
  // It is a CSV there, whatever its name.
  return { output: /\.csv$/i.test(file) ? file : { file, format: 'csv' } };
}

function fromOwn({ where, values }: ConfigLayer, warnings: Warning[]): ConfigOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const type = Object.hasOwn(OWN_KEYS, name) ? OWN_KEYS[name as keyof ConfigOptions] : undefined;
    if (type === undefined) warnings.push(unknownKey(name, where, Object.keys(OWN_KEYS)));
    else options[name] = ofType(value, type, where, name);
  }
  return options as ConfigOptions;
}

function unknownKey(name: string, where: string, known: readonly string[]): Warning {
  return {
    code: 'config-key-unknown',
    message: `${where}: unknown key "${name}".`,
    hint: hintFor(name, known),
  };
}

function unusedKey(name: string, where: string, forWhat = ''): Warning {
  return {
    code: 'config-key-unused',
    message: `${where}: "${name}" has no effect in microjoule${forWhat}.`,
  };
}

function fromText(text: string, type: ValueType, where: string, name: string): unknown {
  return ofType(type === 'number' && text.trim() !== '' ? Number(text) : text, type, where, name);
}

function ofType(value: unknown, type: ValueType, where: string, name: string): unknown {
  const isText = typeof value === 'string';
  const fits =
    type === 'number'
      ? typeof value === 'number' && Number.isFinite(value)
      : isText || (type === 'texts' && Array.isArray(value) && value.every((one) => typeof one === 'string'));
  if (fits) return value;
  const expected = { text: 'text', number: 'a number', texts: 'text or a list of texts' }[type];
  throw new MicrojouleError('ERR_BAD_OPTION', `${where}: "${name}" must be ${expected}.`, {
    hint: `Correct "${name}" there, or take it out.`,
  });
}
