// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

interface Build {
  name: string;
  file: string;
  /** Makes the file, or throws with what to do. */
  make(): void;
  /** Why this build cannot be made here; never in CI, where a missing tool is a failure. */
  missing?: string | undefined;
}

const cmake = spawnSync('cmake', ['--version']).status === 0;

/** The addon as node-gyp and as cmake-js make it. */
export const BUILDS: Build[] = [
  {
    name: 'node-gyp',
    file: path.join(REPOSITORY, 'build/Release/microjoule.node'),
    make() {
      if (!existsSync(this.file)) throw new Error('the addon is not built: run npm run build:native');
    },
  },
  {
    name: 'cmake-js',
    file: path.join(REPOSITORY, 'build/cmake-js/Release/microjoule.node'),
    missing: cmake || process.env.CI ? undefined : 'cmake is missing: apt-get install cmake',
    make() {
      if (!cmake) throw new Error('cmake is missing: apt-get install cmake');
      const command = path.join(REPOSITORY, 'node_modules/cmake-js/bin/cmake-js');
      // Some versions take a relative folder from elsewhere.
      const args = [command, 'compile', '-O', path.join(REPOSITORY, 'build/cmake-js')];
      const built = spawnSync(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8' });
      if (built.status !== 0) throw new Error(`cmake-js failed:\n${built.stdout}${built.stderr}`);
    },
  },
];
