// SPDX-License-Identifier: MIT
//
// Deletes the declarations that no export of the package leads to: nobody can import what they describe.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
/** Of `from './a.js'` and `import('./a.js')`. */
const RELATIVE = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)\.js['"]/g;

const { exports } = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8'));
const reached = new Set();

function reach(file) {
  if (reached.has(file)) return;
  if (!existsSync(file)) throw new Error(`${path.relative(REPOSITORY, file)} is not there: build first`);
  reached.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(RELATIVE)) {
    reach(path.resolve(path.dirname(file), `${name}.d.ts`));
  }
}

for (const { types } of Object.values(exports)) if (types !== undefined) reach(path.join(REPOSITORY, types));
const dist = path.join(REPOSITORY, 'dist');
for (const name of readdirSync(dist, { recursive: true })) {
  const file = path.join(dist, name);
  if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
}
