// SPDX-License-Identifier: MIT
//
// The report of a run from its trace: all of it where the run ended, and what was recorded where it was cut off.
import { MicrojouleError } from '../core/errors.js';
import type { Component, Components, Measurement, Report } from '../core/report-types.js';
import { joulesToKwh, NANOSECONDS_PER_SECOND } from '../core/units.js';
import type { Warning } from '../core/vocabulary.js';
import { PowerCurve } from '../measure/power-curve.js';
import { type PartBins, seriesOfParts } from '../measure/power-series.js';
import { buildReport } from '../report/build.js';
import type { StreamHeader, StreamRecord } from '../stream/types.js';
import { readTrace } from './read-trace.js';
import type { ContextRecord, MeasurementRecord, ReportRecord } from './records.js';

/** Which of the stream's domains are which component. */
const COMPONENT_OF: Partial<Record<string, keyof Components>> = { package: 'cpu', gpu: 'gpu', dram: 'ram' };

const KEYS = ['cpu', 'gpu', 'ram'] as const;
const NAMES = { cpu: 'CPU', gpu: 'GPU', ram: 'RAM' } as const;

/** What one channel of the total did. */
interface Channel {
  id: string;
  name: string;
  key: keyof Components;
  index: number;
  curve: PowerCurve;
  joules: number | null;
  /** At the latest measurement; `null` where it had not been read by then. */
  measuredJoules: number | null;
  /** Since the latest measurement: whether an amount that nobody knows is missing of its values. */
  isIncomplete: boolean;
  /** The same: whether the latest row has no value of it. */
  isUnread: boolean;
}

/** Gathers what a report needs from a trace's records. */
class Gathering {
  context: ContextRecord['context'] | undefined;
  latest: MeasurementRecord | undefined;
  timeNs = 0;
  channels: Channel[] = [];

  take(record: StreamRecord | ReportRecord): void {
    switch (record.type) {
      case 'header':
        this.#begin(record);
        break;
      case 'row':
        this.#row(record.timeNs, record.energyJoules);
        break;
      case 'gap':
        if (!record.energyKept) this.#lost(record.channels);
        break;
      case 'report-context':
        this.context = record.context;
        break;
      case 'report-measurement':
        this.latest = record;
        for (const channel of this.channels) {
          channel.measuredJoules = channel.joules;
          // What was lost until then, it tells itself.
          channel.isIncomplete = false;
          channel.isUnread = false;
        }
        break;
    }
  }

  #begin({ channels }: StreamHeader): void {
    this.channels = channels.flatMap(({ id, name, domain, inTotal }, index) => {
      const key = inTotal ? COMPONENT_OF[domain] : undefined;
      const before = { joules: null, measuredJoules: null, isIncomplete: false, isUnread: false };
      return key === undefined ? [] : [{ id, name, key, index, curve: new PowerCurve(), ...before }];
    });
  }

  /** @param ids all channels, where there are none */
  #lost(ids: readonly string[] | undefined): void {
    for (const channel of this.channels) {
      if (ids !== undefined && !ids.includes(channel.id)) continue;
      channel.curve.broken();
      channel.isIncomplete = true;
    }
  }

  #row(timeNs: number, energyJoules: readonly (number | null)[]): void {
    this.timeNs = timeNs;
    for (const channel of this.channels) {
      const joules = energyJoules[channel.index] ?? null;
      if (joules !== null && joules !== channel.joules) {
        channel.curve.seen(timeNs / NANOSECONDS_PER_SECOND, joules);
      }
      channel.joules = joules ?? channel.joules;
      channel.isUnread = joules === null;
    }
  }
}

/** What is missing of a component since the latest measurement, in words. */
function missingOf({ energyJoules }: Component, own: readonly Channel[]): string[] {
  if (own.length === 0) return energyJoules === undefined ? [] : ['no channel of the trace holds it'];
  return own.flatMap(({ name, isIncomplete, isUnread }) => {
    if (isUnread) return [`${name} could not be read at its end`];
    return isIncomplete ? [`${name} lost an amount that nobody knows`] : [];
  });
}

