// SPDX-License-Identifier: MIT
//
// What `microjoule run -- true` costs more than `true`, both started in the same way.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { alternate, row } from './stats.mjs';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const GOAL_MS = 150;

function milliseconds(command, args) {
  const start = performance.now();
  const ended = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const spent = performance.now() - start;
  if (ended.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ended.stderr}`);
  return spent;
}

export function measure({ rounds }) {
  const values = alternate(
    {
      true: () => milliseconds('true', []),
      node: () => milliseconds(process.execPath, ['--eval', '0']),
      microjoule: () => milliseconds(process.execPath, [MAIN, 'run', '--', 'true']),
    },
    rounds,
  );
  // The difference from `true`, but the ratio to Node's own start: that tells a slow machine from a slow command.
  const whole = row('`microjoule run -- true`', values.microjoule, 'ms', values.true, values.node);
  const bare = row('`node --eval 0`', values.node, 'ms', values.true, values.node);
  return {
    title: 'One run of the command',
    rows: [row('`true`', values.true, 'ms'), bare, whole],
    goal: {
      text: `adds under ${GOAL_MS} ms to the command`,
      reached: whole.more < GOAL_MS,
      value: `${whole.more.toFixed(1)} ms, of which Node's own start is ${bare.more.toFixed(1)} ms`,
    },
  };
}
