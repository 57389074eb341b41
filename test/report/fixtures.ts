// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type {
  Component,
  CounterEnergy,
  Measurement,
  ModelDetails,
  PowerChannel,
  PowerSeries,
  Report,
} from '../../lib/core/report-types.js';
import type { Warning } from '../../lib/core/vocabulary.js';
import { buildReport, type ReportContext } from '../../lib/report/build.js';

const require = createRequire(import.meta.url);
const { default: Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
const { default: addFormats } = require('ajv-formats') as typeof import('ajv-formats');

const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats(ajv);
const validate = ajv.compile(
  JSON.parse(readFileSync(new URL('../../schema/report.schema.json', import.meta.url), 'utf8')),
);

/** What the schema says against `value`; empty when it is a report. */
export function schemaErrors(value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

/** The classic report's run: 1192.956553 s on a laptop in Brazil. */
export const GOLDEN_SECONDS = 1192.956553;
const RAM_GIB = 31.748809814453125;
const CPU_WATTS = 14;
export const RAM_WATTS = (3 / 8) * RAM_GIB;

export const goldenModel: ModelDetails = {
  name: 'cifar10-cnn',
  developer: 'Ana Souza',
  institution: 'Universidade Federal do Rio Grande do Sul',
  contact: 'ana.souza@example.org',
  date: 'December 2022',
  description: 'A convolutional network for image classification',
  purpose: 'Academic: interpretability and adversarial examples',
  trainingData: 'CIFAR-10',
  licence: 'MIT',
};

const absentGpu: Component = {
  kind: 'absent',
  source: 'nvml',
  method: 'not read',
  detail:
    'NVIDIA GeForce MX450 is on the PCI bus, and NVML answers that this board reports neither energy nor power.',
  atLeast: true,
  counters: [],
};

export const noGpu: Component = {
  kind: 'absent',
  source: 'pci',
  method: 'not read',
  detail: 'No GPU was found.',
  atLeast: false,
  counters: [],
};

export const goldenMeasurement: Measurement = {
  startedAtMs: Date.UTC(2022, 11, 25, 11, 40, 7),
  endedAtMs: Date.UTC(2022, 11, 25, 12, 0, 0),
  durationSeconds: GOLDEN_SECONDS,
  components: {
    cpu: {
      kind: 'assumed',
      source: 'user',
      method: 'constant',
      detail: 'The CPU is taken to draw 14 W throughout, as given by the user.',
      energyJoules: CPU_WATTS * GOLDEN_SECONDS,
      powerWatts: CPU_WATTS,
      atLeast: false,
      counters: [],
    },
    gpu: absentGpu,
    ram: {
      kind: 'assumed',
      source: 'user',
      method: 'W/GiB × installed GiB',
      detail: '0.375 W/GiB, as given by the user, x 31.7 GiB installed, whether in use or not.',
      energyJoules: RAM_WATTS * GOLDEN_SECONDS,
      powerWatts: RAM_WATTS,
      atLeast: false,
      counters: [],
    },
  },
  apart: [],
  machine: {
    os: 'Windows-10-10.0.19041-SP0',
    runtime: 'node v20.19.0',
    cpuModel: '11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz',
    cpuThreadCount: 8,
    gpuCount: 1,
    gpuModel: '1 x NVIDIA GeForce MX450',
    ramTotalGib: RAM_GIB,
  },
  warnings: [
    {
      code: 'gpu-not-measured',
      message: 'NVIDIA GeForce MX450 is there and its power cannot be read.',
      hint: 'Take the total as a lower bound.',
    },
  ],
};

export const goldenContext: ReportContext = {
  location: {
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: 'The user gave Brazil and rio grande do sul.',
    countryName: 'Brazil',
    countryAlpha2: 'BR',
    countryAlpha3: 'BRA',
    region: 'rio grande do sul',
    zone: 'BR-S',
  },
  intensity: {
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: 'The user gave 123.068 g/kWh, so no data set was asked.',
    intensityGramsPerKwh: 123.068,
  },
  cloud: {
    kind: 'assumed',
    source: 'default',
    method: 'not given',
    detail: 'No cloud provider was given; microjoule does not look for one.',
    onCloud: false,
  },
  model: goldenModel,
  projectName: 'cifar10-cnn',
  runId: '5f1e7f0c-6c0a-4c7e-9d6c-2f0a3c1b7e11',
  generatedAtMs: Date.UTC(2022, 11, 25, 12, 0, 1),
  version: '0.1.0',
};

export function goldenReport(): Report {
  return buildReport(goldenMeasurement, goldenContext);
}

/** A counter that was read. */
export function counter(over: Partial<CounterEnergy> & Pick<CounterEnergy, 'id' | 'domain'>): CounterEnergy {
  return { device: 0, origin: 'test', status: 'ok', detail: '', energyJoules: 100, inTotal: true, ...over };
}

const dramUnread: CounterEnergy = {
  id: 'dram-1',
  domain: 'dram',
  device: 1,
  origin: '/sys/class/powercap/intel-rapl:1:0',
  status: 'no-permission',
  detail: 'energy_uj may only be read by root.',
  inTotal: false,
};

/** A server with counters, a command, repetitions and warnings: everything a report can hold. */
export const serverMeasurement: Measurement = {
  startedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  endedAtMs: Date.UTC(2026, 0, 2, 3, 4, 11),
  durationSeconds: 6.0301,
  components: {
    cpu: {
      kind: 'measured',
      source: 'powercap',
      method: 'counter difference',
      detail: 'Sum of 2 packages.',
      energyJoules: 612.25,
      atLeast: false,
      counters: [
        counter({
          id: 'package-0',
          domain: 'package',
          origin: '/sys/class/powercap/intel-rapl:0',
          energyJoules: 300,
        }),
        counter({
          id: 'package-1',
          domain: 'package',
          device: 1,
          origin: '/sys/class/powercap/intel-rapl:1',
          energyJoules: 312.25,
        }),
      ],
    },
    gpu: {
      kind: 'measured',
      source: 'nvml',
      method: 'counter difference',
      detail: 'Sum of 1 board.',
      energyJoules: 1200,
      atLeast: false,
      counters: [
        counter({
          id: 'gpu-0',
          domain: 'gpu',
          origin: 'GPU-0f1e2d3c-0000-1111-2222-333344445555',
          energyJoules: 1200,
        }),
      ],
    },
    ram: {
      kind: 'measured',
      source: 'powercap',
      method: 'counter difference',
      detail: 'Sum of 1 of 2 DRAM domains.',
      energyJoules: 61.5,
      atLeast: true,
      counters: [counter({ id: 'dram-0', domain: 'dram', energyJoules: 61.5 }), dramUnread],
    },
  },
  apart: [counter({ id: 'psys', domain: 'psys', energyJoules: 2100, inTotal: false })],
  machine: {
    os: 'Linux 6.8.0',
    runtime: 'node v22.12.0',
    cpuModel: 'Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz',
    cpuThreadCount: 80,
    cpuUtilisationRatio: 0.4312,
    gpuCount: 1,
    gpuModel: '1 x NVIDIA H200',
    ramTotalGib: 376.5,
    ramUsedGib: 37.65,
  },
  warnings: [
    { code: 'dram-unreadable', message: 'One DRAM domain could not be read.', hint: 'Run as root.' },
    { code: 'short-run', message: "The runs were short beside the counters' update period." },
  ],
  command: {
    argv: ['node', 'train.js', '--name', 'two words'],
    exitCode: 0,
    userCpuSeconds: 20.5,
    systemCpuSeconds: 0.75,
  },
  runs: [
    { durationSeconds: 2, energyJoules: 600, kind: 'measured', atLeast: true },
    { durationSeconds: 2.0301, energyJoules: 650.75, kind: 'measured', atLeast: true },
    { durationSeconds: 2, energyJoules: 623, kind: 'measured', atLeast: true },
  ],
};

/** Two warnings of one code and one hint, with another between them. */
export const sharedHint: Warning[] = [
  { code: 'counter-lost', message: 'Counter a is lost.', hint: 'Run as root.' },
  { code: 'other', message: 'Other.', hint: 'Run as root.' },
  { code: 'counter-lost', message: 'Counter b is lost.', hint: 'Run as root.' },
];

export const germanContext: ReportContext = {
  location: {
    kind: 'estimated',
    source: 'time zone',
    method: 'main country of Europe/Berlin',
    detail: 'Taken from the time zone of the system; pass --country to be sure.',
    countryName: 'Germany',
    countryAlpha2: 'DE',
    countryAlpha3: 'DEU',
    zone: 'DE',
  },
  intensity: {
    kind: 'estimated',
    source: 'Electricity Maps 2025 via @tgwf/co2',
    method: 'yearly average, life cycle, consumption mix',
    detail: 'Zone DE.',
    intensityGramsPerKwh: 330.5,
    zone: 'DE',
    year: 2025,
    credit: 'Electricity Maps, ODbL.',
  },
  cloud: {
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: 'The user gave the cloud provider gcp.',
    onCloud: true,
    provider: 'gcp',
    region: 'europe-west3',
  },
  projectName: 'server',
  runId: 'run-2',
  generatedAtMs: Date.UTC(2026, 0, 2, 3, 4, 12),
  version: '0.1.0',
};

/** A seeded generator of numbers from 0 to 1 (mulberry32), so that failures repeat. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A training with everything in it that the page can show: kinds of all sorts, intervals, a score, a series. */
export function showcaseReport(): Report {
  const { cpu, gpu } = serverMeasurement.components;
  const bounded = (component: Component, energyJoules: number, ratio: number): Component => ({
    ...component,
    energyJoules,
    lowerJoules: energyJoules * (1 - ratio),
    upperJoules: energyJoules * (1 + ratio),
    confidenceRatio: 0.95,
  });
  const durationSeconds = 600;
  const measurement: Measurement = {
    ...serverMeasurement,
    endedAtMs: serverMeasurement.startedAtMs + durationSeconds * 1000,
    durationSeconds,
    warnings: [],
    components: {
      cpu: bounded(cpu, 61_225, 0.02),
      gpu: { ...bounded(gpu, 120_000, 0.05), atLeast: true, detail: 'Sum of 1 of 2 boards.' },
      ram: bounded(
        {
          ...noGpu,
          kind: 'estimated',
          source: 'ram per-gib model',
          method: 'W/GiB × installed GiB',
          detail: '0.375 W/GiB x 376.5 GiB installed, whether in use or not.',
        },
        84_712.5,
        0.4,
      ),
    },
  };
  const { runs: _, ...single } = measurement;
  return {
    ...buildReport(single, {
      ...germanContext,
      intensity: {
        ...germanContext.intensity,
        lowerGramsPerKwh: 237,
        upperGramsPerKwh: 461,
        confidenceRatio: 0.95,
        uncertaintyMethod: 'typical difference of Electricity Maps and Ember for a country',
      },
      score: { functionalUnit: 'image', unitCount: 60_000, embodiedKg: 1200, lifespanYears: 4 },
      model: goldenModel,
      projectName: 'cifar10-cnn on a server',
      generatedAtMs: measurement.endedAtMs + 1000,
    }),
    series: showcaseSeries(),
  };
}

/** Ten minutes at ten samples a second, thinned out from faster, with a gap. */
export function showcaseSeries(): PowerSeries {
  const random = seededRandom(5);
  const count = 6000;
  const channel = (name: 'cpu' | 'gpu' | 'ram', level: (second: number) => number): PowerChannel => {
    const powerWatts = Array.from({ length: count }, (_, index) =>
      index >= 3000 && index < 3100 ? null : level(index / 10) * (0.95 + 0.1 * random()),
    );
    return {
      name: name.toUpperCase(),
      component: name,
      kind: name === 'ram' ? 'estimated' : 'measured',
      source: { cpu: 'powercap', gpu: 'nvml', ram: 'ram per-gib model' }[name],
      powerWatts,
      lowestWatts: powerWatts.map((watts) => (watts === null ? null : watts * (0.8 + 0.1 * random()))),
      highestWatts: powerWatts.map((watts) => (watts === null ? null : watts * (1.1 + 0.2 * random()))),
    };
  };
  return {
    kind: 'estimated',
    source: 'powercap, nvml, ram per-gib model',
    method: 'counter difference over 100 ms',
    detail: 'Ten samples a second; between seconds 300 and 310 the counters could not be read.',
    edgesSeconds: Array.from({ length: count + 1 }, (_, index) => index / 10),
    channels: [
      channel('cpu', (second) => 102 + 30 * Math.sin(second / 40)),
      channel('gpu', (second) =>
        second < 30 || second > 570 ? 60 : 210 + 25 * Math.sign(Math.sin(second / 9)),
      ),
      channel('ram', () => 141),
    ],
  };
}
