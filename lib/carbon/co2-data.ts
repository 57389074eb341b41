// SPDX-License-Identifier: MIT

/** What `@tgwf/co2/data` exports, as far as it is used. The package carries no types of its own. */
export interface Co2Data {
  averageIntensity: {
    /** Ember, gCO2e/kWh by ISO 3166-1 alpha-3, beside aggregates such as `WORLD`. 0 means no value. */
    data: Readonly<Record<string, number>>;
  };
}

/** One zone of one year of Electricity Maps. */
export interface ElectricityMapsZone {
  zone: {
    zoneName: string;
    /** Only on some zones, and not always an ISO name (`USA`). */
    countryName?: string;
    /** A shorter name where the full one is long. */
    displayName?: string;
  };
  carbonIntensity: { value: number; unit: string };
}

/** One year of Electricity Maps by zone id, e.g. `BR` or `US-CAL-CISO`. */
export interface ElectricityMapsYear {
  data: Readonly<Record<string, ElectricityMapsZone>>;
  methodology: string;
}

/** What `@tgwf/co2/data/electricity-maps` exports: `yearly2025` and its like, beside a `default`. */
export type ElectricityMapsModule = Readonly<Record<string, ElectricityMapsYear>>;
