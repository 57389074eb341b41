// SPDX-License-Identifier: MIT
//
// The description of a machine, as README.md in this folder has it. parse.cc reads the same.

/** Part of a power profile, until the next one begins. */
export interface Part {
  shape: 'constant' | 'ramp' | 'square';
  fromNs: bigint;
  firstUw: bigint;
  secondUw: bigint;
  lengthNs: bigint;
}

/** One physical counter. */
export interface Meter {
  name: string;
  /** Counts 2^-esu J, */
  esu: bigint;
  /** or so many nanojoules, unless this is 0. */
  unitNj: bigint;
  /** Its count at time 0; without it, one that its seed gives. */
  start: bigint | undefined;
  updateNs: bigint;
  jitterNs: bigint;
  noiseNj: bigint;
  /** Drawn beside all else while the program's load is on; the truth of that is the program's to know. */
  loadUw: bigint;
  seed: bigint;
  parts: Part[];
  holds: Meter[];
}

export interface Zone {
  folder: string;
  /** `-` is empty, `none` is missing. */
  name: string;
  meter: Meter;
  unitNj: bigint;
  /** What the file holds, `none` where it is missing; by default what the kernel would write. */
  range: string;
  padded: boolean;
  masked: boolean;
  enabled: boolean;
}

export interface Pmu {
  name: string;
  type: number;
  cpumask: string;
  events: { name: string; code: number; cpu: number; meter: Meter }[];
}

export interface CpuPlace {
  cpu: number;
  package: number;
  die: number;
  core: number;
}

export interface Description {
  processor?: { vendor: string; family: number; model: number; isVirtual: boolean; hasAmdRapl: boolean };
  /** Offline ones too. */
  cpus: CpuPlace[];
  offline: Set<number>;
  meters: Map<string, Meter>;
  zones: Zone[];
  pmus: Map<string, Pmu>;
  msr: number[];
  msrSafe: number[];
  files: { path: string; text: string }[];
}

const TIMES = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n };
const POWERS = { uW: 1n, mW: 1000n, W: 1_000_000n };
const ENERGIES = { nJ: 1n, uJ: 1000n, mJ: 1_000_000n, J: 1_000_000_000n };

class Words {
  readonly #words: string[];
  constructor(line: string) {
    this.#words = line.replace(/(^|\s)#.*/, '').match(/\S+/g) ?? [];
  }
  more(): boolean {
    return this.#words.length > 0;
  }
  takes(word: string): boolean {
    if (this.#words[0] !== word) return false;
    this.#words.shift();
    return true;
  }
  expect(word: string): void {
    if (!this.takes(word)) throw new Error(`${word} expected, not ${this.#words[0]}`);
  }
  word(): string {
    const word = this.#words.shift();
    if (word === undefined) throw new Error('the line is too short');
    return word;
  }
  rest(): string {
    return this.#words.splice(0).join(' ');
  }
  big(): bigint {
    return BigInt(this.word());
  }
  number(): number {
    return Number(this.big());
  }
  cpus(): number[] {
    return this.word()
      .split(',')
      .flatMap((range) => {
        const [first = Number.NaN, last = first] = range.split('-').map(Number);
        return Array.from({ length: last - first + 1 }, (_, i) => first + i);
      });
  }
  #quantity(units: Record<string, bigint>): bigint {
    const word = this.word();
    const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d+))?([a-zA-Z]+)$/.exec(word) ?? [];
    const factor = units[unit];
    const scale = 10n ** BigInt(fraction.length);
    const scaled = BigInt(whole + fraction) * (factor ?? 0n);
    if (factor === undefined || scaled % scale !== 0n) throw new Error(`no quantity: ${word}`);
    return scaled / scale;
  }
  time(): bigint {
    return this.#quantity(TIMES);
  }
  power(): bigint {
    return this.#quantity(POWERS);
  }
  energy(): bigint {
    return this.#quantity(ENERGIES);
  }
}

