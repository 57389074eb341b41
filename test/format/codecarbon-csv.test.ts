// SPDX-License-Identifier: MIT
import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CODECARBON_COLUMNS,
  codecarbonHeader,
  codecarbonLine,
  codecarbonRecord,
  codecarbonRow,
  codecarbonTaskHeader,
  codecarbonTaskLine,
} from '../../lib/format/codecarbon-csv.js';
import { buildReport } from '../../lib/report/build.js';
import {
  germanContext,
  goldenContext,
  goldenMeasurement,
  goldenReport,
  noGpu,
  serverMeasurement,
} from '../report/fixtures.js';

const HEADER =
  'timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,' +
  'cpu_energy,gpu_energy,ram_energy,energy_consumed,water_consumed,country_name,country_iso_code,region,' +
  'cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,' +
  'longitude,latitude,ram_total_size,tracking_mode,cpu_utilization_percent,gpu_utilization_percent,' +
  'ram_utilization_percent,ram_used_gb,on_cloud,pue,wue';

function parseBack(text: string): Record<string, string> {
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true });
  expect(errors).toEqual([]);
  expect(data).toHaveLength(1);
  return data[0] ?? {};
}

describe('codecarbon csv', () => {
  const zone = process.env.TZ;
  beforeAll(() => {
    process.env.TZ = 'America/Sao_Paulo';
  });
  afterAll(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it('has the 38 columns', () => {
    expect(CODECARBON_COLUMNS).toHaveLength(38);
    expect(codecarbonHeader()).toBe(HEADER);
  });

  it("holds the classic run in CodeCarbon's units, unknown cells empty", () => {
    const report = goldenReport();
    const record = parseBack(`${codecarbonHeader()}\n${codecarbonLine(report)}`);
    expect(record).toEqual(codecarbonRecord(report));
    expect(record).toMatchObject({
      // 12:00 UTC, three hours west of it.
      timestamp: '2022-12-25T09:00:00',
      project_name: 'cifar10-cnn',
      duration: '1192.956553',
      cpu_power: '14',
      gpu_power: '',
      gpu_energy: '',
      water_consumed: '',
      country_iso_code: 'BRA',
      region: 'rio grande do sul',
      cloud_provider: '',
      python_version: 'node v20.19.0',
      codecarbon_version: 'microjoule 0.1.0',
      cpu_count: '8',
      gpu_count: '1',
      gpu_model: '1 x NVIDIA GeForce MX450',
      longitude: '',
      latitude: '',
      ram_total_size: '31.748809814453125',
      tracking_mode: 'machine',
      cpu_utilization_percent: '',
      ram_utilization_percent: '',
      ram_used_gb: '',
      on_cloud: 'N',
      pue: '1',
      wue: '',
    });
    expect(Number(record.emissions)).toBe(report.emissionsKg);
    expect(Number(record.emissions_rate)).toBeCloseTo(8.856e-7, 10);
    expect(Number(record.energy_consumed)).toBe(Number(record.cpu_energy) + Number(record.ram_energy));
  });

  it('holds a measured run', () => {
    const record = codecarbonRecord(buildReport(serverMeasurement, germanContext));
    expect(record).toMatchObject({
      on_cloud: 'Y',
      cloud_provider: 'gcp',
      gpu_count: '1',
      ram_used_gb: '37.65',
    });
    expect(Number(record.cpu_utilization_percent)).toBeCloseTo(43.12, 9);
    expect(Number(record.ram_utilization_percent)).toBeCloseTo(10, 9);
    expect(Number(record.gpu_energy)).toBeCloseTo(1200 / 3.6e6, 15);
  });

  it('has PUE and WUE in energies, emissions and water, and not in powers', () => {
    const plain = codecarbonRow(buildReport(serverMeasurement, germanContext));
    const facility = { pue: 1.5, wue: 2 };
    const row = codecarbonRow(buildReport(serverMeasurement, { ...germanContext, facility }));
    const times = (column: keyof typeof row) => Number(row[column]) / Number(plain[column]);
    for (const column of ['emissions', 'emissions_rate', 'energy_consumed'] as const) {
      expect(times(column)).toBeCloseTo(1.5, 12);
    }
    for (const part of ['cpu', 'gpu', 'ram'] as const) {
      expect(times(`${part}_energy`)).toBeCloseTo(1.5, 12);
      expect(row[`${part}_power`]).toBe(plain[`${part}_power`]);
    }
    const energies = (['cpu_energy', 'gpu_energy', 'ram_energy'] as const).map((name) => Number(row[name]));
    expect(energies.reduce((a, b) => a + b)).toBeCloseTo(Number(row.energy_consumed), 15);
    expect(Number(row.water_consumed)).toBeCloseTo(2 * Number(plain.energy_consumed), 15);
    expect(row).toMatchObject({ pue: 1.5, wue: 2 });
    expect(Number(row.emissions_rate)).toBeCloseTo(Number(row.emissions) / Number(row.duration), 18);
  });

  it('is typed for servers: numbers as numbers, what is unknown as null', () => {
    const row = codecarbonRow(goldenReport());
    expect(Object.keys(row)).toEqual([...CODECARBON_COLUMNS]);
    expect(row).toMatchObject({
      duration: 1192.956553,
      cpu_power: 14,
      gpu_power: null,
      run_id: goldenReport().runId,
    });
    for (const value of Object.values(row)) expect(value).not.toBeNaN();
    // A number for an id stays the text that was given.
    const numbered = buildReport(goldenMeasurement, { ...goldenContext, runId: '007', experimentId: '1e3' });
    expect(codecarbonRow(numbered)).toMatchObject({ run_id: '007', experiment_id: '1e3' });
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });

  it('has tasks in their own columns: the name first, no experiment_id, no pue, no wue', () => {
    const task = { ...goldenReport(), task: 'load, "all" 訓練', experimentId: 'e' };
    const names = HEADER.split(',').filter((name) => !['experiment_id', 'pue', 'wue'].includes(name));
    expect(codecarbonTaskHeader()).toBe(['task_name', ...names].join(','));
    const record = parseBack(`${codecarbonTaskHeader()}\n${codecarbonTaskLine(task)}`);
    expect(record).toMatchObject({
      task_name: task.task,
      run_id: task.runId,
      cpu_power: '14',
      on_cloud: 'N',
    });
  });

  it('leaves the GPU empty where there is none, and each component that is not known', () => {
    const none = { ...noGpu, atLeast: true };
    const report = buildReport(
      {
        ...goldenMeasurement,
        components: { ...goldenMeasurement.components, gpu: noGpu, ram: none },
        machine: { ...goldenMeasurement.machine, gpuCount: 0 },
      },
      goldenContext,
    );
    const record = codecarbonRecord(report);
    for (const [column, value] of Object.entries(record)) {
      expect(value).not.toMatch(/nan|undefined|null/i);
      if (/^(gpu_|ram_(power|energy))/.test(column)) expect(value).toBe('');
    }
  });

  it('quotes what RFC 4180 wants quoted, and Unicode comes back', () => {
    const names = ['a,b', 'say "hi"', 'two\nlines', 'cr\r\nlf', ' space ', 'São Paulo 訓練 🚀', '=1+1', "'"];
    for (const projectName of names) {
      const report = buildReport(goldenMeasurement, { ...goldenContext, projectName });
      expect(parseBack(`${codecarbonHeader()}\r\n${codecarbonLine(report)}`).project_name).toBe(projectName);
    }
  });
});
