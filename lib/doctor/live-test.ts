// SPDX-License-Identifier: MIT
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../core/numbers.js';
import { interfaceOf } from '../meter/domains.js';
import type { Counter, Meter } from '../meter/meter.js';
import { secondsBetween } from '../meter/reading.js';
import type { Compared } from './consistency.js';
import { judgeCounter } from './counter-test.js';
import type { ReadCost } from './diagnosis.js';
import { type LostMeter, lostMeters } from './lost.js';
import { quantile } from './statistics.js';
import { Track } from './track.js';

const IDLE_MS = 1000;
const BUSY_MS = 1000;
/** Between two looks at everything while nothing else is done. */
const LOOK_MS = 20;
/** What a source gets of the busy second, however many there are; one that blocks takes longer to show its updates. */
const LEAST_SLICE_MS = 150;
const LEAST_BLOCKING_SLICE_MS = 400;
/** The first reads are slow until the engine has compiled them. */
const WARM_UP_RATIO = 0.05;
const NS_PER_MS = 1e6;
const NS_PER_SECOND = 1e9;
/** The layout of a reading (docs/architecture.md). */
const HEADER_WORDS = 3;
const COUNTER_WORDS = 3;

/** Follows all counters of one meter. */
class Recorder {
  readonly meter: Meter;
  readonly tracks: Track[];
  readonly #originNs: bigint;

  constructor(meter: Meter, originNs: bigint) {
    this.meter = meter;
    this.#originNs = originNs;
    this.tracks = meter.counters.map(() => new Track());
  }

  /** Takes what the meter's last sample wrote; of a counter that could not be read, nothing. */
  note(): number {
    const { words } = this.meter;
    const at = (index: number): bigint => words[index] ?? 0n;
    const passNs = Number(at(0) + at(1) - 2n * this.#originNs) / 2;
    this.tracks.forEach((track, index) => {
      const first = HEADER_WORDS + COUNTER_WORDS * index;
      if ((at(first + 2) & 0xffffffffn) !== 0n) return;
      const ownNs = at(first + 1);
      track.add(passNs, at(first), ownNs === 0n ? undefined : Number(ownNs - this.#originNs));
    });
    return passNs;
  }

  look(): number {
    this.meter.sample();
    return this.note();
  }
}

interface Tight {
  source: string;
  /** It reads registers, each on a CPU of its own package. */
  byRegister: boolean;
  tracks: Map<string, Track>;
  /** What asking its slowest device costs, where a thread of its own does. */
  deviceCostNs: number;
  costsNs: number[];
}

/** MMIO and TPMI are read by any CPU alike. */
function readsRegister({ id, source }: Counter): boolean {
  return /^(perf|msr)(-core)?$/.test(source) || interfaceOf(id) === 'powercap:intel-rapl';
}

/** One source alone, read as fast as it can be; everything else is looked at now and then. */
async function readTightly(
  source: string,
  sliceMs: number,
  open: OpenSources,
  watch: Recorder,
): Promise<Tight> {
  const meter = open([source]);
  try {
    const recorder = new Recorder(meter, 0n);
    const costsNs: number[] = [];
    const endMs = performance.now() + sliceMs;
    let lookMs = performance.now() + LOOK_MS;
    for (let before = performance.now(); before < endMs; before = performance.now()) {
      meter.sample();
      costsNs.push((performance.now() - before) * NS_PER_MS);
      recorder.note();
      if (before < lookMs) continue;
      watch.look();
      // Whoever shares this thread gets a turn.
      await setImmediate();
      lookMs = performance.now() + LOOK_MS;
    }
    const tracks = new Map(
      meter.counters.map(({ id }, index) => [id, recorder.tracks[index] ?? new Track()]),
    );
    const deviceCostNs = Math.max(...meter.counters.map((_, index) => meter.timing(index).readCostNs ?? 0));
    return { source, byRegister: meter.counters.some(readsRegister), tracks, deviceCostNs, costsNs };
  } finally {
    meter.close();
  }
}

export type OpenSources = (sources: readonly string[]) => Meter;

export interface Recorded {
  durationSeconds: number;
  idleSeconds: number;
  /** Those that could be read, and those for which the total lacks a meter. */
  counters: Compared[];
  lost: LostMeter[];
  readCosts: ReadCost[];
}

function costOf(
  { source, byRegister, tracks, deviceCostNs, costsNs }: Tight,
  packageCount: number,
): ReadCost[] {
  const warm = costsNs.slice(Math.floor(costsNs.length * WARM_UP_RATIO));
  const [medianNs, p99Ns] = [quantile(warm, 0.5), quantile(warm, 0.99)];
  if (medianNs === undefined || p99Ns === undefined) return [];
  const detail =
    packageCount > 1 && byRegister
      ? `${packageCount} packages: some of it is a read on another package's CPU, which this one must interrupt`
      : deviceCostNs > 0
        ? `a thread of its own asks the devices, which takes ${formatDuration(deviceCostNs / NS_PER_SECOND)}; here what it read last is fetched`
        : '';
  return [{ source, counterCount: tracks.size, readCount: warm.length, medianNs, p99Ns, detail }];
}

/**
 * About two seconds: one in which this process sleeps and looks at every counter now and then, one in which it reads
 * the sources in turn as fast as it can. All counters are watched by one meter throughout, so that those of one
 * meter can be compared.
 * @param meter all sources, opened by name
 * @param open opens some sources by name
 * @param machine how many packages it has, and whether it is a virtual machine
 */
export async function recordLiveTest(
  meter: Meter,
  open: OpenSources,
  machine: { packageCount: number; isVirtual: boolean },
): Promise<Recorded> {
  const readable = meter.sources.filter(({ counters }) => counters.some(({ status }) => status === 'ok'));
  const watch = new Recorder(meter, 0n);
  const first = meter.read(true);
  watch.note();
  const startMs = performance.now();
  let idleEndNs = 0;
  while (performance.now() - startMs < IDLE_MS) {
    await sleep(LOOK_MS);
    idleEndNs = watch.look();
  }
  const idleSeconds = (performance.now() - startMs) / 1000;
  const tight: Tight[] = [];
  for (const { source, counters } of readable) {
    const least = counters.some(({ blocking }) => blocking) ? LEAST_BLOCKING_SLICE_MS : LEAST_SLICE_MS;
    tight.push(await readTightly(source, Math.max(BUSY_MS / readable.length, least), open, watch));
  }
  const last = meter.read();
  watch.note();
  const deltas = meter.between(first, last);
  const durationSeconds = secondsBetween(first, last);
  const judged = deltas.map((delta, index) =>
    judgeCounter({
      delta,
      watched: watch.tracks[index] ?? new Track(),
      tight: tight.find(({ source }) => source === delta.counter.source)?.tracks.get(delta.counter.id),
      idleEndNs,
      durationSeconds,
      isVirtual: machine.isVirtual,
    }),
  );
  const lost = lostMeters(
    judged.map((one, index) => ({
      ...one,
      // Zones of one name that count differently are meters of their own.
      meter: deltas[index]?.doubtful ? one.id : (deltas[index]?.meter ?? one.id),
      counted: one.inTotal && one.moved,
      unknownContent: deltas[index]?.counter.unknownContent,
    })),
  );
  const isListed = ({ id }: Compared, index: number): boolean =>
    deltas[index]?.counter.status === 'ok' || lost.some((one) => one.id === id);
  return {
    durationSeconds,
    idleSeconds,
    counters: judged.filter(isListed),
    lost,
    readCosts: tight.flatMap((one) => costOf(one, machine.packageCount)),
  };
}
