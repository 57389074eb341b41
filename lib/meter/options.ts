// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';

/** Where a meter looks for counters. A root stands for /sys or /dev itself, as containers mount them. */
export interface MeterOptions {
  /** Stands for `/sys`. Default: `MICROJOULE_SYSFS`, else `/sys`. */
  sysfs?: string;
  /** Stands for `/dev`. Default: `MICROJOULE_DEV`, else `/dev`. */
  dev?: string;
  /** Path of NVIDIA's library. Default: `MICROJOULE_NVML_LIBRARY`, else the system's. */
  nvmlLibrary?: string;
  /**
   * Reads GPUs, too, that sleep by run-time power management, as a laptop's do, which wakes them and keeps them awake.
   * Default: `MICROJOULE_WAKE_GPUS` (`1` or `true`), else they are left asleep until something else wakes them.
   */
  wakeGpus?: boolean;
  /**
   * Names of the sources to use, e.g. `['powercap']`. Default: all that the platform has but those that cost too much
   * for what they add; then each meter is read by one source alone, the first of perf, powercap and MSR that can.
   */
  sources?: readonly string[];
}

/** The compiler sees to it that none is forgotten. */
const NAMES: Record<keyof MeterOptions, true> = {
  sysfs: true,
  dev: true,
  nvmlLibrary: true,
  wakeGpus: true,
  sources: true,
};

/** What of some options concerns meters and was given. */
export function meterOptionsOf(options: MeterOptions): MeterOptions {
  const names = Object.keys(NAMES) as (keyof MeterOptions)[];
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

export interface ResolvedMeterOptions {
  sysfs: string;
  dev: string;
  nvmlLibrary: string;
  wakeGpus?: boolean;
  sources: readonly string[] | undefined;
}

function flag(name: keyof MeterOptions, value: unknown, variable: string): boolean {
  if (value === undefined) return /^(1|true|yes)$/i.test(process.env[variable] ?? '');
  if (typeof value === 'boolean') return value;
  throw new MicrojouleError('ERR_BAD_OPTION', `${name}: true or false expected, received ${String(value)}`, {
    hint: `Leave ${name} out, or set it to true.`,
  });
}

function path(name: keyof MeterOptions, value: unknown, variable: string, fallback: string): string {
  if (value === undefined) return process.env[variable] || fallback;
  if (typeof value === 'string' && value !== '') return value;
  throw new MicrojouleError('ERR_BAD_OPTION', `${name}: a path expected, received ${String(value)}`, {
    hint: `Leave ${name} out, or set it to the path that stands for ${fallback || "NVIDIA's library"}.`,
  });
}

/**
 * Fills in what was not given: argument, then environment variable, then the system's own place.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function resolveMeterOptions(options: MeterOptions = {}): ResolvedMeterOptions {
  const { sources } = options;
  if (
    sources !== undefined &&
    (!Array.isArray(sources) || sources.length === 0 || sources.some((s) => typeof s !== 'string'))
  ) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'sources: an array of at least one source name expected', {
      hint: "For example ['powercap', 'nvml'].",
    });
  }
  return {
    sysfs: path('sysfs', options.sysfs, 'MICROJOULE_SYSFS', '/sys'),
    dev: path('dev', options.dev, 'MICROJOULE_DEV', '/dev'),
    nvmlLibrary: path('nvmlLibrary', options.nvmlLibrary, 'MICROJOULE_NVML_LIBRARY', ''),
    wakeGpus: flag('wakeGpus', options.wakeGpus, 'MICROJOULE_WAKE_GPUS'),
    sources,
  };
}
