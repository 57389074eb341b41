// SPDX-License-Identifier: MIT
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmissionsTracker } from '../../lib/index.js';
import { loadConfig } from '../../lib/reports.js';
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

  it("takes a file of CodeCarbon's without a word", () => {
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

  it('works with what the documentation of CodeCarbon shows: an endpoint that is no URL, a switch of three words', () => {
    write(
      home,
      '.codecarbon.config',
      '[codecarbon]\nmeasure_power_secs=20\nsave_to_file=here-only\nemissions_endpoint=127.0.0.1:9999\n',
    );
    expect(loadConfig(folder.path)).toMatchObject({ options: { output: [], measureEverySeconds: 20 } });
    write(
      folder,
      '.codecarbon.config',
      `[codecarbon]
save_to_file = true
output_dir = ${folder.path}
electricitymaps_api_token=not-a-token
experiment_id = 3c0ffee0-bbbb-4bbb-8bbb-1234567890ab
log_level = INFO
tracking_mode = process
`,
    );
    vi.stubEnv('CODECARBON_GPU_IDS', '1, 2');
    vi.stubEnv('codecarbon_log_level', 'ERROR');
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({
      measureEverySeconds: 20,
      emissionsEndpoint: '',
      output: folder.file('emissions.csv'),
      experimentId: '3c0ffee0-bbbb-4bbb-8bbb-1234567890ab',
      trackingMode: 'process',
    });
    const codes = warnings.map(({ code }) => code);
    expect(codes).toEqual(['config-endpoint-unused', 'config-key-unused', 'config-key-unused']);
    expect(warnings[0]?.message).toContain('emissions_endpoint');
    expect(JSON.stringify(warnings)).not.toMatch(/127|not-a-token/);
  });

  it('takes what `codecarbon config` writes, telling only of the dashboard that gets nothing', () => {
    write(
      folder,
      '.codecarbon.config',
      `[codecarbon]
api_endpoint = https://dashboard.example
organization_id = 0f0f0f0f-1111-4111-8111-aaaaaaaaaaaa
project_id = 0f0f0f0f-2222-4222-8222-bbbbbbbbbbbb
experiment_id = 0f0f0f0f-3333-4333-8333-cccccccccccc
api_key = key_of_nobody

`,
    );
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({ experimentId: '0f0f0f0f-3333-4333-8333-cccccccccccc' });
    expect(warnings.map(({ code, message }) => [code, /"(.*?)"/.exec(message)?.[1]])).toEqual([
      ['config-key-unused', 'api_endpoint'],
      ['config-key-unused', 'api_key'],
    ]);
  });

  it('sends nothing where the stronger of two endpoints is no URL, and refuses such a one of our own', () => {
    write(home, '.codecarbon.config', '[codecarbon]\nemissions_endpoint = https://h.example/x');
    expect(loadConfig(folder.path).options.emissionsEndpoint).toBe('https://h.example/x');
    write(folder, '.codecarbon.config', '[codecarbon]\nemissions_endpoint = h.example/x');
    expect(loadConfig(folder.path).options.emissionsEndpoint).toBe('');
    const bad = { output: [], emissionsEndpoint: 'h.example/x' };
    expect(() => new EmissionsTracker(bad)).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  });

  it.skipIf(process.platform === 'win32')('goes on without a home that is not for us, and says so', () => {
    mkdirSync(home.file('.codecarbon.config'));
    write(folder, '.codecarbon.config', '[codecarbon]\npue = 1.5');
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({ pue: 1.5 });
    expect(warnings).toEqual([
      {
        code: 'config-unreadable',
        message: expect.stringContaining(home.file('.codecarbon.config')),
        hint: expect.any(String),
      },
    ]);
  });

  it('goes on for a user without a home', () => {
    const homeless = vi.spyOn(os, 'homedir').mockImplementation(() => {
      throw new Error('no such user');
    });
    write(folder, '.codecarbon.config', '[codecarbon]\npue = 1.5');
    expect(loadConfig(folder.path)).toEqual({ options: { pue: 1.5 }, warnings: [] });
    homeless.mockRestore();
  });

  it('says so where the section of a file is missing', () => {
    write(folder, '.codecarbon.config', 'pue = 1.5\n');
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({});
    expect(warnings.map(({ code, hint }) => [code, hint])).toEqual([
      ['config-section-missing', expect.stringContaining('[codecarbon]')],
    ]);
  });

  it('takes keys that are indented', () => {
    write(
      folder,
      '.codecarbon.config',
      '[codecarbon]\n  project_name = x\n  pue = 1.5\n  country_iso_code = FRA',
    );
    expect(loadConfig(folder.path).options).toEqual({ projectName: 'x', pue: 1.5, country: 'FRA' });
  });

  it('reads variables in either case', () => {
    vi.stubEnv('codecarbon_project_name', 'lower');
    vi.stubEnv('CODECARBON_EXPERIMENT_NAME', '100%% UPPER');
    expect(loadConfig(folder.path).options).toEqual({ projectName: 'lower', experimentName: '100% UPPER' });
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
    expect(override(base, { country: 'nowhere' })).not.toHaveProperty('region');
    for (const country of ['CAN', 'ca', 'Canada']) {
      expect(override(base, { country })).toEqual({ ...base, country });
    }
    expect(override(base, { cloudProvider: 'AWS' })).toMatchObject({ cloudRegion: 'us-east-1' });
    expect(override(base, { intensityGramsPerKwh: 30 })).toEqual(base);
  });

  it('warns by name of keys that are unknown, with what may have been meant, and of those without effect', () => {
    write(folder, '.codecarbon.config', '[codecarbon]\nprojct_name = x\ngpu_ids = 0\n[other]\nfoo = 1\n');
    write(folder, 'microjoule.config.json', '{"contry":"FR","toString":1}');
    const { options, warnings } = loadConfig(folder.path);
    expect(options).toEqual({});
    expect(warnings.map(({ code, message, hint }) => [code, message.split(': ').at(-1), hint])).toEqual([
      ['config-key-unknown', 'unknown key "projct_name".', 'Nearest known names: project_name.'],
      ['config-key-unused', '"gpu_ids" has no effect in microjoule.', undefined],
      ['config-key-unknown', 'unknown key "contry".', 'Nearest known names: country.'],
      ['config-key-unknown', 'unknown key "toString".', expect.any(String)],
    ]);
  });

  it.each(['False', '0', 'no', 'None', ''])('writes no file with save_to_file = %j', (value) => {
    vi.stubEnv('CODECARBON_SAVE_TO_FILE', value);
    expect(loadConfig(folder.path).options).toEqual({ output: [] });
  });

  it('writes a file with save_to_file = TRUE, and where output_methods has csv', () => {
    vi.stubEnv('CODECARBON_SAVE_TO_FILE', 'TRUE');
    expect(loadConfig(folder.path).options).toEqual({});
    vi.stubEnv('CODECARBON_SAVE_TO_FILE', 'false');
    vi.stubEnv('CODECARBON_OUTPUT_METHODS', 'csv');
    expect(loadConfig(folder.path).options).toEqual({});
  });

  it.each([
    'emissions',
    'x.txt',
    'r.json',
  ])('writes a CSV into output_file = %s, and goes on with it', async (name) => {
    process.chdir(folder.path);
    write(folder, '.codecarbon.config', `[codecarbon]\noutput_file = ${name}`);
    for (const lines of [2, 3]) {
      await new EmissionsTracker().start().stop();
      expect(folder.read(name).trimEnd().split('\n')).toHaveLength(lines);
      expect(folder.read(name)).toMatch(/^timestamp,project_name,/);
    }
    write(folder, name, 'a,b\n');
    const report = await new EmissionsTracker().start().stop();
    expect(report.warnings.map(({ code }) => code)).toContain('output-elsewhere');
    const [stem, extension = ''] = name.split(/(?=\.)/);
    expect(folder.read(`${stem}-1${extension}`)).toMatch(/^timestamp,/);
  });

  it('takes an output_file that is absolute for where it is', () => {
    vi.stubEnv('CODECARBON_OUTPUT_DIR', 'out');
    vi.stubEnv('CODECARBON_OUTPUT_FILE', folder.file('e.csv'));
    expect(loadConfig('/nowhere').options).toEqual({ output: folder.file('e.csv') });
  });

  it('has one model of the CPU, the stronger', () => {
    write(folder, '.codecarbon.config', '[codecarbon]\nforce_cpu_power = 65');
    const { options } = loadConfig(folder.path);
    expect(options).toEqual({ cpuFullWatts: 65 });
    expect(override(options, { cpuWatts: 20 })).toEqual({ cpuWatts: 20 });
    expect(override({ cpuWatts: 20 }, options)).toEqual({ cpuFullWatts: 65 });
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

/** CodeCarbon 3.3's keys, by its documentation and what its command writes. */
const KEYS =
  `measure_power_secs project_name experiment_id experiment_name output_dir output_file output_methods save_to_file
  save_to_api save_to_logger save_to_prometheus save_to_logfire prometheus_url log_level logger_preamble tracking_mode gpu_ids
  on_csv_write api_call_interval api_endpoint api_key electricitymaps_api_token co2_signal_api_token emissions_endpoint
  force_carbon_intensity_g_co2e_kwh force_cpu_power force_ram_power force_mode_cpu_load rapl_include_dram rapl_prefer_psys pue
  wue allow_multiple_runs cloud_provider cloud_region country_iso_code country_2letter_iso_code region output_handlers
  logging_logger organization_id project_id`.split(/\s+/);

describe("CodeCarbon's keys", () => {
  it('are all known', () => {
    const numbers = /^(measure_power_secs|force_c|pue|wue)/;
    const lines = KEYS.map(
      (key) => `${key} = ${numbers.test(key) ? '1' : key === 'emissions_endpoint' ? 'http://h' : 'csv'}`,
    );
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

  it('tells the process what it does not know, once, with what is meant by it here', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    process.chdir(folder.path);
    write(folder, 'microjoule.config.json', '{"contry":"FR"}');
    const options = {
      country_iso_code: 'FRA',
      gpu_ids: [0],
      cpuWats: 3,
      undefinedOne: undefined,
      output: [],
    };
    const reports = [];
    for (let n = 0; n < 2; n++) reports.push(await new EmissionsTracker(options).start().stop());
    const told = warned.mock.calls.map(([message]) => String(message));
    warned.mockRestore();
    expect(told).toEqual([
      expect.stringMatching(/unknown key "contry"\. Nearest known names: country\./),
      expect.stringMatching(
        /no option "country_iso_code".* CodeCarbon's "country_iso_code" is "country" here\./,
      ),
      expect.stringMatching(/no option "gpu_ids".* has no effect in microjoule/),
      expect.stringMatching(/no option "cpuWats".* Nearest known names: cpuWatts/),
    ]);
    for (const { warnings } of reports) {
      const codes = warnings.map(({ code }) => code).filter((code) => /^(config|option)-/.test(code));
      expect(codes).toEqual(['config-key-unknown', 'option-unknown', 'option-unknown', 'option-unknown']);
    }
  });

  it('that is unknown is told by the command in spite of -q', async () => {
    write(folder, 'microjoule.config.json', '{"contry":"FR","flushSeconds":0}');
    const args = ['run', '-q', '--duration', '0.01'];
    const { stderr, exitCode } = await runCli(args, { cwd: folder.path, env: { HOME: home.path } });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('unknown key "contry"');
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