/** A component with what its channels counted since the latest measurement. */
function continued(component: Component, own: readonly Channel[], durationSeconds: number): Component {
  const missing = missingOf(component, own);
  const atLeast = component.atLeast || missing.length > 0;
  if (component.energyJoules === undefined) return { ...component, atLeast };
  const { lowerJoules: _, upperJoules: __, confidenceRatio: ___, ...rest } = component;
  // One that was not read by then has counted from its first value on.
  const addedJoules = own.reduce(
    (sum, { joules, measuredJoules }) => sum + (joules ?? 0) - (measuredJoules ?? 0),
    0,
  );
  const energyJoules = component.energyJoules + addedJoules;
  const detail = [
    component.detail,
    'The run was cut off: what its rows added after the last measurement is in it.',
    ...missing.map((reason) => `After that, ${reason}.`),
  ].join(' ');
  return {
    ...rest,
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    powerWatts: energyJoules / durationSeconds,
    atLeast,
    detail,
  };
}

/** What the rows after the latest measurement lack. */
function lostSince(
  components: Components,
  own: (key: keyof Components) => Channel[],
  addedSeconds: number,
): Warning[] {
  if (!(addedSeconds > 0)) return [];
  const missing = KEYS.flatMap((key) =>
    missingOf(components[key], own(key)).map((reason) => `${NAMES[key]}: ${reason}`),
  );
  if (missing.length === 0) return [];
  return [
    {
      code: 'partly-measured',
      message: `After the latest measurement of the run that was cut off, energy is missing, so the total is "at least". ${missing.join('; ')}.`,
      hint: 'When and why is in its lines: microjoule trace TRACE -o lines.jsonl',
    },
  ];
}

/** What was measured until the last row of a run that was cut off. */
function cutOff({ channels, timeNs }: Gathering, latest: MeasurementRecord): Measurement {
  const { measurement } = latest;
  // Rows are the machine's; the share of a process in them is not known.
  const ofMachine = measurement.attribution === undefined;
  const sinceSeconds = Math.max(0, (timeNs - latest.timeNs) / NANOSECONDS_PER_SECOND);
  const addedSeconds = ofMachine ? sinceSeconds : 0;
  const durationSeconds = measurement.durationSeconds + addedSeconds;
  const own = (key: keyof Components): Channel[] => channels.filter((channel) => channel.key === key);
  const component = (key: keyof Components): Component => {
    const measured = measurement.components[key];
    return addedSeconds > 0 ? continued(measured, own(key), durationSeconds) : measured;
  };
  const components = { cpu: component('cpu'), gpu: component('gpu'), ram: component('ram') };
  const parts = KEYS.map((key): PartBins => ({ key, bins: own(key).map(({ curve }) => curve.bins) }));
  const known = parts.filter(({ bins }) => bins.length > 0);
  // The measurement begins a few milliseconds before the stream.
  const streamSeconds = timeNs / NANOSECONDS_PER_SECOND;
  const series = ofMachine ? seriesOfParts(known, components, streamSeconds) : undefined;
  const { series: _, ...rest } = measurement;
  return {
    ...rest,
    endedAtMs: measurement.startedAtMs + durationSeconds * 1000,
    durationSeconds,
    components,
    ...(series === undefined ? {} : { series }),
    warnings: [
      ...measurement.warnings,
      ...lostSince(measurement.components, own, addedSeconds),
      {
        code: 'interrupted',
        message: `The run was cut off after ${durationSeconds.toFixed(1)} s, so this is what was recorded until then.`,
        hint: 'When it is made again, microjoule report adds the two up: microjoule report TRACE next.json',
      },
    ],
  };
}

/**
 * The report of the run that wrote a trace. That of a run which was cut off tells so by a warning `interrupted`, and adds
 * up with others as any report does.
 * @param generatedAtMs Unix time in milliseconds
 * @throws MicrojouleError `ERR_BAD_STREAM` for what is no trace, `ERR_NO_ENERGY` for one without a measurement: of a
 * stream, or of a run that was cut off at its very start
 */
export async function reportOfTrace(file: string, generatedAtMs: number): Promise<Report> {
  const gathering = new Gathering();
  const { problem } = await readTrace(file, (record) => gathering.take(record));
  const { context, latest } = gathering;
  if (context === undefined || latest === undefined) {
    throw new MicrojouleError('ERR_NO_ENERGY', `${file} holds no measurement to report on`, {
      hint: 'Reports are made of what microjoule run --trace FILE wrote, from a quarter of a second on. Its rows: microjoule trace FILE -o rows.csv',
    });
  }
  const measurement = latest.isLast ? latest.measurement : cutOff(gathering, latest);
  const report = buildReport(measurement, { ...context, generatedAtMs });
  if (problem !== undefined) {
    report.warnings.push({ code: 'trace-damaged', message: `Of the trace ${file}, ${problem}.` });
  }
  return report;
}
