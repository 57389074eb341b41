// SPDX-License-Identifier: MIT
//
// What a renderer makes of escaped text is the text.
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { cell, inline, table } from '../../lib/format/markdown-escape.js';
import { seededRandom } from '../report/fixtures.js';

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** The text of rendered HTML, without its elements. */
function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}

function render(markdown: string): string {
  return marked.parse(markdown, { gfm: true, async: false }) as string;
}

function cellsOf(html: string): string[] {
  return [...html.matchAll(/<td>([\s\S]*?)<\/td>/g)].map(([, content = '']) => textOf(content));
}

const HARD = [
  'C:\\Users\\me\\.codecarbon\\_out',
  '/home/me/__tests__/out.md',
  'resnet *v2* and **v3**',
  'CPU *A* `b`',
  '`',
  '``',
  '\\',
  '\\\\',
  '_',
  '__',
  '*',
  '***',
  '~~gone~~',
  '~',
  '[a](http://b)',
  '![a](b)',
  '[x]',
  '[ ] todo',
  '# title',
  '#',
  '- item',
  '+ item',
  '* item',
  '1. one',
  '12) two',
  '> said',
  '---',
  '===',
  '- - -',
  '***',
  'a|b',
  '\\|',
  'a\\|b`|`',
  '<b>bold</b>',
  '<!-- gone -->',
  '&amp;',
  '&lt;',
  '&#42;',
  'a & b',
  'AT&T',
  'snake_case_name',
  '_a_',
  'a_',
  '_',
  'a_b_ c',
  '(_x_)',
  '**_',
  'x*_y_*',
  '```js',
  '~~~',
  '\\*',
  '\\_',
  'https://example.org/a_b/__c__/d see',
  'see https://example.org/x?a=1&b=2.',
  '|',
  '| a | b |',
  '| - | - |',
];

const ALPHABET = [
  'a',
  'B',
  '7',
  'é',
  ' ',
  '\\',
  '`',
  '*',
  '_',
  '[',
  ']',
  '(',
  ')',
  '~',
  '<',
  '>',
  '&',
  '|',
  '#',
  '-',
  '+',
  '.',
  '!',
  '=',
  ':',
  '"',
  "'",
];

function* texts(): Generator<string> {
  yield* HARD;
  const random = seededRandom(41);
  for (let i = 0; i < 1500; i++) {
    const length = 1 + Math.floor(14 * random());
    const text = Array.from({ length }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join('');
    if (text.trim() !== '') yield text;
  }
}

/** Spaces at the ends, and how many are between words, a renderer does not show. */
const seen = (text: string): string => text.trim().replace(/ +/g, ' ');

describe('escaped text, rendered', () => {
  it('is itself as an item of a list', () => {
    for (const text of texts()) {
      const html = render(`- ${inline(text)}\n- next`);
      expect([text, [...html.matchAll(/<li>/g)].length]).toEqual([text, 2]);
      expect(seen(textOf(html.slice(0, html.indexOf('<li>next'))))).toBe(seen(text));
    }
  });

  it('is itself in a sentence, and in bold', () => {
    for (const text of texts()) {
      expect(seen(textOf(render(`Project ${inline(text)}, run x.`)))).toBe(
        seen(`Project ${text.trim()}, run x.`),
      );
    }
  });

  it('is itself in a table, alone in its cell', () => {
    for (const text of texts()) {
      expect([text, cellsOf(render(table(['a', 'b'], [[text, 'next']])))]).toEqual([
        text,
        [expect.anything(), 'next'],
      ]);
      expect(seen(cellsOf(render(table(['a', 'b'], [[text, 'next']])))[0] ?? '')).toBe(seen(text));
    }
  });

  it('keeps names that need no backslash as they are', () => {
    for (const text of [
      'snake_case_name',
      'run-1',
      'Intel(R) Xeon(R) @ 2.50GHz',
      'v2.0-rc+1',
      'https://a.b/c_d_',
    ]) {
      expect(inline(text)).toBe(text);
      expect(cell(text)).toBe(text);
    }
  });
});
