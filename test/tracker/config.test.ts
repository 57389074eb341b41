// SPDX-License-Identifier: MIT
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmissionsTracker } from '../../lib/index.js';
import { loadConfig } from '../../lib/reports.js';
import { parseIni } from '../../lib/tracker/config.js';
import { override } from '../../lib/tracker/config-keys.js';
import { parseReport, useWorkplace } from '../cli/fixtures.js';
import { runCli } from '../support/run-cli.js';

const place = useWorkplace();
const here = process.cwd();
let home = place.newFolder();
let folder = place.newFolder();
beforeEach(() => {
  home = place.newFolder();
  folder = place.newFolder();
  vi.stubEnv('HOME', home.path);
});
afterEach(() => {
  vi.unstubAllEnvs();
  process.chdir(here);
});

const write = (where: typeof folder, name: string, text: string) => writeFileSync(where.file(name), text);

/** As CodeCarbon's own documentation has people write it. */
const THEIRS = `[codecarbon]
measure_power_secs = 10
project_name = Olá, "mundo"
output_dir = out
country_iso_code: CAN
region = quebec
; a comment
pue = 1.2
log_level = DEBUG
experiment_id = 235b1da5-aaaa-aaaa-aaaa-893681599d2c
`;

describe('configuration', () => {
  it('is nothing where there is none', () => {
    expect(loadConfig(folder.path)).toEqual({ options: {}, warnings: [] });
  });

  it("takes CodeCarbon's file as it is, without a word", () => {
    write(folder, '.codecarbon.config', THEIRS);
    expect(loadConfig(folder.path)).toEqual({
      options: {
        projectName: 'Olá, "mundo"',
        output: 'out/emissions.csv',
        country: 'CAN',
        region: 'quebec',
        pue: 1.2,
        measureEverySeconds: 10,
        experimentId: '235b1da5-aaaa-aaaa-aaaa-893681599d2c',
      },
      warnings: [],
    });
  });

  it('goes from the weakest to the strongest: home, folder, environment, package.json, our own file', () => {
    const steps: [() => void, string][] = [
      [() => write(home, '.codecarbon.config', '[codecarbon]\nproject_name=home\npue=2'), 'home'],
      [() => write(folder, '.codecarbon.config', '[codecarbon]\nproject_name=folder'), 'folder'],
      [() => vi.stubEnv('CODECARBON_PROJECT_NAME', 'environment'), 'environment'],
      [() => write(folder, 'package.json', '{"microjoule":{"projectName":"package"}}'), 'package'],
      [() => write(folder, 'microjoule.config.json', '{"projectName":"own"}'), 'own'],
    ];
    for (const [step, expected] of steps) {
      step();
      expect(loadConfig(folder.path).options).toEqual({ projectName: expected, pue: 2 });
    }
    expect(override(loadConfig(folder.path).options, { projectName: 'argument', pue: undefined })).toEqual({
      projectName: 'argument',
      pue: 2,
    });
  });

  it('does not keep a region, a cloud region or an uncertainty of something that was overruled', () => {
    const base = {
      country: 'CAN',
      region: 'quebec',
      cloudProvider: 'aws',
      cloudRegion: 'us-east-1',
      intensityGramsPerKwh: 30,
      intensityUncertaintyGramsPerKwh: 5,
    };
    expect(override(base, { country: 'FR' })).not.toHaveProperty('region');
    expect(override(base, { cloudProvider: 'gcp' })).not.toHaveProperty('cloudRegion');
    expect(override(base, { intensityGramsPerKwh: 1 })).not.toHaveProperty('intensityUncertaintyGramsPerKwh');
    expect(override(base, { country: 'CAN', region: 'ON' })).toMatchObject({ region: 'ON' });
  });

  it('warns by name of keys that are unknown, with what may have been meant, and of those without effect', () => {
    write(folder, '.codecarbon.config', '[codecarbon]\nprojct_name = x\ngpu_ids = 0\n[other]\nfoo = 1\n');
    write(folder, 'microjoule.config.json', '{"contry":"FR","toString":1}');
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({});
    expect(warnings.map(({ code, message, hint }) => [code, message.split(': ').at(-1), hint])).toEqual([
      ['config-key-unknown', 'unknown key "projct_name".', 'Nearest known keys: project_name.'],
      ['config-key-unused', '"gpu_ids" has no effect in microjoule.', undefined],
      ['config-key-unknown', 'unknown key "contry".', 'Nearest known keys: country.'],
      ['config-key-unknown', 'unknown key "toString".', expect.any(String)],
    ]);
  });

  it('has one model of the CPU, the stronger', () => {
    write(folder, '.codecarbon.config', '[codecarbon]\nforce_cpu_power = 65');
    const { options } = loadConfig(folder.path);
    expect(options).toEqual({ cpuFullWatts: 65 });
    expect(override(options, { cpuWatts: 20 })).toEqual({ cpuWatts: 20 });
    expect(override({ cpuWatts: 20 }, options)).toEqual({ cpuFullWatts: 65 });
  });

  it('may say that no file is to be written', () => {
    vi.stubEnv('CODECARBON_SAVE_TO_FILE', 'False');
    expect(loadConfig(folder.path).options).toEqual({ output: [] });
  });

  it.each([
    ['csv', {}, []],
    ['CSV, api', {}, ['api']],
    ["['api', 'logger']", { output: [] }, ['api, logger']],
  ])('takes output_methods = %s for what it means to files', (methods, options, unused) => {
    vi.stubEnv('CODECARBON_OUTPUT_METHODS', methods);
    const found = loadConfig(folder.path);
    expect(found.options).toEqual(options);
    const told = found.warnings.map(({ message }) => message.replace(/^.* for (.*)\.$/, '$1'));
    expect(told).toEqual(unused);
  });

  it("knows CodeCarbon's words for what a tracker does", () => {
    const lines = ['tracking_mode = process', 'on_csv_write = update', 'experiment_name = base'];
    write(
      folder,
      '.codecarbon.config',
      ['[codecarbon]', ...lines, 'emissions_endpoint = http://h/x'].join('\n'),
    );
    expect(loadConfig(folder.path)).toEqual({
      options: {
        trackingMode: 'process',
        onCsvWrite: 'update',
        experimentName: 'base',
        emissionsEndpoint: 'http://h/x',
      },
      warnings: [],
    });
  });

  it.each<[string, string, string]>([
    ['.codecarbon.config', '[codecarbon]\npue = much', '"pue" must be a number'],
    ['microjoule.config.json', '{"pue":"1.2"}', '"pue" must be a number'],
    ['microjoule.config.json', '{"country":["FR"]}', '"country" must be text'],
    ['microjoule.config.json', '{"output":[1]}', '"output" must be text or a list of texts'],
    ['microjoule.config.json', '{"pue":1', 'is not valid JSON'],
    ['microjoule.config.json', '[]', 'must be an object'],
    ['package.json', '{"microjoule":null}', 'must be an object'],
  ])('refuses what is wrong in %s: %s', (file, text, message) => {
    write(folder, file, text);
    expect(() => loadConfig(folder.path)).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_OPTION',
        message: expect.stringContaining(message),
        hint: expect.any(String),
      }),
    );
    expect(() => loadConfig(folder.path)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(file) }),
    );
  });

  it('refuses a folder in the place of a file, and minds no package.json that npm would not read', () => {
    write(folder, 'package.json', '{');
    expect(loadConfig(folder.path).options).toEqual({});
    mkdirSync(folder.file('microjoule.config.json'));
    expect(() => loadConfig(folder.path)).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  });
});

