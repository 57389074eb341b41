// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { providerName, regionName, regionsOf, zoneOfCloudRegion } from '../../lib/carbon/cloud-regions.js';
import { countryByAlpha2 } from '../../lib/carbon/countries.js';
import { zoneGramsPerKwh } from '../../lib/carbon/data.js';

describe('regions of clouds', () => {
  it.each(['aws', 'azure', 'gcp'])('of %s all have a zone with a value and a country', (provider) => {
    const regions = regionsOf(provider);
    expect(regions.size).toBeGreaterThan(35);
    for (const [region, zone] of regions) {
      expect(zoneGramsPerKwh(zone), `${region} ${zone}`).toBeGreaterThan(0);
      expect(countryByAlpha2(zone.slice(0, 2)), region).toBeDefined();
    }
  });

  // Facts that a table by another hand has had wrong.
  it.each([
    ['azure', 'northeurope', 'IE'],
    ['azure', 'westus', 'US-CAL-CISO'],
    ['gcp', 'me-central1', 'QA'],
    ['aws', 'eu-west-2', 'GB'],
    ['aws', 'sa-east-1', 'BR-CS'],
  ])('%s %s is in %s', (provider, region, zone) => expect(zoneOfCloudRegion(provider, region)).toBe(zone));

  it('go by the names that people, cloud-init and providers use', () => {
    expect(['AWS', 'amazon', 'ec2'].map(providerName)).toEqual(['aws', 'aws', 'aws']);
    expect(['GCE', 'google'].map(providerName)).toEqual(['gcp', 'gcp']);
    expect(providerName(' Hetzner ')).toBe('hetzner');
    expect(regionName('Azure', 'West Europe')).toBe('westeurope');
    expect(zoneOfCloudRegion('microsoft', 'West Europe')).toBe('NL');
    expect(zoneOfCloudRegion('gce', 'europe-west9')).toBe('FR');
  });

  it('are unknown rather than guessed', () => {
    for (const [provider, region] of [
      ['aws', 'eu-west-99'],
      ['aws', ''],
      ['hetzner', 'fsn1'],
      ['constructor', 'name'],
    ] as const) {
      expect(zoneOfCloudRegion(provider, region)).toBeUndefined();
    }
  });
});
