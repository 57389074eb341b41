// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OfflineEmissionsTracker, type OfflineTrackerOptions } from '../../lib/index.js';
import { useWorkplace } from '../cli/fixtures.js';

const place = useWorkplace();
const here = process.cwd();
afterEach(() => {
  process.chdir(here);
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

async function report(options: OfflineTrackerOptions) {
  const { root } = place.machine({});
  const tracker = new OfflineEmissionsTracker({
    output: [],
    sysfs: root,
    nvmlLibrary: `${root}/no-nvml`,
    runFolder: root,
    ...options,
  });
  tracker.start();
  return tracker.stop();
}

const PARIS = { provider: 'aws', region: 'eu-west-3', source: 'metadata service', method: 'http://[::1]' };

describe('OfflineEmissionsTracker', () => {
  it.each<[OfflineTrackerOptions, string, string | undefined]>([
    [{ countryIsoCode: 'FRA' }, 'FRA', 'FR'],
    [{ country2LetterIsoCode: 'FR' }, 'FRA', 'FR'],
    [{ countryIsoCode: 'CAN', country2LetterIsoCode: 'CA', region: 'quebec' }, 'CAN', 'CA-QC'],
    [{ country: 'Brazil' }, 'BRA', undefined],
    [{ cloudProvider: 'aws', cloudRegion: 'eu-west-3' }, 'FRA', 'FR'],
    [{ cloud: { evidence: PARIS, looked: true } }, 'FRA', 'FR'],
  ])('is where it is told: %j', async (options, country, zone) => {
    const { location, trackingMode } = await report(options);
    expect(location.countryAlpha3).toBe(country);
    if (zone !== undefined) expect(location.zone).toBe(zone);
    expect(trackingMode).toBe('machine');
  });

  it('refuses to guess', () => {
    const error = expect.objectContaining({
      code: 'ERR_BAD_OPTION',
      hint: expect.stringContaining('countryIsoCode'),
    });
    expect(() => new OfflineEmissionsTracker({ output: [] })).toThrow(error);
    expect(() => new OfflineEmissionsTracker({ output: [], cloudProvider: 'aws' })).toThrow(error);
  });

  it('takes an intensity for a place, and a cloud region nobody knows for none', async () => {
    vi.stubEnv('TZ', 'Europe/Paris');
    const given = await report({ intensityGramsPerKwh: 50 });
    expect(given.intensity.intensityGramsPerKwh).toBe(50);
    expect(given.location.countryAlpha3).toBeUndefined();
    const unknown = await report({ cloudProvider: 'aws', cloudRegion: 'moon-1' });
    expect(unknown.location.countryAlpha3).toBeUndefined();
    expect(unknown.intensity.zone).toBe('WORLD');
  });

  it('sends nothing, whatever the configuration says, and takes its country from there', async () => {
    const folder = place.newFolder();
    vi.stubEnv('HOME', folder.path);
    writeFileSync(
      folder.file('.codecarbon.config'),
      '[codecarbon]\nemissions_endpoint = http://127.0.0.1:9/x\ncountry_iso_code = DEU\n',
    );
    process.chdir(folder.path);
    const fetched = vi.fn();
    vi.stubGlobal('fetch', fetched);
    const { location, warnings } = await report({});
    expect(location.countryAlpha3).toBe('DEU');
    expect(warnings.map(({ code }) => code)).not.toContain('endpoint-failed');
    expect(fetched).not.toHaveBeenCalled();
  });
});
