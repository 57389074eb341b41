// SPDX-License-Identifier: MIT
//
// Bytes of the production dependencies in node_modules, this package itself not counted.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const GOAL_MB = 10;

/** Sum of file sizes, in MB of 10^6 bytes. Nested packages are listed apart by npm. */
function megabytes(folder) {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') sum += megabytes(full);
    else if (entry.isFile()) sum += statSync(full).size / 1e6;
  }
  return sum;
}

export function measure() {
  const args = ['ls', '--omit=dev', '--all', '--parseable'];
  const listed = spawnSync('npm', args, { cwd: REPOSITORY, encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`npm ${args.join(' ')}: ${listed.stderr}`);
  const [root, ...folders] = [...new Set(listed.stdout.split('\n').filter((line) => line !== ''))];
  const sizes = folders.map((folder) => {
    const size = megabytes(folder);
    return {
      name: path.relative(path.join(root, 'node_modules'), folder),
      unit: 'MB',
      median: size,
      min: size,
      max: size,
    };
  });
  const total = sizes.reduce((sum, { median }) => sum + median, 0);
  return {
    title: 'Production dependencies',
    rows: [
      ...sizes.sort((a, b) => b.median - a.median),
      { name: 'all of them', unit: 'MB', median: total, min: total, max: total },
    ],
    goal: { text: `under ${GOAL_MB} MB`, reached: total < GOAL_MB, value: `${total.toFixed(2)} MB` },
  };
}
