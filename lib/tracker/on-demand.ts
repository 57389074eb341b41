// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

type OnDemand = typeof import('../measures.js') &
  typeof import('../reports.js') &
  typeof import('../formats.js');

let loaded: OnDemand | undefined;

/**
 * The package's own `microjoule/measure`, `/report` and `/format`, loaded at the first call: most of the package's
 * modules are there, and who only meters needs none of them. Synchronous, since `start()` is, and since a process that
 * exits cannot wait.
 */
export function onDemand(): OnDemand {
  const require = createRequire(import.meta.url);
  loaded ??= {
    ...require('microjoule/measure'),
    ...require('microjoule/report'),
    ...require('microjoule/format'),
  } as OnDemand;
  return loaded;
}
