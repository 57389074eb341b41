// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { EmissionsTracker, type TrackerOptions } from './tracker.js';

export interface OfflineTrackerOptions extends Omit<TrackerOptions, 'emissionsEndpoint' | 'timeZone'> {
  /** ISO 3166-1 alpha-3, e.g. `FRA`: the option `country`, as CodeCarbon calls it. Stronger than the next two. */
  countryIsoCode?: string | undefined;
  /** ISO 3166-1 alpha-2, e.g. `FR`: likewise. */
  country2LetterIsoCode?: string | undefined;
}

/**
 * An {@link EmissionsTracker} that is told where it is. That one does not ask the network either, but takes the country from
 * the time zone; this one guesses nothing and sends nothing, whatever the configuration says.
 */
export class OfflineEmissionsTracker extends EmissionsTracker {
  /**
   * @throws MicrojouleError `ERR_BAD_OPTION` unless options or configuration give a country, a cloud region or a carbon
   * intensity; and as {@link EmissionsTracker}
   */
  constructor(options: OfflineTrackerOptions = {}) {
    const { countryIsoCode, country2LetterIsoCode, country, ...rest } = options;
    super({
      ...rest,
      country: countryIsoCode ?? country2LetterIsoCode ?? country,
      emissionsEndpoint: '',
      // Nobody's: a region that is not known is not replaced by the time zone's country.
      timeZone: 'Etc/UTC',
    });
    const { country: settled, cloud, intensityGramsPerKwh } = this.settledOptions;
    const cloudRegion = this.settledOptions.cloudRegion ?? cloud?.evidence?.region;
    if (settled === undefined && cloudRegion === undefined && intensityGramsPerKwh === undefined) {
      throw new MicrojouleError('ERR_BAD_OPTION', 'an OfflineEmissionsTracker must be told where it is', {
        hint: "For example new OfflineEmissionsTracker({ countryIsoCode: 'FRA' }), or cloudProvider and cloudRegion.",
      });
    }
  }
}
