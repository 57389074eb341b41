// SPDX-License-Identifier: MIT
//
// Which keys configuration has, and what they mean here. CodeCarbon's are those of its version 3.3.
import { join } from 'node:path';
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { Warning } from '../core/vocabulary.js';
import type { TrackerOptions } from './tracker.js';

/** What a configuration may set: whatever a file can hold. */
export type ConfigOptions = Omit<
  TrackerOptions,
  | 'meter'
  | 'model'
  | 'timeZone'
  | 'handleSignals'
  | 'onMeasure'
  | 'powerSeries'
  | 'runId'
  | 'sysfs'
  | 'dev'
  | 'nvmlLibrary'
  | 'sources'
  | 'runFolder'
  | 'wakeGpus'
>;

/** One place of configuration: `where` names it in messages. */
export interface ConfigLayer {
  where: string;
  values: Readonly<Record<string, unknown>>;
}

export interface Settled {
  options: ConfigOptions;
  warnings: Warning[];
}

type Type = 'text' | 'number' | 'texts';

const OWN_KEYS: Readonly<Record<keyof ConfigOptions, Type>> = {
  projectName: 'text',
  experimentId: 'text',
  experimentName: 'text',
  trackingMode: 'text',
  onCsvWrite: 'text',
  emissionsEndpoint: 'text',
  measureEverySeconds: 'number',
  output: 'texts',
  modelCard: 'text',
  country: 'text',
  region: 'text',
  intensityGramsPerKwh: 'number',
  intensityUncertaintyGramsPerKwh: 'number',
  cloudProvider: 'text',
  cloudRegion: 'text',
  pue: 'number',
  wue: 'number',
  embodiedKg: 'number',
  lifespanYears: 'number',
  reservedRatio: 'number',
  reservedSeconds: 'number',
  functionalUnit: 'text',
  unitCount: 'number',
  cpuWatts: 'number',
  cpuFullWatts: 'number',
  ramWattsPerGib: 'number',
  ramModel: 'text',
  flushSeconds: 'number',
};

/** CodeCarbon's keys that mean the same as one of ours. */
const SAME: Readonly<Record<string, keyof ConfigOptions>> = {
  project_name: 'projectName',
  experiment_id: 'experimentId',
  experiment_name: 'experimentName',
  tracking_mode: 'trackingMode',
  on_csv_write: 'onCsvWrite',
  emissions_endpoint: 'emissionsEndpoint',
  measure_power_secs: 'measureEverySeconds',
  country_iso_code: 'country',
  country_2letter_iso_code: 'country',
  region: 'region',
  cloud_provider: 'cloudProvider',
  cloud_region: 'cloudRegion',
  force_carbon_intensity_g_co2e_kwh: 'intensityGramsPerKwh',
  force_cpu_power: 'cpuFullWatts',
  pue: 'pue',
  wue: 'wue',
};

/** Keys that say where the CSV goes, and whether. */
const OUTPUT_KEYS = ['output_dir', 'output_file', 'output_methods', 'save_to_file'] as const;
type Output = Partial<Record<(typeof OUTPUT_KEYS)[number], string>>;

/** CodeCarbon's other keys: known, and without a counterpart, which is worth a word once. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  `api_call_interval api_endpoint api_key save_to_api save_to_logger save_to_prometheus save_to_logfire logging_logger
  prometheus_url output_handlers gpu_ids electricitymaps_api_token co2_signal_api_token log_level logger_preamble
  force_ram_power force_mode_cpu_load allow_multiple_runs rapl_include_dram rapl_prefer_psys`.split(/\s+/),
);
/** Of those, the ones that change no number and no file when they are left out. */
const HARMLESS: ReadonlySet<string> = new Set('log_level logger_preamble allow_multiple_runs'.split(' '));

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
 * `base` under `stronger`, of which `undefined` is not given. What only makes sense beside a weaker value goes with it: a
 * region is one of its own country.
 */
export function override<T extends ConfigOptions>(base: ConfigOptions, stronger: T): T {
  const given = Object.fromEntries(Object.entries(stronger).filter(([, value]) => value !== undefined));
  const kept = { ...base };
  if (given.country !== undefined) delete kept.region;
  if (given.cloudProvider !== undefined) delete kept.cloudRegion;
  if (given.intensityGramsPerKwh !== undefined) delete kept.intensityUncertaintyGramsPerKwh;
  // Two models of one CPU.
  if (given.cpuWatts !== undefined) delete kept.cpuFullWatts;
  if (given.cpuFullWatts !== undefined) delete kept.cpuWatts;
  return { ...kept, ...given } as T;
}

function fromCodecarbon({ where, values }: ConfigLayer, output: Output, warnings: Warning[]): ConfigOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const same = Object.hasOwn(SAME, name) ? SAME[name] : undefined;
    // Python's word for "none", which people write into these files.
    if (value === '' || value === 'None') continue;
    if (same !== undefined) options[same] = fromText(String(value), OWN_KEYS[same], where, name);
    else if (isOutputKey(name)) {
      output[name] = String(value);
      const unused = name === 'output_methods' ? methodsOf(String(value)).filter((one) => one !== 'csv') : [];
      if (unused.length > 0) {
        warnings.push({
          code: 'config-key-unused',
          message: `${where}: "${name}" has no effect in microjoule for ${unused.join(', ')}.`,
        });
      }
    } else if (!WITHOUT_EFFECT.has(name)) {
      warnings.push(unknown(name, where, [...Object.keys(SAME), ...OUTPUT_KEYS, ...WITHOUT_EFFECT]));
    } else if (!HARMLESS.has(name)) {
      warnings.push({
        code: 'config-key-unused',
        message: `${where}: "${name}" has no effect in microjoule.`,
      });
    }
  }
  return options as ConfigOptions;
}

/** `csv, api`, or the list as Python writes it. */
function methodsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

function outputOption({ output_dir, output_file, output_methods, save_to_file }: Output): ConfigOptions {
  if (save_to_file?.toLowerCase() === 'false') return { output: [] };
  if (output_methods !== undefined && !methodsOf(output_methods).includes('csv')) return { output: [] };
  if (output_dir === undefined && output_file === undefined) return {};
  return { output: join(output_dir ?? '.', output_file ?? 'emissions.csv') };
}

function isOutputKey(name: string): name is keyof Output {
  return (OUTPUT_KEYS as readonly string[]).includes(name);
}

function fromOwn({ where, values }: ConfigLayer, warnings: Warning[]): ConfigOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const type = Object.hasOwn(OWN_KEYS, name) ? OWN_KEYS[name as keyof ConfigOptions] : undefined;
    if (type === undefined) warnings.push(unknown(name, where, Object.keys(OWN_KEYS)));
    else options[name] = ofType(value, type, where, name);
  }
  return options as ConfigOptions;
}

function unknown(name: string, where: string, known: readonly string[]): Warning {
  const meant = nearest(name, known, 3);
  return {
    code: 'config-key-unknown',
    message: `${where}: unknown key "${name}".`,
    hint: meant.length === 0 ? 'Correct it or take it out.' : `Nearest known keys: ${meant.join(', ')}.`,
  };
}

function fromText(text: string, type: Type, where: string, name: string): unknown {
  return ofType(type === 'number' && text.trim() !== '' ? Number(text) : text, type, where, name);
}

function ofType(value: unknown, type: Type, where: string, name: string): unknown {
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
