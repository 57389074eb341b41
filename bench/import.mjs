// SPDX-License-Identifier: MIT
//
// What importing the package costs: whole processes compared, and the clock inside one.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { alternate, row } from './stats.mjs';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const GOAL_MS = 30;

// From the repository's root the package's own name leads to its exports, as in an installed one.
function node(code) {
  const start = performance.now();
  const ended = spawnSync(process.execPath, ['--eval', code], { cwd: REPOSITORY, encoding: 'utf8' });
  const spent = performance.now() - start;
  if (ended.status !== 0) throw new Error(`${code}: ${ended.stderr}`);
  return { spent, printed: Number(ended.stdout) };
}

function inside(specifier) {
  const clock = 'const start = performance.now()';
  return `${clock}; import('${specifier}').then(() => console.log(performance.now() - start))`;
}

export function measure({ rounds }) {
  const values = alternate(
    {
      nothing: () => node('0').spent,
      loader: () => node("import('data:text/javascript,')").spent,
      package: () => node("import('microjoule')").spent,
      report: () => node("import('microjoule/report')").spent,
      emptyInside: () => node(inside('data:text/javascript,')).printed,
      packageInside: () => node(inside('microjoule')).printed,
    },
    rounds,
  );
  const own = row(
    "`import('microjoule')`, inside the process",
    values.packageInside,
    'ms',
    values.emptyInside,
  );
  return {
    title: 'Importing the package',
    rows: [
      row('`node --eval 0`', values.nothing, 'ms'),
      row('an empty module', values.loader, 'ms', values.nothing),
      row("`import('microjoule')`", values.package, 'ms', values.nothing),
      row("`import('microjoule/report')`", values.report, 'ms', values.nothing),
      row('an empty module, inside the process', values.emptyInside, 'ms'),
      own,
    ],
    goal: {
      text: `importing takes under ${GOAL_MS} ms`,
      reached: own.median < GOAL_MS,
      value: `${own.median.toFixed(1)} ms`,
    },
  };
}
