// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';
import type { EnergyEstimate } from '../precision/types.js';

/** What one counter says of a region. */
export interface CounterEnergy {
  /** Of the counter, as in {@link Meter.counters}. */
  id: string;
  source: string;
  domain: Domain;
  device: number;
  die?: number;
  status: Status;
  /** Why there is no energy; a remark, or empty, when `status` is `ok`. */
  detail: string;
  /** The first counter of those that read the same meter; its own id where it is the first. */
  meter: string;
  inTotal: boolean;
  /** Why it is not in the total; empty when it is. */
  apart: string;
  /** Absent unless `status` is `ok`. */
  energy?: EnergyEstimate;
}

/**
 * The energy of a region: the total over all counters that do not overlap, and what each counter says. It is the
 * machine's, whatever else ran on it, idle power included.
 */
export interface RegionEnergy extends EnergyEstimate {
  name: string;
  kind: 'measured';
  /** The sources that the total is from. */
  sources: string[];
  durationSeconds: number;
  counters: CounterEnergy[];
  /** What belongs into the total and could not be read, counters and devices: it is "at least" this much. */
  missing: string[];
}

/** How to look for counters, and how often to read those whose updates are not followed. */
export interface RegionOptions {
  /**
   * Reads a second of counters that update too slowly, or too fast, for their updates to be followed, 1 to 10,000.
   * Default 1000. Millisecond counters are read when an update is due, whatever this says.
   */
  rateHz?: number;
}
