// SPDX-License-Identifier: MIT

/** What became of one attempt to use a source or read a counter. Anything but `ok` has no energy. */
export type Status =
  | 'ok'
  | 'not-found'
  | 'no-permission'
  | 'masked'
  | 'virtualised'
  | 'not-supported'
  | 'stale'
  | 'implausible'
  | 'failed'
  | 'addon-missing';

/** Which part of the machine a counter meters. `gpu` is a board; a die is a package with a die number. */
export type Domain =
  | 'package'
  | 'core'
  | 'uncore'
  | 'dram'
  | 'psys'
  | 'gpu'
  | 'gpu-memory'
  | 'module'
  | 'other';

/** How a value came to be: read from a counter, computed by a model, taken from a default or the user, or not at all. */
export type Kind = 'measured' | 'estimated' | 'assumed' | 'absent';

/** Where a value came from. Stands beside every value of a report. */
export interface Provenance {
  kind: Kind;
  /** The counter source, data set or model, e.g. `powercap`, `Electricity Maps`, `ram-watts-per-gib`. */
  source: string;
  /** How the value was derived from that source, in a few words. */
  method: string;
  /** One sentence for a reader who doubts the value; for `absent`, the reason. */
  detail: string;
}

/** Something a reader of the result must know. `hint` says what to do about it. */
export interface Warning {
  /** Stable, kebab-case. Match on this. */
  code: string;
  message: string;
  hint?: string;
}
