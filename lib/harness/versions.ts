// SPDX-License-Identifier: MIT
//
// Which versions of the harnesses the plug-ins work with. package.json's peerDependencies take any: npm would refuse to
// install us beside an older one, even for those who use no plug-in.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { MicrojouleError } from '../core/errors.js';

export const SUPPORTED = {
  'bench-node': '^0.15.0',
  mitata: '^1.0.34',
  tinybench: '^6.0.0',
  vitest: '^5.0.0',
} as const;

export type HarnessName = keyof typeof SUPPORTED;

const RELEASE = /^(\d+)\.(\d+)\.(\d+)$/;

/** Whether a version is within `^a.b.c`, as npm understands it; versions before a release are not. */
function isWithin(version: string, range: string): boolean {
  const least = RELEASE.exec(range.slice(1))?.slice(1).map(Number) ?? [];
  const found = RELEASE.exec(version)?.slice(1).map(Number);
  if (found === undefined) return false;
  // What may not change: everything up to the first number that is not 0.
  const fixed = least.findIndex((part) => part > 0);
  const differs = least.findIndex((part, i) => part !== found[i]);
  return differs === -1 || (differs > fixed && (found[differs] ?? 0) > (least[differs] ?? 0));
}

/** The version of the package that a file belongs to. */
function versionAt(name: string, file: string): string | undefined {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest)) {
      const found = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version?: string };
      if (found.name === name) return found.version;
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}

/**
 * @returns where the harness is
 * @throws MicrojouleError `ERR_UNSUPPORTED_VERSION`, which says what is supported
 */
export function requireSupported(name: HarnessName): string {
  const range = SUPPORTED[name];
  const hint = `npm install --save-dev '${name}@${range}'`;
  let file: string;
  try {
    file = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new MicrojouleError('ERR_UNSUPPORTED_VERSION', `${name} ${range} is needed and is not installed`, {
      hint,
      cause,
    });
  }
  const version = versionAt(name, file) ?? 'of unknown version';
  if (isWithin(version, range)) return file;
  throw new MicrojouleError(
    'ERR_UNSUPPORTED_VERSION',
    `${name} ${version} is not supported: microjoule/${name} works with ${range}`,
    { hint },
  );
}
