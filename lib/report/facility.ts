// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { formatSignificant } from '../core/numbers.js';
import type { Facility, TotalEnergy } from '../core/report-types.js';

/** What only the operator of the building knows. */
export interface FacilityOptions {
  /** Power usage effectiveness, at least 1. Default: not applied. */
  pue?: number | undefined;
  /** Water usage effectiveness, in litres per kWh of the machine, at least 0. Default: not applied. */
  wue?: number | undefined;
}

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkFacilityOptions({ pue, wue }: FacilityOptions): void {
  check(
    'pue',
    pue,
    1,
    'A PUE is the energy of the whole building over that of its machines: 1.1 to 1.6, mostly.',
  );
  check('wue', wue, 0, 'A WUE is in litres of water per kWh.');
}

/** The facility's share, or nothing when the user gave no factor. */
export function facilityOf({ pue, wue }: FacilityOptions, energy: TotalEnergy): Facility | undefined {
  if (pue === undefined && wue === undefined) return undefined;
  const pueRatio = pue ?? 1;
  const given = [
    ...(pue === undefined ? [] : [`a PUE of ${formatSignificant(pue)}`]),
    ...(wue === undefined ? [] : [`a WUE of ${formatSignificant(wue)} L/kWh`]),
  ];
  return {
    kind: 'assumed',
    source: 'user',
    method: 'energy of the machine times the factor',
    detail: `The user gave ${given.join(' and ')}.`,
    pueRatio,
    facilityKwh: energy.energyKwh * pueRatio,
    ...(wue === undefined ? {} : { wueLitresPerKwh: wue, waterLitres: energy.energyKwh * wue }),
  };
}

function check(name: string, value: number | undefined, lowest: number, hint: string): void {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= lowest)) return;
  throw new MicrojouleError(
    'ERR_BAD_OPTION',
    `${name} must be a number of at least ${lowest}, but is ${String(value)}.`,
    { hint },
  );
}
