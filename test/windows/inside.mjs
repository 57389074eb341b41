// SPDX-License-Identifier: MIT
//
// Runs Windows' Node from Windows, where an exit code has 32 bits, names are Unicode and a user's folder can be set:
//   node inside.mjs BASE64URL    of JSON { args, env, cwd }; prints JSON { exitCode, stdout, stderr }
import { spawnSync } from 'node:child_process';

const { args, env, cwd } = JSON.parse(Buffer.from(process.argv[2], 'base64url').toString());
// Names of variables have no case on Windows.
const given = new Set(Object.keys(env).map((name) => name.toUpperCase()));
const kept = Object.entries(process.env).filter(([name]) => !given.has(name.toUpperCase()));
const ended = spawnSync(process.execPath, args, {
  cwd,
  env: { ...Object.fromEntries(kept), ...env },
  stdio: ['ignore', 'pipe', 'pipe'],
  encoding: 'utf8',
});
process.stdout.write(JSON.stringify({ exitCode: ended.status, stdout: ended.stdout, stderr: ended.stderr }));
