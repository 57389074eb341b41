// SPDX-License-Identifier: MIT
import type { Domain, Kind, Provenance, Status, Warning } from './vocabulary.js';

/** The kinds of a value that is there. */
export type PresentKind = Exclude<Kind, 'absent'>;

/** An interval that holds the true energy with the given probability. All of it is there, or none. */
export interface EnergyBounds {
  lowerJoules?: number;
  upperJoules?: number;
  /** Coverage probability, e.g. 0.95. */
  confidenceRatio?: number;
}

/** One counter's share of a component, or of what is shown apart from the total. */
export interface CounterEnergy {
  id: string;
  domain: Domain;
  device: number;
  origin: string;
  status: Status;
  /** Why there is no energy; empty when `status` is `ok`. */
  detail: string;
  /** Energy in the region, in joules. Absent unless `status` is `ok`. */
  energyJoules?: number;
  /** How its energy came about, where its source has several ways: total energy, instant or average power integrated. */
  method?: string;
  /** Whether the one total holds this counter. */
  inTotal: boolean;
}

/** Energy of one component of the machine over the region. */
export interface Component extends Provenance, EnergyBounds {
  /** In joules. Absent when `kind` is `absent`. */
  energyJoules?: number;
  /** In kilowatt-hours. Absent when `kind` is `absent`. */
  energyKwh?: number;
  /** Mean over the region, in watts. Absent when `kind` is `absent` or the region has no length. */
  powerWatts?: number;
  /** True when a part of this component is known to exist and could not be read. */
  atLeast: boolean;
  counters: CounterEnergy[];
}

export interface Components {
  cpu: Component;
  gpu: Component;
  ram: Component;
}

/** Who told the numbers beside it. */
export interface Told {
  kind: PresentKind;
  /** As {@link Provenance.source}. */
  source: string;
}

/** The machine as the report describes it. What is unknown is left out. */
export interface Machine {
  /** A hash that reports share which were made on one machine between two of its starts; of its boot id, or of its names. */
  instanceId?: string;
  os: string;
  runtime: string;
  cpuModel?: string;
  cpuThreadCount: number;
  /** Mean share of all hardware threads that were busy, 0 to 1. */
  cpuUtilisationRatio?: number;
  /** GPUs known to be there, read or not. Absent where there was nowhere to look. */
  gpuCount?: number;
  /** E.g. `1 x NVIDIA GeForce MX450`. */
  gpuModel?: string;
  /** Version of the GPUs' driver. */
  gpuDriver?: string;
  /** Sum of the power limits in force. */
  gpuPowerLimitWatts?: number;
  /** Mean share of the time in which the GPUs were busy, 0 to 1. */
  gpuUtilisationRatio?: number;
  gpuMemoryTotalGib?: number;
  gpuMemoryUsedGib?: number;
  ramTotalGib: number;
  ramUsedGib?: number;
}

/** The command that was run. Its CPU times are the child's own; energy is the whole machine's. */
export interface Command {
  argv: string[];
  exitCode?: number;
  signal?: string;
  /** In seconds, children of the child included. Absent when the operating system was not asked. */
  userCpuSeconds?: number;
  systemCpuSeconds?: number;
}

/** Mean and sample standard deviation over repetitions. */
export interface Spread {
  mean: number;
  standardDeviation: number;
}

/** One of several runs: its total, and how good that total is. */
export interface Run {
  durationSeconds: number;
  energyJoules: number;
  /** The worst kind that went into the energy; `absent` when there is none, whatever `energyJoules` says. */
  kind: Kind;
  /** True when something known to be there could not be read in this run. */
  atLeast: boolean;
}

export interface Repetitions {
  count: number;
  /** Of the energies: the worst of the runs. */
  kind: PresentKind;
  /** As {@link Provenance.source}. */
  source: string;
  /** True when any run's energy is a lower bound. */
  atLeast: boolean;
  durationSeconds: Spread;
  energyJoules: Spread;
  /** Its own kind is the weaker of the energies' and the intensity's. */
  emissionsGrams: Spread & { kind: PresentKind };
  runs: (Run & { kind: PresentKind; emissionsGrams: number })[];
}

/** Whose energy a report is of. */
export type TrackingMode = 'machine' | 'process';

