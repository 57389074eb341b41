// SPDX-License-Identifier: MIT

/** Exact: 1 kWh = 1000 W x 3600 s. */
export const JOULES_PER_KWH = 3_600_000;
/** Julian year, the astronomical and IUPAC convention: 365.25 d x 86,400 s. */
export const SECONDS_PER_YEAR = 31_557_600;
export const GRAMS_PER_KG = 1000;
/** 2^30. Memory is counted in GiB throughout; other trackers print GiB and call them GB. */
export const BYTES_PER_GIB = 1_073_741_824;
export const MICROWATTS_PER_WATT = 1_000_000;
export const NANOSECONDS_PER_SECOND = 1_000_000_000;

/** Energy in kWh of an energy in joules. */
export function joulesToKwh(energyJoules: number): number {
  return energyJoules / JOULES_PER_KWH;
}
