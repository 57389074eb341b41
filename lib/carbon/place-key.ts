// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import { foldText } from '../core/nearest.js';

/**
 * A place name or code reduced to what tells places apart: no case, diacritics or punctuation, no `the`,
 * `&` as `and`, `St.` as `Saint`. `US-CAL-CISO` gives `us cal ciso`. Never throws.
 */
export function placeKey(text: string): string {
  return foldText(text)
    .replaceAll('&', ' and ')
    .replace(/[.'’ʼ]/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && word !== 'the')
    .map((word) => (word === 'st' ? 'saint' : word))
    .join(' ');
}

/** Throws `ERR_BAD_OPTION` unless the value is text: callers in plain JavaScript have no compiler. */
export function requireText(option: string, value: unknown): asserts value is string {
  if (typeof value === 'string') return;
  throw new MicrojouleError('ERR_BAD_OPTION', `Option ${option} must be text, but is ${typeof value}.`, {
    hint: `Give ${option} in quotes, or leave it out.`,
  });
}
