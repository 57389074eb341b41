// SPDX-License-Identifier: MIT
//
// `microjoule.stream/1`: energy over time as lines of JSON. docs/stream.md tells it to readers in other languages.
import type { PresentKind } from '../core/report-types.js';
import type { Domain, Status } from '../core/vocabulary.js';

/** Name and version of the format. A reader refuses another number behind the slash, and skips fields that it does not know. */
export const STREAM_SCHEMA = 'microjoule.stream/1';

/** What ties times of the stream to the clocks of a machine. Decimal strings, since the numbers pass 2^53. */
export interface StreamClock {
  /** Which monotonic clock: that of `process.hrtime()`. */
  id: 'CLOCK_MONOTONIC' | 'mach_continuous_time' | 'QueryPerformanceCounter';
  /** The clock at time 0 of the stream, in nanoseconds. */
  monotonicNs: string;
  /** Unix time at time 0 of the stream, in nanoseconds. */
  unixNs: string;
  /** Unix time is known within so much either way. */
  uncertaintyNs: number;
}

/** The machine, as far as it is known. */
export interface StreamMachine {
  os: string;
  runtime: string;
  cpuModel?: string;
  cpuThreadCount: number;
  ramTotalGib: number;
}

/** One column of the rows. */
export interface StreamChannel {
  /** Its counter's id, or the model's name. No two channels share one. */
  id: string;
  /** For people, e.g. `package 0`. */
  name: string;
  domain: Domain;
  device: number;
  die?: number;
  deviceName?: string;
  /** The counter source, or the model. */
  source: string;
  /** Where it is read: a file, an event, a device. */
  origin: string;
  kind: PresentKind;
  /** How its energy comes about, where it is not the hardware's own count. */
  method?: string;
  /** Of its values: joules since time 0 of the stream. */
  unit: 'J';
  /** Joules of one tick of the counter, nearly; exactly `scaleNumerator / scaleDenominator`. Absent for models. */
  resolutionJoules?: number;
  /** Decimal strings, since they pass 2^53. Both, or neither. */
  scaleNumerator?: string;
  scaleDenominator?: string;
  /** Between two updates of the counter, where known: a value is up to so old. */
  updatePeriodNs?: number;
  /** Whether the sum of all energy holds it. Summing others counts energy twice. */
  inTotal: boolean;
  /** Why the sum does not hold it; empty when it does. */
  apart: string;
  /** The channel that contains it. */
  parent?: string;
  /** Channels that count some of the same energy, its parent and what it contains among them. */
  overlaps: string[];
  /** A remark; empty when there is none. */
  detail: string;
}

/** What could not be read when the stream began: no channel stands for it. */
export interface StreamAbsence {
  source: string;
  status: Status;
  detail: string;
  /** A device that is known to be there and that the sum should hold: without it the sum is "at least". */
  inTotal?: true;
}

/** The first line. */
export interface StreamHeader {
  type: 'header';
  schema: typeof STREAM_SCHEMA;
  generator: { name: 'microjoule'; version: string };
  clock: StreamClock;
  machine: StreamMachine;
  /** What was asked for. Rows tell their own times. */
  intervalNs: number;
  channels: StreamChannel[];
  absent: StreamAbsence[];
}

/** All channels at one time. In JSON an array: the time, then a value for each channel, in the header's order. */
export interface StreamRow {
  type: 'row';
  /** Nanoseconds since time 0 of the stream. Each is later than the one before. */
  timeNs: number;
  /** Joules since time 0 of the stream; `null` while a channel cannot be read. Never less than before. */
  energyJoules: readonly (number | null)[];
}

/** Why something is missing. */
export type GapReason =
  /** The program that writes the stream was kept from reading. */
  | 'stall'
  /** The machine slept. */
  | 'suspend'
  /** The count did not go on from where it was. */
  | 'break'
  /** The counter could not be read. */
  | 'unreadable'
  /** The reader of the stream did not take the rows in time. */
  | 'reader';

/** What is missing, told once it is over. Rows before and after stand as they are. */
export interface StreamGap {
  type: 'gap';
  fromNs: number;
  toNs: number;
  reason: GapReason;
  /** Whose values are missing; absent for all. */
  channels?: string[];
  /** Whether later values hold the energy of the gap: only its course is lost then. Otherwise they are too low. */
  energyKept: boolean;
  /** Rows that were due and are not there. */
  lostRowCount?: number;
  /** For so long the machine slept. It is no part of the stream's time, but on Windows, whose clock runs on. */
  suspendedNs?: number;
  detail: string;
}

/** Something that a reader should know from here on. */
export interface StreamNote {
  type: 'note';
  timeNs: number;
  /** Stable, kebab-case. Match on this. */
  code: string;
  message: string;
  channels?: string[];
}

/** Unix time has jumped against the clock of the stream: from here on this holds instead of the header's. */
export interface StreamClockChange {
  type: 'clock';
  timeNs: number;
  /** Unix time at `timeNs`, in nanoseconds, as a decimal string. */
  unixNs: string;
  uncertaintyNs: number;
}

/** The last line of a stream that ended as it should. */
export interface StreamEnd {
  type: 'end';
  timeNs: number;
  reason: 'duration' | 'stopped' | 'signal';
  rowCount: number;
  /** Rows that were due and are not there. */
  lostRowCount: number;
  /** The sum of the channels in the total, as far as known; absent where none has a value. */
  energyJoules?: number;
  /** The worst kind that went into the sum. */
  kind?: PresentKind;
  /** Whether the true sum is higher, since a channel of it lost energy in a gap. */
  atLeast: boolean;
  /** The latest known value of each channel, `null` where there never was one. */
  channelJoules: (number | null)[];
}

export type StreamRecord = StreamHeader | StreamRow | StreamGap | StreamNote | StreamClockChange | StreamEnd;
