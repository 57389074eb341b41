// SPDX-License-Identifier: MIT
//
// The main module's openMeter(), which loads the rest at its first call: importing the package stays cheap.
import { loadNow } from '../load.js';
import type { MeterOptions } from '../meter/options.js';
import type { RegionMeter } from './region-meter.js';
import type { RegionOptions } from './types.js';

/**
 * Opens every counter that can be read. What cannot be is listed with its reason: opening never fails for
 * reasons of hardware, privilege or a missing addon.
 * @throws MicrojouleError `ERR_BAD_OPTION`; `ERR_NOT_LOADED` while an import() of microjoule's modules is under way
 */
export function openMeter(options: MeterOptions & RegionOptions = {}): RegionMeter {
  return loadNow<typeof import('./region-meter.js')>('region/region-meter').openMeter(options);
}