/** FNV-1a. */
function seedOf(name: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function parseMeter(words: Words, known: Map<string, Meter>): Meter {
  const name = words.word();
  const constant = { shape: 'constant', fromNs: 0n, firstUw: 0n, secondUw: 0n, lengthNs: 0n } as const;
  const first: Part = { ...constant };
  const meter: Meter = {
    name,
    esu: 14n,
    unitNj: 0n,
    start: undefined,
    updateNs: 1_000_000n,
    jitterNs: 0n,
    noiseNj: 0n,
    loadUw: 0n,
    seed: seedOf(name),
    parts: [first],
    holds: [],
  };
  while (words.more()) {
    if (words.takes('esu')) meter.esu = words.big();
    else if (words.takes('unit')) meter.unitNj = words.energy();
    else if (words.takes('bits')) words.number();
    else if (words.takes('power')) first.firstUw = words.power();
    else if (words.takes('load')) meter.loadUw = words.power();
    else if (words.takes('start')) meter.start = words.big();
    else if (words.takes('update')) meter.updateNs = words.time();
    else if (words.takes('jitter')) meter.jitterNs = words.time();
    else if (words.takes('noise')) meter.noiseNj = words.energy();
    else if (words.takes('seed')) meter.seed = words.big();
    else if (words.takes('holds')) meter.holds.push(get(known, words.word()));
    else throw new Error(`did not expect ${words.word()}`);
  }
  return meter;
}

function parsePower(words: Words, meters: Map<string, Meter>): void {
  const meter = get(meters, words.word());
  words.expect('at');
  const fromNs = words.time();
  const shape = words.takes('ramp') ? 'ramp' : words.takes('square') ? 'square' : 'constant';
  const firstUw = words.power();
  const changes = shape !== 'constant';
  const secondUw = changes ? words.power() : 0n;
  const lengthNs = changes ? words.time() : 0n;
  meter.parts.push({ shape, fromNs, firstUw, secondUw, lengthNs });
}

function parseZone(words: Words, meters: Map<string, Meter>): Zone {
  const [folder, name] = [words.word(), words.word()];
  words.expect('of');
  const meter = get(meters, words.word());
  let unitNj = meter.unitNj || 1_000_000_000n >> meter.esu;
  let range: string | undefined;
  const flags = { padded: false, masked: false, enabled: true };
  while (words.more()) {
    if (words.takes('unit')) unitNj = words.energy();
    else if (words.takes('range')) range = words.word();
    else if (words.takes('padded')) flags.padded = true;
    else if (words.takes('masked')) flags.masked = true;
    else if (words.takes('disabled')) flags.enabled = false;
    else throw new Error(`did not expect ${words.word()}`);
  }
  // As drivers/powercap/intel_rapl_common.c computes it.
  range ??= String((0xffffffffn * unitNj) / 1000n);
  return { folder, name, meter, unitNj, range, ...flags };
}

function parsePmu(words: Words): Pmu {
  const pmu: Pmu = { name: words.word(), type: words.number(), cpumask: '', events: [] };
  while (words.more()) {
    if (words.takes('cpus')) pmu.cpumask = words.word();
    else if (!words.takes('die') && !words.takes('core')) throw new Error(`did not expect ${words.word()}`);
  }
  return pmu;
}

function get<T>(known: Map<string, T>, name: string): T {
  const found = known.get(name);
  if (found === undefined) throw new Error(`${name} is not described above`);
  return found;
}

function parseLine(words: Words, machine: Description): void {
  if (words.takes('processor')) {
    const [vendor, family, model] = [words.word(), words.number(), words.number()];
    const isVirtual = words.takes('virtual');
    machine.processor = { vendor, family, model, isVirtual, hasAmdRapl: words.takes('rapl') };
  } else if (words.takes('cpus')) {
    const list = words.cpus();
    words.expect('package');
    const device = words.number();
    const die = words.takes('die') ? words.number() : 0;
    const core = words.takes('core') ? words.number() : undefined;
    let next = machine.cpus.filter((place) => place.package === device).length;
    for (const cpu of list) machine.cpus.push({ cpu, package: device, die, core: core ?? next++ });
  } else if (words.takes('offline')) {
    for (const cpu of words.cpus()) machine.offline.add(cpu);
  } else if (words.takes('meter')) {
    const meter = parseMeter(words, machine.meters);
    machine.meters.set(meter.name, meter);
  } else if (words.takes('power')) {
    parsePower(words, machine.meters);
  } else if (words.takes('zone')) {
    machine.zones.push(parseZone(words, machine.meters));
  } else if (words.takes('pmu')) {
    const pmu = parsePmu(words);
    machine.pmus.set(pmu.name, pmu);
  } else if (words.takes('event')) {
    const pmu = get(machine.pmus, words.word());
    const [name, code] = [words.word(), words.number()];
    words.expect('cpu');
    const cpu = words.number();
    words.expect('of');
    pmu.events.push({ name, code, cpu, meter: get(machine.meters, words.word()) });
  } else if (words.takes('msr')) {
    machine.msr.push(...words.cpus());
  } else if (words.takes('msr-safe')) {
    machine.msrSafe.push(...words.cpus());
  } else if (words.takes('file')) {
    machine.files.push({ path: words.word(), text: words.rest() });
  } else if (/^(register|registers|renumber|paranoid|loads|suspend|fault)$/.test(words.word())) {
    words.rest(); // what only the library needs
  } else {
    throw new Error('no kind of line is called so');
  }
  if (words.more()) throw new Error(`did not expect ${words.word()}`);
}

/** @throws Error with the line that is wrong */
export function parseDescription(text: string): Description {
  const machine: Description = {
    cpus: [],
    offline: new Set(),
    meters: new Map(),
    zones: [],
    pmus: new Map(),
    msr: [],
    msrSafe: [],
    files: [],
  };
  for (const [index, line] of text.split('\n').entries()) {
    const words = new Words(line);
    if (!words.more()) continue;
    try {
      parseLine(words, machine);
    } catch (error) {
      throw new Error(`line ${index + 1}: ${line}: ${(error as Error).message}`);
    }
  }
  return machine;
}
