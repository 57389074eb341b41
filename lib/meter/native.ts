// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Domain, Status } from '../core/vocabulary.js';
import { canHaveAddon } from './elsewhere.js';
import type { ResolvedMeterOptions } from './options.js';

/** A counter as its source describes it. Ticks times scaleNumerator / scaleDenominator are joules. */
export interface NativeCounter {
  id: string;
  domain: Domain;
  device: number;
  die?: number;
  origin: string;
  deviceName?: string;
  pciAddress?: string;
  kind: 'energy' | 'power';
  scaleNumerator: bigint;
  scaleDenominator: bigint;
  /** The hardware's own range in ticks; 0 where it never wraps or is not known. Wraps are extended natively. */
  modulusTicks: bigint;
  clock: 'reader' | 'device';
  /** Reading it may take milliseconds. */
  blocking: boolean;
  updatePeriodNs?: number;
  /** Stands for a whole device of which not even the channels are known: a package may be among them. */
  unknownContent?: true;
  /** Its count starts when the meter opens; otherwise it is the hardware's own. */
  fromOpen: boolean;
  /** How its energy comes about, where it is not the hardware's own count that is told at open. */
  method?: string;
  status: Status;
  detail: string;
}

export interface NativeSource {
  source: string;
  status: Status;
  detail: string;
  counters: NativeCounter[];
}

/** @param slowFirst slow sources first, as a region should start */
export type ReadNative = (slowFirst?: boolean) => void;

/** What was learned of a counter since the meter was opened. What is not known is absent. */
export interface CounterTiming {
  /** Between two updates. */
  updatePeriodNs?: number;
  /** From what a value stands for to when it can be read. */
  lagNs?: number;
  /** Of asking the device once, on the thread that does. */
  readCostNs?: number;
  method?: string;
  /** The period is no longer than that: the device cannot be asked more often. */
  isLongestPeriod?: true;
  /** The count, and its own time then, since it can be read without a gap; absent: all along. */
  resumedTicks?: bigint;
  resumedNs?: bigint;
  /** The count of breaks at the last one after which more is unknown than what a gap hid. */
  jumpBreakCount?: number;
}

/** A device beside its counters. What is not known is absent. */
export interface Device {
  /** As its counters have it. */
  device: number;
  name?: string;
  uuid?: string;
  pciAddress?: string;
  driverVersion?: string;
  /** The limit that is enforced. */
  powerLimitWatts?: number;
  memoryTotalGib?: number;
  memoryUsedGib?: number;
  /** Parts that it is divided into (MIG), which have no counters of their own. */
  instanceCount?: number;
  /** Time since open in which its utilisation was watched, and how much of that it was busy. */
  watchedSeconds: number;
  busySeconds: number;
}

export interface NativeMeter {
  readonly words: number;
  sources(): NativeSource[];
  /** Gives the function that reads all counters into the buffer. It works until close, or while the meter is held. */
  bind(words: BigUint64Array): ReadNative;
  explain(counter: number): string;
  timing(counter: number): CounterTiming;
  devices(): Device[];
  close(): void;
}

/** What a counter's own updates tell of it. What is not known is absent. */
export interface CounterCalibration {
  /** On so many updates it rests: the latest, at most 256. */
  updateCount: number;
  /** Between two updates. */
  periodNs?: number;
  /** Standard uncertainty of the period; wider where few updates tell it. */
  periodUncertaintyNs?: number;
  /** Of the updates, the part whose time was not seen as well as others', because the thread was kept from reading. */
  heldUpRatio?: number;
  /** Standard deviation of one update's time, freed of what reading adds. */
  jitterNs?: number;
  /** Within which the time of an update is known: median of upper less lower. */
  bracketNs?: number;
  /** The greatest step of which all steps were multiples. */
  quantumTicks?: bigint;
  /** What reading all counters of its source in this package costs. */
  readMedianNs?: number;
  readP99Ns?: number;
}

/** What was known of a counter before it was opened. */
export interface KnownCalibration {
  id: string;
  updateCount: number;
  periodNs: number;
  periodUncertaintyNs: number;
  jitterNs: number;
  heldUpRatio: number;
  bracketNs: number;
  quantumTicks?: bigint;
}

