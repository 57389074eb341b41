// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

type Papa = typeof import('papaparse');

let loaded: Papa | undefined;

/** papaparse, loaded on first use: most runs write no CSV and need not pay for it. */
export function papaparse(): Papa {
  loaded ??= createRequire(import.meta.url)('papaparse') as Papa;
  return loaded;
}
