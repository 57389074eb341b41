// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type Levenshtein = typeof import('fastest-levenshtein');

/** Letters that Unicode does not decompose into a base letter and a mark. */
const PLAIN_LETTERS: ReadonlyMap<string, string> = new Map([
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ħ', 'h'],
  ['ı', 'i'],
  ['ə', 'e'],
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ð', 'd'],
  ['þ', 'th'],
]);

/** Lower case without diacritics: two spellings of one name fold to the same text. Never throws. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[øłđħıəßæœðþ]/gu, (letter) => PLAIN_LETTERS.get(letter) ?? letter);
}

/**
 * The candidates a misspelt name may have meant, best first, at most `limit` of them. Case and diacritics do
 * not count. Only plausible ones: an edit distance of at most 40 % of the name's length, or 2 where that is
 * more. Returns the candidates as they were given; equal distances keep their order. Never throws.
 */
export function nearest(name: string, candidates: Iterable<string>, limit: number): string[] {
  const wanted = foldText(name.trim());
  if (wanted === '' || limit <= 0) return [];
  // Loaded only here: a suggestion is needed on the way to an error and nowhere else.
  const { distance } = require('fastest-levenshtein') as Levenshtein;
  const maxDistance = Math.max(2, 0.4 * wanted.length);
  const scored: { candidate: string; edits: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const folded = foldText(candidate);
    // The difference in length is a lower bound of the distance and costs nothing.
    if (Math.abs(folded.length - wanted.length) > maxDistance) continue;
    const edits = distance(wanted, folded);
    // Replacing every letter is no misspelling, however short the name.
    if (edits <= maxDistance && edits < Math.max(wanted.length, folded.length))
      scored.push({ candidate, edits });
  }
  scored.sort((a, b) => a.edits - b.edits);
  return scored.slice(0, limit).map((entry) => entry.candidate);
}
