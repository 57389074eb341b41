// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { everydayCountryNames, isoCountries } from './data.js';
import { placeKey } from './place-key.js';

/** A country with its common English name, e.g. `Vietnam` where ISO 3166-1 says `Viet Nam`. */
export interface Country {
  name: string;
  alpha2: string;
  alpha3: string;
}

interface CountryIndex {
  byAlpha2: Map<string, Country>;
  byKey: Map<string, Country>;
  /** Names a misspelling is compared with. */
  names: Map<string, Country>;
}

/** Forms people write that no source of names has. */
const COMMON_FORMS: readonly (readonly [form: string, alpha2: string])[] = [
  ['UK', 'GB'],
  ['Great Britain', 'GB'],
  ['Britain', 'GB'],
  ['UAE', 'AE'],
  ['DRC', 'CD'],
  ['DR Congo', 'CD'],
  ['Turkey', 'TR'],
  ['Czech Republic', 'CZ'],
  ['Holland', 'NL'],
  ['Burma', 'MM'],
  ['Swaziland', 'SZ'],
  ['Macedonia', 'MK'],
  ['Macau', 'MO'],
  ['East Timor', 'TL'],
  ['Vatican', 'VA'],
];

let index: CountryIndex | undefined;

function countryIndex(): CountryIndex {
  if (index !== undefined) return index;
  const byAlpha2 = new Map<string, Country>();
  const byKey = new Map<string, Country>();
  const names = new Map<string, Country>();
  // The first to claim a key keeps it, so that codes and ISO names always mean what ISO says.
  const claim = (key: string, country: Country | undefined) => {
    if (country !== undefined && key !== '' && !byKey.has(key)) byKey.set(key, country);
  };
  const claimName = (name: string, country: Country | undefined) => {
    claim(placeKey(name), country);
    if (country !== undefined && !names.has(name)) names.set(name, country);
  };

  const displayNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  const iso = isoCountries();
  for (const { name, alpha2, alpha3 } of iso) {
    byAlpha2.set(alpha2, { name: displayNames.of(alpha2) ?? name, alpha2, alpha3 });
  }
  for (const { alpha2, alpha3 } of iso) {
    claim(placeKey(alpha2), byAlpha2.get(alpha2));
    claim(placeKey(alpha3), byAlpha2.get(alpha2));
  }
  for (const { name, alpha2 } of iso) {
    claimName(byAlpha2.get(alpha2)?.name ?? name, byAlpha2.get(alpha2));
    claimName(name, byAlpha2.get(alpha2));
  }
  for (const { name, alpha2 } of iso) {
    // `Korea, Republic of` is also `Republic of Korea`.
    const [head, tail] = name.split(', ', 2);
    if (tail !== undefined) claimName(`${tail} ${head}`, byAlpha2.get(alpha2));
  }
  for (const [alpha2, name] of everydayCountryNames()) claimName(name, byAlpha2.get(alpha2));
  for (const [form, alpha2] of COMMON_FORMS) claimName(form, byAlpha2.get(alpha2));
  index = { byAlpha2, byKey, names };
  return index;
}

/** The country of an ISO 3166-1 alpha-2 code in upper case, or undefined. */
export function countryByAlpha2(alpha2: string): Country | undefined {
  return countryIndex().byAlpha2.get(alpha2);
}

/**
 * The country of an alpha-2 code, alpha-3 code or English name (ISO 3166-1's, the Unicode CLDR's, or a common
 * short form). Case, diacritics and punctuation do not count. Throws `ERR_UNKNOWN_COUNTRY` whose hint names the
 * nearest countries.
 */
export function findCountry(text: string): Country {
  const { byKey, names } = countryIndex();
  const found = byKey.get(placeKey(text));
  if (found !== undefined) return found;
  // A country has several names: look beyond three hits to have three countries.
  const meant = new Set(nearest(text, names.keys(), 12).flatMap((name) => names.get(name) ?? []));
  const near = [...meant].slice(0, 3).map(({ name, alpha2, alpha3 }) => `${name} (${alpha2}, ${alpha3})`);
  const forms =
    'Give an ISO 3166-1 alpha-2 code (BR), an alpha-3 code (BRA) or the English name (Brazil) of a country.';
  throw new MicrojouleError('ERR_UNKNOWN_COUNTRY', `Unknown country ${JSON.stringify(text)}.`, {
    hint: near.length === 0 ? forms : `Nearest: ${near.join('; ')}. ${forms}`,
  });
}
