// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';

/** The text of a small sysfs file, or undefined. Archived copies are padded with NUL to a page: cut there. */
export function readSysfsText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').split('\0', 1)[0]?.trim();
  } catch {
    return undefined;
  }
}

/** The names in a directory in a stable order; none when it is missing or unreadable. */
export function listSysfs(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
