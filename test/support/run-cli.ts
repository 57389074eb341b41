// SPDX-License-Identifier: MIT
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** Added to our own environment, which is cleaned of what changes output; `undefined` removes. */
  env?: Record<string, string | undefined>;
  cwd?: string;
}

/** Starts the built command, for tests that signal it or talk to it. Its stdin is open. */
export function spawnCli(args: string[], options: CliOptions = {}): ChildProcessWithoutNullStreams {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NO_COLOR|FORCE_COLOR|MICROJOULE_)/.test(name),
  );
  const env = { ...Object.fromEntries(inherited), ...options.env };
  return spawn(process.execPath, [MAIN, ...args], { env, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs the built command to its end. Rejects, with what it wrote, when it takes too long. */
export function runCli(
  args: string[],
  options: CliOptions & { input?: string; timeoutMs?: number } = {},
): Promise<CliResult> {
  const { input = '', timeoutMs = 15_000 } = options;
  const child = spawnCli(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that never reads its stdin may be gone before we have written it.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // What it started may hold the pipes open still.
      child.stdout.destroy();
      child.stderr.destroy();
      const line = `microjoule ${args.join(' ')}`;
      reject(new Error(`${line}: not ended after ${timeoutMs} ms\nstdout: ${stdout}\nstderr: ${stderr}`));
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ exitCode, signal, stdout, stderr });
    });
  });
}