/** How the energy of a process, its children included, was told from the machine's. */
export interface Attribution extends Provenance {
  kind: PresentKind;
  /** Of the CPU's energy, 0 to 1: shared stretch by stretch, so not quite `cpuSeconds` over `machineCpuSeconds`. */
  cpuShareRatio: number;
  /** Of the memory's energy, 0 to 1; likewise. */
  ramShareRatio: number;
  /** CPU time of the process and its children. */
  cpuSeconds: number;
  /** CPU time of all that ran. Absent where the operating system hides it. */
  machineCpuSeconds?: number;
  /** Resident memory of the process and its children: mean over the region. */
  residentGib: number;
  /** Energy of the whole machine, GPUs included. */
  machineJoules: number;
  /** What of that is not in the report's total: other programs, and GPUs. */
  restJoules: number;
}

/** What a run yields, before place and carbon. */
export interface Measurement {
  /** Unix time in milliseconds. */
  startedAtMs: number;
  endedAtMs: number;
  durationSeconds: number;
  components: Components;
  /** Counters that never enter the total: psys, core, uncore, twins, unknown domains. */
  apart: CounterEnergy[];
  machine: Machine;
  /** There when the components are one process's share of the machine. */
  attribution?: Attribution;
  warnings: Warning[];
  command?: Command;
  /** Power over its time, where that was taken down. */
  series?: PowerSeries;
  /** The single runs, when there were several. */
  runs?: Run[];
}

export interface Location extends Provenance {
  countryName?: string;
  /** ISO 3166-1. */
  countryAlpha2?: string;
  countryAlpha3?: string;
  /** As the user gave it or as ISO 3166-2 names it. */
  region?: string;
  /** Electricity Maps zone that stands for country and region, where there is one. */
  zone?: string;
}

export interface Intensity extends Provenance {
  kind: PresentKind;
  intensityGramsPerKwh: number;
  /** Zone or country code that answered; `WORLD` for the world average. */
  zone?: string;
  /** The year the value stands for. Absent when the data set does not say. */
  year?: number;
  /** The data set's licence and credit line. */
  credit?: string;
  /** An interval that holds the true intensity with probability `confidenceRatio`: all three, or none. */
  lowerGramsPerKwh?: number;
  upperGramsPerKwh?: number;
  confidenceRatio?: number;
  /** Where the interval comes from. There when the interval is. */
  uncertaintyMethod?: string;
}

export interface Cloud extends Provenance {
  onCloud: boolean;
  provider?: string;
  region?: string;
}

/** Who made the model and why. Every field is free text and optional. */
export interface ModelDetails {
  name?: string;
  developer?: string;
  contact?: string;
  institution?: string;
  date?: string;
  description?: string;
  purpose?: string;
  trainingData?: string;
  /** As Hugging Face's model cards have it: `pre-training` or `fine-tuning`. */
  trainingType?: string;
  licence?: string;
  /** Further lines such as `Test accuracy`. */
  results?: Record<string, string | number>;
}

export interface Reference {
  id: string;
  text: string;
  url?: string;
}

/** The one total. There is no report without one, so it is never absent. */
export interface TotalEnergy extends Provenance, EnergyBounds {
  kind: PresentKind;
  energyJoules: number;
  energyKwh: number;
  /** Mean over the region, in watts. Absent when the region has no length. */
  powerWatts?: number;
  /** True when something known to be there could not be read: the true value is higher. */
  atLeast: boolean;
  measuredJoules: number;
  estimatedJoules: number;
  assumedJoules: number;
  /** What is left out, one sentence each. */
  absent: string[];
}

/** What the building around the machine takes, by factors that the user gave. */
export interface Facility extends Provenance {
  kind: PresentKind;
  /** PUE (ISO/IEC 30134-2): energy of the facility over that of its IT equipment, at least 1. */
  pueRatio: number;
  /** Energy of the machine times the PUE, in kWh: what the emissions are of. */
  facilityKwh: number;
  /** WUE (ISO/IEC 30134-9): litres of water per kWh of IT equipment. Absent when not given. */
  wueLitresPerKwh?: number;
  /** Energy of the machine times the WUE, in litres. Absent when no WUE was given. */
  waterLitres?: number;
}

/** What the emissions' interval takes into account. */
export type UncertaintyPart = 'energy' | 'intensity';

/** CO2 equivalent of the total energy: operational emissions. */
export interface Emissions extends Provenance {
  kind: PresentKind;
  emissionsKg: number;
  emissionsGrams: number;
  /** Absent when the region has no length. */
  emissionsKgPerSecond?: number;
  /** What a Julian year at the same rate would emit. Absent when the region has no length. */
  emissionsKgPerYear?: number;
  atLeast: boolean;
  /** An interval for what was counted; absent where neither energy nor intensity has one. */
  lowerGrams?: number;
  upperGrams?: number;
  confidenceRatio?: number;
  /** What the interval takes into account; the other is taken as exact in it. There when the interval is. */
  uncertaintyOf?: UncertaintyPart[];
}

