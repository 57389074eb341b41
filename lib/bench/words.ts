// SPDX-License-Identifier: MIT
//
// A command line into words, as a POSIX shell would without expanding anything.
import { MicrojouleError } from '../core/errors.js';

/** @throws MicrojouleError `ERR_BAD_OPTION` for a quote that is not closed, and for no word at all */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < line.length; ++i) {
    const character = line.charAt(i);
    if (quote === "'") {
      if (character === "'") quote = undefined;
      else word += character;
    } else if (character === '\\') {
      const next = line.charAt(++i);
      // Within double quotes a backslash is one, unless it keeps something from its meaning.
      const isKept = quote === '"' && !['"', '\\', '$', '`'].includes(next);
      word = (word ?? '') + (isKept ? `\\${next}` : next);
    } else if (quote === '"') {
      if (character === '"') quote = undefined;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', `a quote is not closed in: ${line}`, {
      hint: `Close the ${quote}, or put a backslash before it.`,
    });
  }
  if (word !== undefined) words.push(word);
  if (words.length > 0) return words;
  throw new MicrojouleError('ERR_BAD_OPTION', 'an empty command cannot be run without a shell', {
    hint: 'Give a command, or leave out --shell none.',
  });
}
