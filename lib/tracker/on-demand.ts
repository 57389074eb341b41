// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

type Reports = typeof import('../reports.js') & typeof import('../formats.js');

let loaded: Reports | undefined;

/**
 * The package's own `microjoule/report` and `microjoule/format`, loaded at the first call: half of the package's
 * modules are there, and who only meters needs none of them. Synchronous, since `start()` is, and since a process
 * that exits cannot wait.
 */
export function reporting(): Reports {
  const require = createRequire(import.meta.url);
  loaded ??= { ...require('microjoule/report'), ...require('microjoule/format') } as Reports;
  return loaded;
}
