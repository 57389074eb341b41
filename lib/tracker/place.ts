// SPDX-License-Identifier: MIT
import { type CloudOptions, describeCloud } from '../carbon/cloud.js';
import { type IntensityOptions, resolveIntensity } from '../carbon/intensity.js';
import { type LocationOptions, resolveLocation } from '../carbon/location.js';
import type { Intensity, Location } from '../core/report-types.js';

/**
 * Where the machine is and how clean its electricity, as reports have it. Nothing here touches the network.
 * @throws MicrojouleError `ERR_UNKNOWN_COUNTRY`, `ERR_UNKNOWN_REGION`, `ERR_BAD_OPTION`
 */
export function resolvePlace(options: LocationOptions & IntensityOptions & CloudOptions = {}): {
  location: Location;
  intensity: Intensity;
} {
  const location = resolveLocation(options, describeCloud(options));
  return { location, intensity: resolveIntensity(location, options) };
}
