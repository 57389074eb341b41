// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A file, a file with its mode, a symbolic link, or (null) an empty directory. */
export type MachineEntry = string | { mode: number; content: string } | { link: string } | null;

export interface FixtureMachine {
  root: string;
  /** Replaces the content in place, as sysfs does: an open descriptor sees the new value. */
  write(relativePath: string, content: string): void;
  remove(relativePath: string): void;
  cleanup(): void;
}

/** Writes a tree such as `{ 'class/powercap/intel-rapl:0/energy_uj': '42\n' }` into a new folder. */
export function writeMachine(tree: Record<string, MachineEntry>): FixtureMachine {
  const root = mkdtempSync(path.join(os.tmpdir(), 'microjoule-machine-'));
  const resolve = (relativePath: string): string => {
    const full = path.resolve(root, relativePath);
    if (!full.startsWith(root + path.sep)) throw new Error(`${relativePath} is outside the fixture machine`);
    return full;
  };
  const write = (relativePath: string, content: string): void => {
    const file = resolve(relativePath);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  for (const [relativePath, entry] of Object.entries(tree)) {
    if (entry === null) {
      mkdirSync(resolve(relativePath), { recursive: true });
    } else if (typeof entry === 'string') {
      write(relativePath, entry);
    } else if ('link' in entry) {
      const link = resolve(relativePath);
      mkdirSync(path.dirname(link), { recursive: true });
      symlinkSync(entry.link, link);
    } else {
      write(relativePath, entry.content);
      chmodSync(resolve(relativePath), entry.mode);
    }
  }
  return {
    root,
    write,
    remove: (relativePath) => rmSync(resolve(relativePath), { recursive: true, force: true }),
    cleanup: () => rmSync(root, { recursive: true, force: true }),
  };
}
