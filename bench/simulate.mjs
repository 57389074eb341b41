// SPDX-License-Identifier: MIT
//
// node bench/simulate.mjs [--trials N] [--seed N] [--figures FOLDER] [--write]
//
// Simulates the estimators of lib/precision on a virtual counter, prints the tables of docs/precision.md, and with
// --write puts them there and draws docs/figures of the same trials (--figures: draws them in another folder). The exit
// code is 1 where something falls short of what is demanded.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { figures } from './figures.mjs';

const BEGIN = '<!-- simulated: begin -->';
const END = '<!-- simulated: end -->';

const { values: flags } = parseArgs({
  options: {
    trials: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    figures: { type: 'string' },
    write: { type: 'boolean' },
  },
});
const [trials, seed] = [Number(flags.trials), Number(flags.seed)];
if (!Number.isInteger(trials) || trials < 100 || !Number.isInteger(seed)) {
  console.error('--trials takes a whole number of at least 100, --seed a whole number');
  process.exit(2);
}

const repository = fileURLToPath(new URL('..', import.meta.url));
const out = path.join(repository, 'build', 'simulate');
rmSync(out, { recursive: true, force: true });
const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
const compiler = path.join(path.dirname(manifest), bin.tsc);
const compiled = spawnSync(
  process.execPath,
  [compiler, '-p', 'tsconfig.json', '--noEmit', 'false', '--rootDir', '.', '--outDir', out],
  { cwd: repository, stdio: 'inherit' },
);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const { tables } = await import(pathToFileURL(path.join(out, 'test/precision/tables.js')).href);
const { markdown, results, shortcomings } = tables(trials, seed, (group) => console.error(group));
const text = `${trials} trials each, seed ${seed}; \`npm run simulate\` repeats them.\n\n${markdown}`;
if (flags.write) {
  const file = path.join(repository, 'docs', 'precision.md');
  const page = readFileSync(file, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has lost its markers`);
  writeFileSync(file, `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`);
} else {
  console.log(text);
}
const drawn = flags.figures ?? (flags.write ? path.join(repository, 'docs', 'figures') : undefined);
if (drawn !== undefined) {
  mkdirSync(drawn, { recursive: true });
  for (const [name, svg] of Object.entries(figures(results, `${trials} trials each, seed ${seed}`))) {
    writeFileSync(path.join(drawn, name), svg);
  }
}
for (const shortcoming of shortcomings) console.error(`falls short: ${shortcoming}`);
process.exitCode = shortcomings.length > 0 ? 1 : 0;
