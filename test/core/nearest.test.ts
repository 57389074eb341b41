// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { foldText, nearest } from '../../lib/core/nearest.js';

const PLACES = ['Brazil', 'Belgium', 'Benin', 'Israel', 'Québec', 'Curaçao', 'Rio Grande do Sul', 'Goiás'];

test('case, diacritics and undecomposable letters fold away', () => {
  expect(foldText('ÉÃñÅ')).toBe('eana');
  expect(foldText('Sjælland, København, Łódź, Straße, Şəki')).toBe(
    'sjaelland, kobenhavn, lodz, strasse, seki',
  );
});

test('every candidate is its own nearest, in any case', () => {
  for (const place of PLACES) {
    expect(nearest(place, PLACES, 1)).toEqual([place]);
    expect(nearest(` ${foldText(place).toUpperCase()} `, PLACES, 1)).toEqual([place]);
  }
});

test('one edit in a name of three letters or more still finds it', () => {
  for (const place of PLACES) {
    for (let at = 0; at < place.length; at += 1) {
      expect(nearest(place.slice(0, at) + place.slice(at + 1), PLACES, 1)).toEqual([place]);
      expect(nearest(`${place.slice(0, at)}#${place.slice(at)}`, PLACES, 1)).toEqual([place]);
    }
  }
});

test('only plausible candidates, best first, no more than the limit', () => {
  expect(nearest('Brasil', PLACES, 3)).toEqual(['Brazil']);
  expect(nearest('Benim', ['Benign', 'Benin', 'Berlin', 'Benin'], 2)).toEqual(['Benin', 'Benign']);
  expect(nearest('Atlantis', PLACES, 3)).toEqual([]);
  expect(nearest('x'.repeat(100_000), PLACES, 3)).toEqual([]);
});

test('an empty name, a limit of 0 and a short name sharing no letter have no nearest', () => {
  expect(nearest('', ['a', 'ab'], 3)).toEqual([]);
  expect(nearest('  ', ['a', 'ab'], 3)).toEqual([]);
  expect(nearest('Brazil', PLACES, 0)).toEqual([]);
  expect(nearest('zz', ['ab', 'zq'], 3)).toEqual(['zq']);
});
