// SPDX-License-Identifier: MIT
import { statSync } from 'node:fs';
import path from 'node:path';

const DEFAULT_ENDINGS = '.COM;.EXE;.BAT;.CMD';

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** What {@link findProgram} looks into; tests on other systems give their own. */
export interface Surroundings {
  folder: string;
  environment: Readonly<Record<string, string | undefined>>;
  isFile(file: string): boolean;
}

/**
 * The file that Windows' shell would run by this name: in the current folder, then in those of PATH, with an ending of
 * PATHEXT. Undefined where there is none. Node itself looks for .exe and .com alone.
 */
export function findProgram(
  command: string,
  { folder, environment, isFile: exists }: Surroundings = {
    folder: process.cwd(),
    environment: process.env,
    isFile,
  },
): string | undefined {
  const { win32 } = path;
  const named = /[\\/:]/.test(command);
  const folders = named ? [''] : ['', ...(environment.PATH ?? environment.Path ?? '').split(';')];
  const known = (environment.PATHEXT || DEFAULT_ENDINGS).split(';').filter((ending) => ending !== '');
  // A script is run by its own name, wherever that is said to be.
  const endings = named || win32.extname(command) !== '' ? ['', ...known] : known;
  return folders
    .map((each) => each.replace(/^"(.*)"$/, '$1'))
    .flatMap((each) => endings.map((ending) => win32.resolve(folder, each, command + ending)))
    .find(exists);
}
