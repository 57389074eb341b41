// SPDX-License-Identifier: MIT
//
// node bench/simulate.mjs [--trials N] [--seed N] [--write]
//
// Simulates the estimators of lib/precision on a virtual counter, prints the tables of docs/precision.md, and with
// --write puts them there. The exit code is 1 where something falls short of what is demanded.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const BEGIN = '<!-- simulated: begin -->';
const END = '<!-- simulated: end -->';

const { values: flags } = parseArgs({
  options: {
    trials: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
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
const { markdown, shortcomings } = tables(trials, seed, (group) => console.error(group));
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
for (const shortcoming of shortcomings) console.error(`falls short: ${shortcoming}`);
process.exitCode = shortcomings.length > 0 ? 1 : 0;