/** CodeCarbon 3.3's keys, by its documentation. */
const KEYS =
  `measure_power_secs project_name experiment_id experiment_name output_dir output_file output_methods save_to_file
  save_to_api save_to_logger save_to_prometheus save_to_logfire prometheus_url log_level logger_preamble tracking_mode gpu_ids
  on_csv_write api_call_interval api_endpoint api_key electricitymaps_api_token co2_signal_api_token emissions_endpoint
  force_carbon_intensity_g_co2e_kwh force_cpu_power force_ram_power force_mode_cpu_load rapl_include_dram rapl_prefer_psys pue
  wue allow_multiple_runs cloud_provider cloud_region country_iso_code country_2letter_iso_code region output_handlers
  logging_logger`.split(/\s+/);

describe("CodeCarbon's keys", () => {
  it('are all known', () => {
    const numbers = /^(measure_power_secs|force_c|pue|wue)/;
    const lines = KEYS.map((key) => `${key} = ${numbers.test(key) ? '1' : 'csv'}`);
    write(folder, '.codecarbon.config', ['[codecarbon]', ...lines].join('\n'));
    const codes = loadConfig(folder.path).warnings.map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['config-key-unused']));
  });

  it('each have a row in the table for those who come from it', () => {
    const table = readFileSync(new URL('../../docs/codecarbon.md', import.meta.url), 'utf8');
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    const listed = new Set(rows.flatMap((row) => row.split('|')[1]?.match(/[a-z0-9_]+/g) ?? []));
    expect(KEYS.filter((key) => !listed.has(key))).toEqual([]);
  });
});

