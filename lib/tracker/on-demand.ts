// SPDX-License-Identifier: MIT
import { loadNow } from '../load.js';

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
  loaded ??= {
    ...loadNow<typeof import('../measures.js')>('measures'),
    ...loadNow<typeof import('../reports.js')>('reports'),
    ...loadNow<typeof import('../formats.js')>('formats'),
  };
  return loaded;
}
