// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';

/**
 * What to put before a command so that a file of mode 0000 is denied to it: nothing for a plain user; for root,
 * setpriv, which takes the capability away that lets root read everything.
 */
export function withoutPrivilege(): string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const capabilities = '-dac_override,-dac_read_search';
  const prefix = ['setpriv', `--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`];
  const probe = spawnSync('setpriv', [...prefix.slice(1), process.execPath, '--version']);
  if (probe.status === 0) return prefix;
  console.warn('skipped: root reads files of mode 0000, and setpriv cannot take that from it here');
  return undefined;
}
