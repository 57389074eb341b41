// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { Country } from './countries.js';
import { electricityMaps, type Subdivision, subdivisionsOf } from './data.js';
import { placeKey } from './place-key.js';
import { ZONES_BY_SUBDIVISION, type ZoneJudgement } from './zones-by-subdivision.js';

/** What a region text turned out to be. */
export interface Region {
  /** English for a zone, local for an ISO 3166-2 subdivision. */
  name: string;
  /** Zone id or ISO 3166-2 code. */
  code: string;
  /** Electricity Maps zone, where one stands for the region. */
  zone?: string;
  /** A full sentence on how the zone was chosen or what else the text could mean. */
  note: string;
}

interface RegionIndex {
  byKey: Map<string, Region>;
  names: Map<string, Region>;
}

const indexes = new Map<string, RegionIndex>();

function regionIndex({ alpha2 }: Country): RegionIndex {
  const cached = indexes.get(alpha2);
  if (cached !== undefined) return cached;
  const byKey = new Map<string, Region>();
  const names = new Map<string, Region>();
  // The first to claim a key keeps it: zones come before subdivisions, codes before names.
  const claim = (text: string, region: Region) => {
    const key = placeKey(text);
    if (key !== '' && !byKey.has(key)) byKey.set(key, region);
  };
  const claimName = (name: string, region: Region) => {
    claim(name, region);
    if (!names.has(name)) names.set(name, region);
  };

  const prefix = `${alpha2}-`;
  const subdivisions = subdivisionsOf(alpha2);
  const zoneByName = new Map<string, string>();
  const { zones } = electricityMaps();
  for (const [id, { zone }] of Object.entries(zones)) {
    if (!id.startsWith(prefix)) continue;
    zoneByName.set(placeKey(zone.zoneName), id);
    // In Italy two zone ids are also codes of provinces (IT-SO: South Italy, and Sondrio in the north).
    const other = subdivisions.find(
      ({ code, name }) => code === id && placeKey(name) !== placeKey(zone.zoneName),
    );
    const note =
      other === undefined
        ? `${id} is a zone of Electricity Maps (${zone.zoneName}).`
        : `${id} is read as a zone of Electricity Maps (${zone.zoneName}); to mean ${other.name}, ` +
          'which has the same code in ISO 3166-2, give its name.';
    const region: Region = { name: zone.zoneName, code: id, zone: id, note };
    for (const text of [id, id.slice(prefix.length)]) claim(text, region);
    for (const text of [zone.zoneName, zone.displayName ?? zone.zoneName]) claimName(text, region);
    names.set(id, region);
  }

  const byCode = new Map(subdivisions.map((subdivision) => [subdivision.code, subdivision]));
  const judge = ({ code, name, parent }: Subdivision): ZoneJudgement | undefined => {
    const sameName = zoneByName.get(placeKey(name));
    const judged =
      ZONES_BY_SUBDIVISION.get(code) ??
      (sameName === undefined ? undefined : { zone: sameName, reason: 'the zone has the same name' });
    // A zone may have gone from a newer release of the data.
    if (judged !== undefined) return Object.hasOwn(zones, judged.zone) ? judged : undefined;
    // Palermo is on the grid of Sicily, of which it is a part.
    const whole = parent === undefined ? undefined : byCode.get(parent);
    const inherited = whole === undefined ? undefined : judge(whole);
    return inherited && { zone: inherited.zone, reason: `it is a part of ${whole?.name}` };
  };
  const regions = subdivisions.map((subdivision): Region => {
    const { code, name } = subdivision;
    const judged = judge(subdivision);
    if (judged === undefined) {
      const note =
        `Electricity Maps has no zone that stands for ${name} (${code}), so the country's value is used ` +
        'unless an intensity is given.';
      return { name, code, note };
    }
    const { zone, reason } = judged;
    return {
      name,
      code,
      zone,
      note: `${name} (${code}) is taken as zone ${zone} of Electricity Maps: ${reason}.`,
    };
  });
  for (const region of regions) {
    for (const text of [region.code, region.code.slice(prefix.length)]) claim(text, region);
  }
  for (const region of regions) claimName(region.name, region);

  const built = { byKey, names };
  indexes.set(alpha2, built);
  return built;
}

/**
 * The region of a country by Electricity Maps zone id or name, or by ISO 3166-2 code or name; ids and codes with
 * or without the country. Case, diacritics and punctuation do not count. Undefined when there is none.
 */
export function findRegion(country: Country, text: string): Region | undefined {
  return regionIndex(country).byKey.get(placeKey(text));
}

/** The error for a region that a given country does not have: `ERR_UNKNOWN_REGION`, hint with the nearest. */
export function unknownRegion(country: Country, text: string): MicrojouleError {
  const { names } = regionIndex(country);
  const meant = new Set(nearest(text, names.keys(), 12).flatMap((name) => names.get(name) ?? []));
  const near = [...meant].slice(0, 3).map(({ name, code }) => `${name} (${code})`);
  const example = names.values().next().value;
  const forms =
    example === undefined
      ? `No region of ${country.name} is known: leave the region out.`
      : 'Give an Electricity Maps zone (id or name) or an ISO 3166-2 subdivision (code or local name) of ' +
        `${country.name}, for example ${example.name} (${example.code}), or leave the region out.`;
  return new MicrojouleError(
    'ERR_UNKNOWN_REGION',
    `Unknown region ${JSON.stringify(text)} of ${country.name}.`,
    {
      hint: near.length === 0 ? forms : `Nearest: ${near.join('; ')}. ${forms}`,
    },
  );
}
