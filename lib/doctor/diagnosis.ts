// SPDX-License-Identifier: MIT
import type { Domain, Status } from '../core/vocabulary.js';

/** Something that makes a source readable on this machine. */
export interface Fix {
  /** What it does, in a few words. */
  title: string;
  /** To be typed in this order, or lines for a container's or a service's settings; `#` says which. */
  commands: string[];
  /** Why this and nothing wider, and what it costs. */
  why: string;
  /** How long what it changes stays. */
  holds: 'lasting' | 'until-restart' | 'until-it-ends' | 'changes-nothing';
}

export interface CounterDiagnosis {
  id: string;
  domain: Domain;
  device: number;
  die?: number;
  /** Where it is read. */
  origin: string;
  status: Status;
  detail: string;
}

export interface SourceDiagnosis {
  source: string;
  /** Of the source; where it works and none of its counters does, theirs. */
  status: Status;
  /** In words; never empty. */
  reason: string;
  /** Without it something goes unread; otherwise its fixes add nothing, as another source reads the same. */
  needed: boolean;
  /** In the order to consider them, each with whom it opens what to; none where nothing can be done here. */
  fixes: Fix[];
  counters: CounterDiagnosis[];
}

/** A state, and how it is known. */
export interface Known<State extends string> {
  state: State;
  detail: string;
}

export interface MachineDiagnosis {
  os: string;
  kernel: string;
  architecture: string;
  /** `family` and `model` are the display numbers, as in /proc/cpuinfo. */
  cpu: { name: string; vendor?: string; family?: number; model?: number; threadCount: number };
  hardware: Known<'bare-metal' | 'virtual-machine' | 'unknown'>;
  container: Known<'none' | 'docker' | 'podman' | 'kubernetes' | 'other'>;
  nodeVersion: string;
  addon: Known<'prebuilt' | 'compiled' | 'missing'> & { path?: string };
  /** /proc/sys/kernel/perf_event_paranoid. */
  perfEventParanoid?: number;
  /** /sys/kernel/security/lockdown: `none`, `integrity` or `confidentiality`. */
  lockdown?: string;
  /** Whether Intel's energy filter adds noise to what RAPL reports (INTEL-SA-00389). */
  energyFilter: Known<'on' | 'off' | 'possible' | 'none' | 'unknown'>;
}

/** What one counter did in the live test, or why a meter of the total could not be tested. */
export interface CounterTest {
  id: string;
  source: string;
  domain: Domain;
  device: number;
  die?: number;
  status: Status;
  /** Why there is no energy, or a remark. */
  detail: string;
  inTotal: boolean;
  moved: boolean;
  updateCount: number;
  /** Over the whole test. Absent unless `status` is `ok`. */
  energyJoules?: number;
  /** Median time between two updates; absent where fewer than two were seen, or where it is that of a sum. */
  updatePeriodSeconds?: number;
  /** Then the period is that of the reads, and its own may be shorter. */
  movedAtEveryRead?: true;
  /** Robust standard deviation (1.4826 MAD) of the times between two updates; absent below four updates. */
  jitterSeconds?: number;
  /** How finely it was looked at: half of the counter's updates were seen within this of the look before. */
  resolutionSeconds?: number;
  /** The longest time without an update. */
  stillSeconds: number;
  /** The greatest common divisor of all steps. */
  quantumJoules?: number;
  /** Mean power while this process slept; whatever else ran is in it. */
  idleWatts?: number;
  /** Mean power while this process kept one thread busy reading. */
  busyWatts?: number;
  /** The shortest region that plain reading before and after resolves to the named error (one sigma). */
  regionSeconds?: { onePercentSeconds: number; fivePercentSeconds: number };
}

/** What reading a source alone costs the caller, the call from JavaScript included. */
export interface ReadCost {
  source: string;
  counterCount: number;
  readCount: number;
  medianNs: number;
  p99Ns: number;
  /** What part of it is, where that is known; may be empty. */
  detail: string;
}

/** A comparison of counters with each other over the test. */
export interface Check {
  kind: 'parts' | 'twins' | 'platform';
  /** `remark`: different, and explained. */
  result: 'agree' | 'disagree' | 'remark';
  counters: string[];
  /** The second counter (or sum) over the first. */
  factorRatio?: number;
  detail: string;
}

export interface LiveTest {
  durationSeconds: number;
  idleSeconds: number;
  counters: CounterTest[];
  readCosts: ReadCost[];
  checks: Check[];
}

/** The shortest region whose total this machine resolves by plain reading before and after. */
export interface Resolution {
  errorRatio: number;
  regionSeconds: number;
  /** The counter that sets it. */
  counter: string;
  /** What of it does; `reading` where it moved at every read, and a shorter region may do. */
  bound: 'update-period' | 'reading' | 'quantum';
}

export interface Verdict {
  /** A counter in the total moved. */
  measured: boolean;
  /** Packages, memory and GPUs of which no counter lasted, each by one counter: totals lack them. */
  lost: string[];
  sentence: string;
  /** What to run next. */
  next: { command: string; why: string };
}

/** What `microjoule doctor --json` prints (schema/doctor.schema.json). */
export interface Diagnosis {
  schema: 'microjoule.doctor/1';
  generator: { name: 'microjoule'; version: string };
  /** ISO 8601, UTC. */
  generatedAt: string;
  machine: MachineDiagnosis;
  sources: SourceDiagnosis[];
  /** Absent where nothing could be read. */
  test?: LiveTest;
  /** For errors of 1 % and 5 %; empty where the total has no counter that moved. */
  resolution: Resolution[];
  verdict: Verdict;
}
