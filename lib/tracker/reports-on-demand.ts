// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

type Reports = typeof import('../reports.js');

let loaded: Reports | undefined;

/**
 * The package's own `microjoule/report`, loaded at the first call: half of the package's modules are there, and who
 * only meters needs none of them. Synchronous, since `start()` is, and since a process that exits cannot wait.
 */
export function reports(): Reports {
  loaded ??= createRequire(import.meta.url)('microjoule/report') as Reports;
  return loaded;
}