/** The run's share of what making the hardware emitted: M of ISO/IEC 21031. The terms are the user's. */
export interface Embodied extends Provenance {
  kind: PresentKind;
  /** M = TE x TiR / EL x RR/ToR, in grams of CO2 equivalent. */
  embodiedGrams: number;
  /** TE: what making the hardware emitted, in grams of CO2 equivalent. This and the other terms: not when merged. */
  totalEmbodiedGrams?: number;
  /** TiR: how long it was reserved for the software, in seconds. */
  reservedSeconds?: number;
  /** EL: how long it is expected to be in use, in seconds. */
  lifespanSeconds?: number;
  /** RR/ToR: the share of it that was reserved, 0 to 1. */
  reservedRatio?: number;
}

/** Emissions per functional unit. Only with embodied emissions may it be called SCI. */
export interface Score extends Provenance {
  kind: PresentKind;
  name: 'SCI' | 'operational emissions';
  /** R, in the singular, e.g. `image`. */
  functionalUnit: string;
  /** How many of them the run did. */
  unitCount: number;
  /** Grams of CO2 equivalent per functional unit. */
  gramsPerUnit: number;
  lowerGramsPerUnit?: number;
  upperGramsPerUnit?: number;
  confidenceRatio?: number;
  atLeast: boolean;
}

/** One channel of a {@link PowerSeries}. Every list has one entry an interval; `null` where nothing is known. */
export interface PowerChannel {
  /** For people, e.g. `CPU` or `package 0`. */
  name: string;
  /** The component it is a part of, where it is one. */
  component?: keyof Components;
  kind: PresentKind;
  /** As {@link Provenance.source}. */
  source: string;
  /** Mean over each interval, in watts. */
  powerWatts: (number | null)[];
  /** The least and the most inside each interval, where the series was thinned out. Both, or neither. */
  lowestWatts?: (number | null)[];
  highestWatts?: (number | null)[];
}

/** Power over the time of the run. */
export interface PowerSeries extends Provenance {
  kind: PresentKind;
  /** Ends of the intervals in seconds since the start of the run, ascending: one more than there are intervals. */
  edgesSeconds: number[];
  channels: PowerChannel[];
}

/** One of the runs of which a merged report is the sum. */
export interface MergedRun {
  runId: string;
  projectName: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  endedAt: string;
  durationSeconds: number;
  energyJoules: number;
  emissionsGrams: number;
  /** Of the emissions. */
  kind: PresentKind;
  /** Likewise, as {@link Provenance.source}. */
  source: string;
  atLeast: boolean;
  /** As in {@link Machine}. */
  instanceId?: string;
  os: string;
  cpuModel?: string;
  gpuModel?: string;
  /** Where the run was made, in words; absent when not known. */
  place?: string;
}

/**
 * The CO2 emission report. `schema/report.schema.json` describes its JSON. The kind of a number, and its source, are those of
 * the nearest object around it that has one; a counter's are `measured`, and its `origin`.
 */
export interface Report {
  schema: 'microjoule.report/1';
  generator: { name: 'microjoule'; version: string };
  /** ISO 8601, UTC. */
  generatedAt: string;
  startedAt: string;
  endedAt: string;
  projectName: string;
  runId: string;
  /** CodeCarbon's names for what several runs belong to. There when given. */
  experimentId?: string;
  experimentName?: string;
  /** Name of the task, when the report is of one. */
  task?: string;
  trackingMode: TrackingMode;
  /** In kilograms of CO2 equivalent; the same number as `emissions.emissionsKg`. Never a stand-in for "unknown". */
  emissionsKg: number;
  duration: Provenance & { kind: PresentKind; durationSeconds: number };
  energy: TotalEnergy;
  components: Components;
  /** There when `trackingMode` is `process`. */
  attribution?: Attribution;
  apart: CounterEnergy[];
  emissions: Emissions;
  /** There when the user gave a PUE or a WUE. Energies elsewhere are the machine's own. */
  facility?: Facility;
  /** There when the user gave the terms. */
  embodied?: Embodied;
  /** There when the user named a functional unit. */
  score?: Score;
  intensity: Intensity;
  location: Location;
  cloud: Cloud;
  machine: Machine & Told;
  command?: Command & Told;
  repetitions?: Repetitions;
  /** There when a sampler kept one. */
  series?: PowerSeries;
  /** There when the report is the sum of several. Durations are then machine time. */
  merged?: MergedRun[];
  model?: ModelDetails;
  warnings: Warning[];
  references: Reference[];
}
