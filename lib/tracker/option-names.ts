// SPDX-License-Identifier: MIT
//
// What options are called here and in CodeCarbon, and what to say of a name that is neither.
import { nearest } from '../core/nearest.js';
import type { Warning } from '../core/vocabulary.js';
import type { TrackerOptions } from './tracker.js';

/** What no file can hold, or no file should. */
const ARGUMENTS_ONLY = {
  meter: true,
  model: true,
  timeZone: true,
  handleSignals: true,
  onMeasure: true,
  powerSeries: true,
  runId: true,
  sysfs: true,
  dev: true,
  nvmlLibrary: true,
  sources: true,
  runFolder: true,
  cloud: true,
  wakeGpus: true,
} satisfies Partial<Record<keyof TrackerOptions, true>>;

/** What a configuration may set. */
export type ConfigOptions = Omit<TrackerOptions, keyof typeof ARGUMENTS_ONLY>;

export type ValueType = 'text' | 'number' | 'texts';

export const OWN_KEYS: Readonly<Record<keyof ConfigOptions, ValueType>> = {
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
export const SAME: Readonly<Record<string, keyof ConfigOptions>> = {
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
export type OutputKey = (typeof OUTPUT_KEYS)[number];

/** CodeCarbon's other keys: known, and without a counterpart, which is worth a word once. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  `api_call_interval api_endpoint api_key save_to_api save_to_logger save_to_prometheus save_to_logfire logging_logger
  prometheus_url output_handlers gpu_ids electricitymaps_api_token co2_signal_api_token log_level logger_preamble
  force_ram_power force_mode_cpu_load allow_multiple_runs rapl_include_dram rapl_prefer_psys organization_id project_id
  telemetry_level`.split(/\s+/),
);
/** Of those, the ones that change no number and no file when they are left out. */
export const HARMLESS: ReadonlySet<string> = new Set(
  'log_level logger_preamble allow_multiple_runs organization_id project_id telemetry_level'.split(' '),
);

/** All that a configuration of CodeCarbon's may have. */
export const CODECARBON_KEYS: readonly string[] = [...Object.keys(SAME), ...OUTPUT_KEYS, ...WITHOUT_EFFECT];

export function isOutputKey(name: string): name is OutputKey {
  return (OUTPUT_KEYS as readonly string[]).includes(name);
}

/** What to do about a name that is not among `known`. */
export function hintFor(name: string, known: readonly string[]): string {
  // `countryIsoCode` is `country_iso_code` to whoever comes from there.
  const theirs = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const ours = isOutputKey(theirs) ? 'output' : Object.hasOwn(SAME, theirs) ? SAME[theirs] : undefined;
  if (ours !== undefined && known.includes(ours)) return `CodeCarbon's "${theirs}" is "${ours}" here.`;
  if (WITHOUT_EFFECT.has(theirs)) return `CodeCarbon's "${theirs}" has no effect in microjoule: take it out.`;
  const meant = nearest(name, known, 3);
  return meant.length === 0 ? 'Correct it or take it out.' : `Nearest known names: ${meant.join(', ')}.`;
}

/** A warning for each option of a tracker that there is none of. */
export function unknownOptions(options: object): Warning[] {
  const known = [...Object.keys(OWN_KEYS), ...Object.keys(ARGUMENTS_ONLY)];
  return Object.entries(options)
    .filter(([name, value]) => value !== undefined && !known.includes(name))
    .map(([name]) => ({
      code: 'option-unknown',
      message: `A tracker has no option "${name}": it was not used.`,
      hint: hintFor(name, known),
    }));
}
