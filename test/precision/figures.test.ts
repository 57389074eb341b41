// SPDX-License-Identifier: MIT
//
// The figures of the docs: that they are XML, show every value once, and stand where the docs refer to them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Result, tables } from './tables.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const DOCS = path.join(REPOSITORY, 'docs');
const TRIALS = '12 trials each, seed 1';

interface Figures {
  figures: (results: readonly Result[], trials: string) => Record<string, string>;
}
interface Svg {
  element: (name: string, attributes: Record<string, unknown>, ...children: string[]) => string;
  text: (x: number, y: number, content: string) => string;
}
// What draws them is no part of the typed program.
const bench = (name: string): string => pathToFileURL(path.join(REPOSITORY, 'bench', name)).href;
const { figures } = (await import(bench('figures.mjs'))) as Figures;
const { element, text } = (await import(bench('svg.mjs'))) as Svg;

/** What keeps a text from being one well-formed XML element. */
function problems(xml: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  let roots = 0;
  const tag = /<(\/?)([a-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi;
  const between = (part: string): void => {
    if (/[<>]/.test(part)) found.push(`stray bracket in "${part.trim()}"`);
    if (/&(?!(?:amp|lt|gt|quot);)/.test(part)) found.push(`unknown entity in "${part.trim()}"`);
    if (open.length === 0 && part.trim() !== '') found.push(`text outside: "${part.trim()}"`);
  };
  let from = 0;
  for (const match of xml.matchAll(tag)) {
    between(xml.slice(from, match.index));
    from = match.index + match[0].length;
    const [, closes, name = '', attributes = '', isEmpty] = match;
    if (/&(?!(?:amp|lt|gt|quot);)/.test(attributes)) found.push(`unknown entity in <${name}>`);
    const keys = [...attributes.matchAll(/([\w:-]+)=/g)].map(([, key]) => key);
    if (new Set(keys).size < keys.length) found.push(`attribute twice in <${name}>`);
    if (closes) {
      if (open.pop() !== name) found.push(`</${name}> closes nothing`);
      continue;
    }
    if (open.length === 0) roots += 1;
    if (!isEmpty) open.push(name);
  }
  between(xml.slice(from));
  if (open.length > 0) found.push(`<${open.join('> <')}> left open`);
  if (roots !== 1) found.push(`${roots} roots`);
  return found;
}

const count = (svg: string, pattern: RegExp): number => [...svg.matchAll(pattern)].length;
const points = (svg: string): number => count(svg, /class="point"/g);

describe('the check for XML', () => {
  it('finds what is wrong', () => {
    expect(problems('<a b="1"><c/>x &amp; y</a>\n')).toEqual([]);
    const wrong = [
      '<a>',
      '<a></b>',
      '<a/><a/>',
      '<a>1 < 2</a>',
      '<a>b & c</a>',
      '<a b="&"/>',
      '<a b="1" b="2"/>',
      'x<a/>',
    ];
    for (const xml of wrong) expect(problems(xml), xml).not.toEqual([]);
  });
});

describe('an element', () => {
  it('escapes what it is given', () => {
    const odd = 'a < b & "c" > d';
    expect(problems(element('g', { title: odd }, text(0, 0, odd)))).toEqual([]);
    expect(text(0, 0, odd)).toContain('a &lt; b &amp; &quot;c&quot; &gt; d');
  });

  it('rounds to a tenth and leaves out what is not there', () => {
    expect(element('circle', { cx: 1 / 3, r: 2, fill: undefined })).toBe('<circle cx="0.3" r="2"/>');
  });
});

describe('the figures', () => {
  const { results } = tables(12, 1, () => undefined);
  const drawn = figures(results, TRIALS);
  const of = (group: RegExp): Result[] => results.filter((one) => group.test(`${one.group}: ${one.name}`));
  const passive = of(/^Passive.*period 1 ms/);

  it.each(Object.entries(drawn))('%s is XML, with all its text in sight and large enough', (_name, svg) => {
    expect(problems(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).toContain(TRIALS);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
    const values = (keys: string): number[] =>
      [...svg.matchAll(new RegExp(`\\s(?:${keys})="([^"]+)"`, 'g'))].map(([, value]) => Number(value));
    for (const size of values('font-size')) expect(size).toBeGreaterThanOrEqual(12);
    for (const [keys, most] of [
      ['x|cx', width],
      ['y|cy', height],
    ] as const) {
      expect(Math.min(...values(keys))).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values(keys))).toBeLessThanOrEqual(Number(most));
    }
  });

  it('show every value once', () => {
    const some = (ratio: number | undefined): number => (ratio === undefined || ratio === 0 ? 0 : 1);
    const errors = passive.flatMap(({ summary }) => [
      some(summary.naiveRmsRatio) + some(summary.naiveBiasRatio),
      some(summary.rmsRatio) + some(summary.biasRatio),
    ]);
    expect(passive.length).toBe(9);
    expect(points(drawn['naive-or-region.svg'] ?? '')).toBe(errors.reduce((sum, one) => sum + one, 0));
    expect(points(drawn['coverage.svg'] ?? '')).toBe(results.length);
    const aligned = of(/^Tick-aligned, (spinning.*period 1 ms|power of spinning measured)/);
    const repeated = of(
      /^(Repetition.*: period 1 ms, calls alike|Phase sweep: 100 single calls of \S+ periods)$/,
    );
    expect([aligned.length, repeated.length]).toEqual([9, 3]);
    expect(points(drawn['half-width.svg'] ?? '')).toBe(passive.length + aligned.length + repeated.length);
  });

  it('put more energy error higher, and longer regions further right', () => {
    const naive = passive.map(({ summary }) => summary.naiveRmsRatio ?? 0);
    const line = /class="series" points="([^"]+)"/.exec(drawn['naive-or-region.svg'] ?? '')?.[1] ?? '';
    const places = line.split(' ').map((place) => place.split(',').map(Number));
    expect(places.length).toBe(naive.length);
    for (let i = 1; i < places.length; ++i) {
      const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = []] = [places[i - 1], places[i]];
      expect(x1).toBeGreaterThan(x0);
      expect(Math.sign(y1 - y0)).toBe(Math.sign((naive[i - 1] ?? 0) - (naive[i] ?? 0)));
    }
  });

  it('are the same for the same trials', () => {
    expect(figures(tables(12, 1, () => undefined).results, TRIALS)).toEqual(drawn);
    expect(figures(tables(12, 2, () => undefined).results, TRIALS)).not.toEqual(drawn);
  });

  it('are not drawn of nothing', () => {
    for (const group of [
      'Passive, 30 W to 60 W and back, period 1 ms',
      'Phase sweep',
      'Power that is not steady',
    ]) {
      const rest = results.filter((one) => one.group !== group);
      expect(() => figures(rest, TRIALS)).toThrow(`nothing was simulated of "${group}"`);
    }
  });

  it('are those that the docs show, of the trials that the tables are of', () => {
    const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'));
    const shown = pages.flatMap((page) =>
      [...readFileSync(path.join(DOCS, page), 'utf8').matchAll(/!\[([^\]]+)\]\(figures\/([^)]+)\)/g)].map(
        ([, , file]) => file,
      ),
    );
    const files = readdirSync(path.join(DOCS, 'figures')).sort();
    expect([...new Set(shown)].sort()).toEqual(files);
    expect(Object.keys(drawn).sort()).toEqual(files);
    const trials = (text: string): string | undefined => /\d+ trials each, seed \d+/.exec(text)?.[0];
    const precision = readFileSync(path.join(DOCS, 'precision.md'), 'utf8');
    expect(trials(precision)).toBeDefined();
    for (const file of files) {
      const svg = readFileSync(path.join(DOCS, 'figures', file), 'utf8');
      expect(problems(svg), file).toEqual([]);
      expect(trials(svg), file).toBe(trials(precision));
      // Rows of regimes have eleven columns.
      const rows = count(precision, /^\|(?! (Situation|---) )([^|\n]*\|){11}$/gm);
      if (file === 'coverage.svg') expect(points(svg)).toBe(rows);
    }
  });
});