/** A counter that is sampled. Counts are since it was opened, and at most a twentieth of a second old. */
export interface NativeSampledCounter extends NativeCounter {
  source: string;
  /** Index of the thread that reads it. */
  thread: number;
  /** Read at the fixed rate, all the time for a while, when an update is due, or to find out when one is. */
  mode: 'sparse' | 'calibrating' | 'tracking' | 'searching';
  calibration: CounterCalibration;
  /** Updates that were recorded. */
  seenCount: number;
  /** Those that were due but not seen, or did not move the count. */
  missedCount: number;
  /**
   * Records that could not say how many were missed before them (flag `unsure`). Where none of them is `uncounted`, seenCount
   * and missedCount add up to the updates that were due until the last record that is sure.
   */
  unsureCount: number;
  gapCount: number;
  breakCount: number;
  failedReadCount: number;
  /** How often the prediction had to be found anew. */
  lostLockCount: number;
}

export interface SamplerThread {
  /** The CPU package that it samples. */
  package: number;
  running: boolean;
  /** What it could not have, such as to stay on its package's CPUs; empty when all is well. */
  detail: string;
  /** CPU time that it used. */
  cpuNs: number;
  readCount: number;
  sleepCount: number;
  /** Reads at the fixed rate that were left out, as the one before came so late. */
  oversleptCount: number;
  recordCount: number;
}

export interface NativeSampler {
  start(): void;
  stop(): void;
  calibrate(): void;
  counters(): NativeSampledCounter[];
  threads(): SamplerThread[];
  /** Gives the function that moves new records into the buffer. It works until close or the next bind. */
  bind(words: BigUint64Array): () => number;
  close(): void;
}

export interface NativeSamplerOptions extends ResolvedMeterOptions {
  /** From 1 to 10,000; 1000 by default. */
  rateHz?: number;
  track?: boolean;
  /** Of counters that this process has not calibrated itself. */
  known?: readonly KnownCalibration[];
}

export interface ChildUsage {
  userCpuSeconds: number;
  systemCpuSeconds: number;
}

export interface NativeAddon {
  NativeMeter: new (options: ResolvedMeterOptions) => NativeMeter;
  NativeSampler: new (options: NativeSamplerOptions) => NativeSampler;
  childUsage(): ChildUsage | undefined;
  readonly statuses: readonly Status[];
  readonly sourceNames: readonly string[];
  readonly headerWords: number;
  readonly counterWords: number;
  readonly sampleHeaderWords: number;
  readonly sampleRecordWords: number;
}

/** The addon, or why there is none. */
export type AddonResult = { addon: NativeAddon } | { addon: undefined; detail: string };

let loaded: AddonResult | undefined;

function reason(error: unknown): string {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const place = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
  if (!canHaveAddon(process.platform)) {
    return `no native addon for ${place}: it is written for Linux, macOS and Windows; everything is estimated here`;
  }
  const remedies = [
    `install a compiler (C++17, Python 3, make) and run: npm rebuild microjoule`,
    `if install scripts are switched off, allow microjoule's or run: npx node-gyp-build in its folder`,
  ];
  if (process.execArgv.includes('--no-addons') || process.env.NODE_OPTIONS?.includes('--no-addons')) {
    remedies.unshift('start Node without --no-addons');
  }
  return `no native addon for ${place} (${message}), so no hardware counter can be read; ${remedies.join('; ')}`;
}

interface Loader {
  (root: string): NativeAddon;
  /** The file that it would load. */
  path(root: string): string;
}

function loader(): { load: Loader; root: string } {
  const require = createRequire(import.meta.url);
  const load = require('node-gyp-build') as Loader;
  return { load, root: fileURLToPath(new URL('../..', import.meta.url)) };
}

/** The file of the addon; undefined where none was loaded. */
export function addonPath(): string | undefined {
  if (loadAddon().addon === undefined) return undefined;
  const { load, root } = loader();
  return load.path(root);
}

/** Loads the addon at the first call: a prebuilt binary or one compiled at install. Never throws. */
export function loadAddon(): AddonResult {
  if (loaded !== undefined) return loaded;
  try {
    const { load, root } = loader();
    loaded = { addon: load(root) };
  } catch (error) {
    loaded = { addon: undefined, detail: reason(error) };
  }
  return loaded;
}

/** Names of all sources that this platform has, those included that are only used when named; none without the addon. */
export function sourceNames(): readonly string[] {
  return loadAddon().addon?.sourceNames ?? [];
}

/**
 * CPU time in seconds of all finished children of this process, their children included. Undefined where the
 * operating system does not keep it, or without the addon.
 */
export function childCpuTimes(): ChildUsage | undefined {
  return loadAddon().addon?.childUsage();
}
