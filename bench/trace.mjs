// SPDX-License-Identifier: MIT
//
// node bench/trace.mjs [HOURS]
//
// An hour (or so much of it) of ten counters a millisecond: written as a trace, then as Parquet and CSV, each in a process
// of its own whose memory is watched. Exits with 1 when a goal is missed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const COUNTERS = 10;
const ROWS_A_SECOND = 1000;
const GOAL_MB = 60;
const GOAL_MEMORY_MB = 200;

const hours = Number(process.argv[2] ?? 1);
// Handed down to the processes of its own.
const seconds = Number(process.env.TRACE_SECONDS ?? Math.round(hours * 3600));

/** Runs this file in another process and gives what it took. */
function apart(...args) {
  const startMs = performance.now();
  const ended = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], {
    encoding: 'utf8',
    env: { ...process.env, TRACE_SECONDS: String(seconds) },
  });
  if (ended.status !== 0) throw new Error(ended.stderr);
  const { memoryMb } = JSON.parse(ended.stdout);
  return { memoryMb, seconds: (performance.now() - startMs) / 1000 };
}

/** Made-up counters in RAPL's ticks: 10 to 100 W that wander by a tenth, and times that jitter. */
async function write(file) {
  const { TraceFile } = await import('../dist/traces.js');
  const { encodeRecord } = await import('../dist/streams.js');
  const trace = new TraceFile(file);
  const channels = Array.from({ length: COUNTERS }, (_, index) => ({
    id: `intel-rapl:${index}`,
    name: `package ${index}`,
    domain: 'package',
    device: index,
    source: 'powercap',
    origin: `/sys/class/powercap/intel-rapl:${index}/energy_uj`,
    kind: 'measured',
    unit: 'J',
    resolutionJoules: 1 / 16384,
    scaleNumerator: '1',
    scaleDenominator: '16384',
    inTotal: true,
    apart: '',
    overlaps: [],
    detail: '',
  }));
  const header = {
    type: 'header',
    schema: 'microjoule.stream/1',
    generator: { name: 'microjoule', version: '0.0.0' },
    clock: { id: 'CLOCK_MONOTONIC', monotonicNs: '0', unixNs: '1795000000000000000', uncertaintyNs: 1000 },
    machine: { os: 'Linux', runtime: 'Node.js', cpuThreadCount: 80, ramTotalGib: 512 },
    intervalNs: 1e9 / ROWS_A_SECOND,
    channels,
    absent: [],
  };
  trace.write(encodeRecord(header));
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const ticks = channels.map(() => 0);
  for (let row = 0; row < seconds * ROWS_A_SECOND; ++row) {
    const energyJoules = ticks.map((before, index) => {
      const watts = 10 * (index + 1) * (0.9 + 0.2 * random());
      ticks[index] = before + Math.round((watts / ROWS_A_SECOND) * 16384);
      return ticks[index] / 16384;
    });
    const timeNs = row * (1e9 / ROWS_A_SECOND) + Math.round(1e5 * random());
    trace.write(encodeRecord({ type: 'row', timeNs, energyJoules }));
  }
  trace.close();
  if (trace.problem !== undefined) throw trace.problem;
}

async function main() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-bench-'));
  try {
    const file = (name) => path.join(folder, name);
    const megabytes = (name) => statSync(file(name)).size / 1e6;
    const rows = [];
    const add = (what, name, took) => rows.push({ what, megabytes: megabytes(name), ...took });
    add('trace, compressed', 'run.jsonl.gz', apart('--write', file('run.jsonl.gz')));
    add('Parquet of it', 'run.parquet', apart('--export', file('run.jsonl.gz'), file('run.parquet')));
    add('CSV of it', 'run.csv', apart('--export', file('run.jsonl.gz'), file('run.csv')));
    console.log(`${seconds} s of ${COUNTERS} counters, ${ROWS_A_SECOND} rows a second\n`);
    console.log('| | size | an hour | memory at most | time |\n| --- | ---: | ---: | ---: | ---: |');
    for (const { what, megabytes: size, memoryMb, seconds: took } of rows) {
      const anHour = (size * 3600) / seconds;
      console.log(
        `| ${what} | ${size.toFixed(1)} MB | ${anHour.toFixed(0)} MB | ${memoryMb.toFixed(0)} MB | ${took.toFixed(0)} s |`,
      );
    }
    const [, parquet] = rows;
    const isSmall = (parquet.megabytes * 3600) / seconds < GOAL_MB;
    const isLean = rows.every(({ memoryMb }) => memoryMb < GOAL_MEMORY_MB);
    console.log(`\nGoal: Parquet under ${GOAL_MB} MB an hour: ${isSmall ? 'reached' : 'MISSED'}.`);
    console.log(`Goal: under ${GOAL_MEMORY_MB} MB of memory: ${isLean ? 'reached' : 'MISSED'}.`);
    process.exitCode = isSmall && isLean ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [, , what, from, to] = process.argv;
if (what === '--write' || what === '--export') {
  if (what === '--write') await write(from);
  else await (await import('../dist/traces.js')).exportTrace(from, [to]);
  console.log(JSON.stringify({ memoryMb: process.resourceUsage().maxRSS / 1000 }));
} else await main();