describe('parseIni', () => {
  it('reads as configparser does', () => {
    const text =
      '\uFEFF# c\r\n[a]\r\nKey = v = w\r\nempty =\r\nalone\r\nlong = 1\r\n  2\r\n\r\n[b]\r\nkey: other\r\n';
    expect(parseIni(text, 'a')).toEqual({ key: 'v = w', empty: '', alone: '', long: '1\n2' });
    expect(parseIni(text, 'b')).toEqual({ key: 'other' });
    expect(parseIni('', 'a')).toEqual({});
    expect(parseIni('[a]\n__proto__ = 1', 'a')).not.toHaveProperty('x');
  });
});

describe('configuration in use', () => {
  it('reaches the tracker, under its arguments, and its warnings the report', async () => {
    write(folder, '.codecarbon.config', `${THEIRS}typo = 1\n`);
    mkdirSync(folder.file('out'));
    process.chdir(folder.path);
    const tracker = new EmissionsTracker({ projectName: 'argument' });
    tracker.start();
    const report = await tracker.stop();
    expect(report).toMatchObject({
      projectName: 'argument',
      location: { countryAlpha3: 'CAN', zone: 'CA-QC' },
    });
    expect(report.facility?.pueRatio).toBe(1.2);
    expect(report.warnings.map(({ code }) => code)).toContain('config-key-unknown');
    expect(folder.read('out/emissions.csv')).toContain('argument');
  });

  it('reaches the command, under its flags', async () => {
    write(folder, '.codecarbon.config', THEIRS);
    mkdirSync(folder.file('out'));
    const args = ['run', '--json', '--country', 'FR', '--duration', '0.05'];
    const { stdout, exitCode } = await runCli(args, { cwd: folder.path, env: { HOME: home.path } });
    expect(exitCode).toBe(0);
    const report = parseReport(stdout);
    expect(report.location).toMatchObject({ countryAlpha3: 'FRA' });
    expect(report.location).not.toHaveProperty('region');
    expect(report).toMatchObject({ projectName: 'Olá, "mundo"', facility: { pueRatio: 1.2 } });
    expect(folder.read('out/emissions.csv')).toContain('"Olá, ""mundo"""');
  });

  it('that is wrong ends the command before anything is measured', async () => {
    write(folder, 'microjoule.config.json', '{"pue":0.5}');
    const { exitCode, stderr } = await runCli(['run', '--', 'touch', 'made'], {
      cwd: folder.path,
      env: { HOME: home.path },
    });
    expect(exitCode).toBe(125);
    expect(stderr).toContain('pue must be a number of at least 1');
    expect(() => folder.read('made')).toThrow();
  });
});
