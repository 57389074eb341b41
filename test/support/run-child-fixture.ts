// SPDX-License-Identifier: MIT
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const TSC = path.join(REPOSITORY, 'node_modules/typescript/bin/tsc');

// Says on stderr what became of the child, then ends as it ended.
const DRIVER = `
import { runChild } from './child.js';
import { exitLike } from './exit.js';
const [childStdout, ...argv] = process.argv.slice(2);
const outcome = await runChild(argv, { childStdout });
process.stderr.write('[outcome ' + JSON.stringify(outcome) + ']\\n');
await exitLike(outcome);
`;

export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ChildFixture {
  /** The command line, less Node, that runs a command through runChild and exitLike. */
  driver: string;
  start(childStdout: 'inherit' | 'stderr', argv: string[]): ChildProcess;
  cleanup(): void;
}

/** Compiles child.ts and exit.ts apart from dist, to be run in a process of their own. */
export function compileChildFixture(): ChildFixture {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-child-'));
  const sources = ['child.ts', 'exit.ts'].map((name) => path.join(REPOSITORY, 'lib/cli', name));
  const settings = '--ignoreConfig --module nodenext --target es2023 --types node --skipLibCheck'.split(' ');
  execFileSync(process.execPath, [TSC, ...settings, '--outDir', folder, ...sources], {
    cwd: REPOSITORY,
    stdio: 'pipe',
  });
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  const driver = path.join(folder, 'driver.js');
  writeFileSync(driver, DRIVER);
  return {
    driver,
    start: (childStdout, argv) =>
      spawn(process.execPath, [driver, childStdout, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] }),
    cleanup: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Waits for a process to end and for all that it wrote. */
export function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

/** Resolves once the process has written `text` to stdout. Call it in the tick that started the process. */
export function saying(child: ChildProcess, text: string): Promise<void> {
  let seen = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer | string) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
  });
}
