// SPDX-License-Identifier: MIT
//
// A command line into words, as a POSIX shell would without expanding anything. On Windows a backslash is part of a path.
import { MicrojouleError } from '../core/errors.js';

/**
 * What backslashes from a place on stand for on Windows: themselves, unless a double quote follows. Then two are one, and one
 * that is left keeps the quote from its meaning.
 */
function windowsBackslashes(line: string, from: number): { text: string; next: number } {
  const { length } = /^\\*/.exec(line.slice(from))?.[0] ?? '';
  const next = from + length;
  if (line.charAt(next) !== '"') return { text: '\\'.repeat(length), next };
  const text = '\\'.repeat(Math.floor(length / 2));
  return length % 2 === 0 ? { text, next } : { text: `${text}"`, next: next + 1 };
}

/**
 * @param platform as `process.platform`
 * @throws MicrojouleError `ERR_BAD_OPTION` for a quote that is not closed, and for no word at all
 */
export function splitWords(line: string, platform: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < line.length; ++i) {
    const character = line.charAt(i);
    if (quote === "'") {
      if (character === "'") quote = undefined;
      else word += character;
    } else if (character === '\\' && platform === 'win32') {
      const { text, next } = windowsBackslashes(line, i);
      word = (word ?? '') + text;
      i = next - 1;
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
