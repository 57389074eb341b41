// SPDX-License-Identifier: MIT
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../core/numbers.js';
import type { Domain } from '../core/vocabulary.js';
import type { Counter, CounterDelta, Meter } from '../meter/meter.js';
import { secondsBetween, ticksToJoules } from '../meter/reading.js';
import type { Compared } from './consistency.js';
import type { ReadCost } from './diagnosis.js';
import { ERRORS, granularityOf, shortestRegion } from './resolution.js';
import {
  bestPeriod,
  isFrozen,
  isUnresolved,
  meanWatts,
  quantile,
  quantumTicks,
  stillSeconds,
} from './statistics.js';
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
/** The layout of a reading (docs/architecture.md). */
const HEADER_WORDS = 3;
const COUNTER_WORDS = 3;
/** No hardware updates RAPL so seldom; QEMU's emulation does, once a second. */
const EMULATED_PERIOD_SECONDS = 0.5;

/** These draw power as long as the machine is on. */
const TIRELESS: ReadonlySet<Domain> = new Set(['package', 'dram', 'gpu']);

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
      track.add(ownNs === 0n ? passNs : Number(ownNs - this.#originNs), at(first));
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
  blocking: boolean;
  tracks: Map<string, Track>;
  costsNs: number[];
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
    const blocking = meter.counters.some((counter) => counter.blocking);
    return { source, blocking, tracks, costsNs };
  } finally {
    meter.close();
  }
}

export type OpenSources = (sources: readonly string[]) => Meter;

export interface Recorded {
  durationSeconds: number;
  idleSeconds: number;
  counters: Compared[];
  readCosts: ReadCost[];
}

function costOf({ source, blocking, tracks, costsNs }: Tight, packageCount: number): ReadCost[] {
  const warm = costsNs.slice(Math.floor(costsNs.length * WARM_UP_RATIO));
  const [medianNs, p99Ns] = [quantile(warm, 0.5), quantile(warm, 0.99)];
  if (medianNs === undefined || p99Ns === undefined) return [];
  const detail =
    packageCount > 1 && !blocking
      ? `${packageCount} packages: some of it is a read on another package's CPU, which this one must interrupt`
      : '';
  return [{ source, counterCount: tracks.size, readCount: warm.length, medianNs, p99Ns, detail }];
}

interface Seen {
  counter: Counter;
  delta: CounterDelta;
  watched: Track;
  tight: Track | undefined;
  idleEndNs: number;
}

/** What the test shows of one counter. */
function testOf({ counter, delta, watched, tight, idleEndNs }: Seen): Compared {
  const { id, source, domain, device, die, scaleNumerator, scaleDenominator } = counter;
  const joules = (ticks: bigint): number => ticksToJoules(ticks, scaleNumerator, scaleDenominator);
  const moved = watched.updateCount > 0 || (tight?.updateCount ?? 0) > 0;
  const period = bestPeriod(tight, watched);
  const quantum = quantumTicks([tight, watched]);
  const idleWatts = meanWatts(watched, 0, idleEndNs, joules);
  const busyWatts = meanWatts(watched, idleEndNs, Number.POSITIVE_INFINITY, joules);
  const still = stillSeconds(watched);
  // Graphics that are switched off stand still and are well; what the total adds up never rests.
  const frozen = TIRELESS.has(domain) && isFrozen(watched);
  const slow = (period?.periodSeconds ?? still) >= EMULATED_PERIOD_SECONDS;
  const emulated = moved && slow && !frozen && !counter.blocking;
  const status = delta.status === 'ok' && frozen ? 'stale' : delta.status;
  const details = [
    delta.detail,
    emulated
      ? 'updated about once a second, as QEMU emulates RAPL from the host: regions below a second say nothing'
      : '',
    frozen
      ? `stood still for ${formatDuration(still)}, though it had moved often before: do not trust it`
      : '',
    period !== undefined && isUnresolved(period)
      ? 'moved at every read: it may be updated more often than it can be read'
      : '',
    status === 'stale' || (status === 'ok' && !moved) ? 'so its energy is unknown, not 0' : '',
  ];
  const test: Compared = {
    id,
    source,
    domain,
    device,
    ...(die === undefined ? {} : { die }),
    status,
    detail: details.filter((part) => part !== '').join('; '),
    inTotal: delta.inTotal && status === 'ok',
    moved,
    updateCount: Math.max(watched.updateCount, tight?.updateCount ?? 0),
    ...(delta.energyJoules === undefined || status !== 'ok' ? {} : { energyJoules: delta.energyJoules }),
    ...(period === undefined
      ? {}
      : { updatePeriodSeconds: period.periodSeconds, resolutionSeconds: period.resolutionSeconds }),
    ...(period?.jitterSeconds === undefined ? {} : { jitterSeconds: period.jitterSeconds }),
    stillSeconds: still,
    ...(quantum === undefined ? {} : { quantumJoules: joules(quantum) }),
    ...(idleWatts === undefined ? {} : { idleWatts }),
    ...(busyWatts === undefined ? {} : { busyWatts }),
    scaleNumerator,
    scaleDenominator,
  };
  if (!moved || frozen) return test;
  const region = (errorRatio: number) => shortestRegion(granularityOf(test), errorRatio).regionSeconds;
  return {
    ...test,
    regionSeconds: {
      onePercentSeconds: region(ERRORS.onePercent),
      fivePercentSeconds: region(ERRORS.fivePercent),
    },
  };
}

/**
 * About two seconds: one in which this process sleeps and looks at every counter now and then, one in which it reads
 * the sources in turn as fast as it can. All counters are watched by one meter throughout, so that those of one
 * meter can be compared.
 * @param meter all sources, opened by name
 * @param open opens some sources by name
 */
export async function recordLiveTest(
  meter: Meter,
  open: OpenSources,
  packageCount: number,
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
  const counters = deltas.map((delta, index) =>
    testOf({
      counter: delta.counter,
      delta,
      watched: watch.tracks[index] ?? new Track(),
      tight: tight.find(({ source }) => source === delta.counter.source)?.tracks.get(delta.counter.id),
      idleEndNs,
    }),
  );
  return {
    durationSeconds: secondsBetween(first, last),
    idleSeconds,
    counters: counters.filter((_, index) => deltas[index]?.counter.status === 'ok'),
    readCosts: tight.flatMap((one) => costOf(one, packageCount)),
  };
}
