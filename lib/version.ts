// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

/** The version of this package, as its manifest has it. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('../package.json') as { version: string }).version;
}
