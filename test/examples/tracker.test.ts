// SPDX-License-Identifier: MIT
//
// The stream is for programs in any language: one in Python sums it up and finds what was truly used.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
/** See the producer's test. */
const SLACK_NS = 40_000_000n;

// Without python3, or a C++ compiler for the machine, there is nothing to run: apt-get install python3 g++.
describe.skipIf(!hasPython || !hasVirtualMachine)('examples/tracker.py', () => {
  it('finds what a machine truly used while a block of Python ran', async () => {
    const machine = startMachine('two-sockets-dram');
    try {
      const script = `
import json, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(EXAMPLES)})
from tracker import Tracker
before = time.monotonic_ns()
with Tracker([${JSON.stringify(process.execPath)}, ${JSON.stringify(MAIN)}], 0.05) as tracker:
    time.sleep(1)
after = time.monotonic_ns()
print(json.dumps({
    "before": str(before), "after": str(after), "start": str(tracker.start_ns),
    "seconds": tracker.duration_seconds, "joules": tracker.energy_joules, "watts": tracker.peak_watts,
    "kind": tracker.kind, "atLeast": tracker.at_least, "end": tracker.end,
    "names": [name for name, _, _ in tracker.by_channel()],
}))`;
      const ran = await machine.run('python3', ['-c', script]);
      expect(ran.stderr).toBe('');
      const found = JSON.parse(ran.stdout);
      const start = BigInt(found.start);
      const end = start + BigInt(Math.round(found.seconds * 1e9));
      expect(start).toBeGreaterThan(BigInt(found.before));
      expect(end).toBeLessThan(BigInt(found.after));
      expect(found.seconds).toBeGreaterThan(0.9);
      expect(found.joules).toBeGreaterThan(machine.trueTotalJoules(start + SLACK_NS, end - SLACK_NS));
      expect(found.joules).toBeLessThan(machine.trueTotalJoules(start - SLACK_NS, end + SLACK_NS));
      expect(found.end).toMatchObject({ reason: 'signal', energyJoules: expect.closeTo(found.joules, 6) });
      expect(found).toMatchObject({ kind: 'measured', atLeast: false });
      expect(found.names).toEqual(['package 0', 'dram 0', 'package 1', 'dram 1']);
      // 178 W at first, 233 W at last, and what the rows' times are off by.
      expect(found.watts).toBeGreaterThan(170);
    } finally {
      machine.cleanup();
    }
  });

  it('ends as the command ended that it tracked', async () => {
    const machine = startMachine('two-sockets-dram');
    try {
      const microjoule = `${process.execPath} ${MAIN}`;
      const ran = await machine.run('python3', [
        `${EXAMPLES}/tracker.py`,
        ...['--grams-per-kwh', '100', '--microjoule', microjoule, '--', 'sh', '-c', 'sleep 0.3; exit 7'],
      ]);
      expect(ran.exitCode).toBe(7);
      expect(ran.stderr).toMatch(
        /^\d\.\d+ s, \d+\.\d+ J \(measured\)\n {2}package 0 +\d+\.\d+ J {2}measured: perf\n/,
      );
      expect(ran.stderr).toMatch(/ {2}0\.00\d+ g CO2e at 100 g\/kWh\n$/);
    } finally {
      machine.cleanup();
    }
  });
});
