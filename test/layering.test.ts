// SPDX-License-Identifier: MIT
//
// Who may include, import and name what. The rules stand in docs/architecture.md; this reads the files.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const MAX_LINES = 400;

function read(name: string): string {
  return readFileSync(path.join(REPOSITORY, name), 'utf8');
}

/** Files of a folder, in all its sub-folders, as paths from the repository with forward slashes. */
function files(folder: string, ending: RegExp): string[] {
  return readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => ending.test(name))
    .sort();
}

/** A source without comments: what they mention is not used. Strings that hold `//` lose their ends. */
function code(name: string): string {
  return read(name)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '');
}

describe('C++', () => {
  const native = files('native', /^native\/[^/]+\.(cc|h)$/);
  const OF_PLATFORM = /_(linux|posix|mac|win)\.(cc|h)$/;

  interface Include {
    file: string;
    header: string;
    quoted: boolean;
  }
  const includes: Include[] = native.flatMap((file) =>
    [...code(file).matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)].map(([, bracket, header = '']) => ({
      file,
      header,
      quoted: bracket === '"',
    })),
  );
  const show = ({ file, header }: Include): string => `${file} includes ${header}`;

  it('is found', () => {
    expect(native.length).toBeGreaterThan(10);
    expect(includes.length).toBeGreaterThan(native.length);
  });

  it('knows Node-API in the files of the addon alone', () => {
    const knowing = includes.filter(({ header }) => /^(napi|node|node_api|uv|v8)\b.*\.h$/.test(header));
    expect(knowing.map(show)).toEqual(['native/addon.h includes napi.h']);
    const using = includes.filter(({ header }) => header === 'addon.h');
    expect(using.map(({ file }) => file).filter((file) => !/^native\/addon\w*\.cc$/.test(file))).toEqual([]);
  });

  it('uses only headers of the C++ standard outside the files of one platform', () => {
    // Those have no .h; headers of C and of operating systems do.
    const foreign = includes.filter(
      ({ file, header, quoted }) =>
        !quoted && !OF_PLATFORM.test(file) && header !== 'napi.h' && /[./]/.test(header),
    );
    expect(foreign.map(show)).toEqual([]);
  });

  it('includes its own headers only, which exist, and never a .cc', () => {
    const strange = includes.filter(
      ({ header, quoted }) => quoted && (!header.endsWith('.h') || !native.includes(`native/${header}`)),
    );
    expect(strange.map(show)).toEqual([]);
  });

  it('asks for the platform in sources.cc alone', () => {
    const platform =
      /^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(?:__linux__|_WIN32|_WIN64|__APPLE__|__unix__|_MSC_VER)/m;
    expect(native.filter((file) => platform.test(code(file)))).toEqual(['native/sources.cc']);
  });

  it('prints nothing and takes no orders from the environment', () => {
    const speaking = /\b(?:secure_)?getenv\b|\bf?printf\b|\bf?puts\b|\bstd::(?:cerr|cout|clog)\b|\bperror\b/;
    expect(native.filter((file) => speaking.test(code(file)))).toEqual([]);
  });

  it('keeps counter sources apart', () => {
    // Quoted names at the start of a row of the table.
    const sources = [...code('native/sources.cc').matchAll(/\{\s*"(\w+)"\s*,/g)].map(([, name = '']) => name);
    expect(sources).toContain('powercap');
    expect(sources).toContain('nvml');
    const owner = (name: string): string | undefined =>
      sources.find((source) => new RegExp(`^${source}(_|\\.)`).test(name));
    const crossing = includes.filter(({ file, header }) => {
      const [from, to] = [owner(path.basename(file)), owner(header)];
      return to !== undefined && from !== to;
    });
    expect(crossing.map(show)).toEqual([]);
  });

  it('is listed in binding.gyp, every file once a platform', () => {
    const { variables } = JSON.parse(read('binding.gyp')) as { variables: Record<string, string[]> };
    const listed = new Set(Object.values(variables).flat());
    expect([...listed].sort()).toEqual(native.filter((file) => file.endsWith('.cc')));
    const { core_sources = [], addon_sources = [], ...platforms } = variables;
    for (const [list, own] of Object.entries(platforms)) {
      const all = [...core_sources, ...addon_sources, ...own];
      expect(new Set(all).size, list).toBe(all.length);
      const suffix = list.replace(/(_mingw)?_sources$/, '');
      const foreign = own.filter((file) => {
        const platform = OF_PLATFORM.exec(file)?.[1];
        return platform !== undefined && platform !== suffix && !(platform === 'posix' && suffix !== 'win');
      });
      expect(foreign, list).toEqual([]);
    }
    expect([...core_sources, ...addon_sources].filter((file) => OF_PLATFORM.test(file))).toEqual([]);
  });
});

describe('TypeScript', () => {
  const sources = files('lib', /\.ts$/);

  interface Import {
    file: string;
    target: string;
    /** Gone after compilation. With verbatimModuleSyntax `import { type A }` is not. */
    typeOnly: boolean;
  }
  const CLAUSE = /^(?:import|export)\s+(type\s+)?(?:[\w*]+[\w\s,*]*|[\w\s,]*\{[^}]*\})\s*from\s+'([^']+)'/gm;
  // The public modules: `microjoule/report` is lib/reports.ts, because package.json says so.
  const exported = JSON.parse(read('package.json')).exports as Record<string, string | { default: string }>;
  const entries = new Map(
    Object.entries(exported).flatMap(([name, target]) => {
      if (typeof target === 'string') return [];
      return [[path.posix.join('microjoule', name), path.basename(target.default, '.js')] as const];
    }),
  );
  /** A public module named as its users do, as a path from one of the folders of lib. */
  const fromName = (target: string): string =>
    entries.has(target) ? `../${entries.get(target)}.js` : target;
  const imports: Import[] = sources.flatMap((file) => {
    const text = code(file);
    return [
      ...[...text.matchAll(CLAUSE)].map(([, type, target = '']) => ({
        file,
        target,
        typeOnly: type !== undefined,
      })),
      ...[...text.matchAll(/^import\s+'([^']+)'/gm)].map(([, target = '']) => ({
        file,
        target,
        typeOnly: false,
      })),
      ...[...text.matchAll(/(?<!import)\('(\.[^']+\.js|microjoule(?:\/\w+)?)'\)/g)].map(
        ([, target = '']) => ({
          file,
          target: fromName(target),
          typeOnly: false,
        }),
      ),
      ...[...text.matchAll(/\bloadNow<.+>\(\s*'([\w/-]+)'/g)].map(([, name]) => ({
        file,
        target: `../${name}.js`,
        typeOnly: false,
      })),
      ...[...text.matchAll(/(typeof\s+)?\bimport\('([^']+)'\)/g)].map(([, type, target = '']) => ({
        file,
        target,
        typeOnly: type !== undefined,
      })),
    ];
  });
  const show = ({ file, target }: Import): string => `${file} imports ${target}`;

  /** `carbon` for lib/carbon/data.ts, `index` for lib/index.ts. */
  function layer(file: string): string {
    return file.split('/')[1]?.replace(/\.ts$/, '') ?? '';
  }

  function resolve({ file, target }: Import): string {
    return path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '.ts');
  }

  // Strictly downward: what stands left may import what stands right, and its own folder.
  const FOLDERS = [
    'core',
    'carbon',
    'estimate',
    'meter',
    'precision',
    'region',
    'kernel',
    'bench',
    'harness',
    'report',
    'format',
    'measure',
    'stream',
    'monitor',
    'trace',
    'load',
    'version',
  ];
  const BELOW: Record<string, readonly string[]> = {
    ...Object.fromEntries([...entries.values()].map((entry) => [entry, [...FOLDERS, 'tracker', 'doctor']])),
    core: [],
    load: ['core'],
    version: [],
    carbon: ['core'],
    estimate: ['core'],
    meter: ['core'],
    precision: ['core'],
    region: ['core', 'estimate', 'load', 'measure', 'meter', 'precision'],
    kernel: ['core', 'estimate', 'load', 'meter', 'precision', 'region', 'doctor'],
    bench: ['core', 'estimate', 'kernel', 'meter', 'precision', 'region', 'version'],
    harness: ['core', 'kernel', 'precision'],
    report: ['core'],
    format: ['core'],
    measure: ['core', 'estimate', 'meter', 'report'],
    stream: ['core'],
    monitor: ['core', 'estimate', 'measure', 'meter', 'stream', 'version'],
    trace: ['core', 'measure', 'monitor', 'report', 'stream'],
    tracker: FOLDERS,
    doctor: ['core', 'estimate', 'meter', 'version'],
    cli: [...entries.values()],
  };
  // Types only, which are gone after compilation.
  const TYPES_BELOW: Record<string, readonly string[]> = {
    format: ['bench', 'meter', 'doctor', 'stream'],
    tracker: [...entries.values()],
  };
  // Loaded when they are needed, through their public modules.
  const ON_DEMAND = /^lib\/tracker\/on-demand\.ts imports \.\.\/(measures|reports|formats)\.js$/;

  it('has no folder without a rule', () => {
    expect(imports.length).toBeGreaterThan(sources.length);
    expect([...new Set(sources.map(layer))].sort()).toEqual(Object.keys(BELOW).sort());
  });

  it('imports downward', () => {
    const upward = imports.filter((found) => {
      if (!found.target.startsWith('.')) return false;
      const [from, to] = [layer(found.file), layer(resolve(found))];
      if (from === to || BELOW[from]?.includes(to)) return false;
      if (!found.typeOnly) return true;

      return !TYPES_BELOW[from]?.includes(to);
    });
    expect(upward.map(show).filter((line) => !ON_DEMAND.test(line))).toEqual([]);
  });

  it('imports files that exist', () => {
    const lost = imports.filter((found) => found.target.startsWith('.') && !sources.includes(resolve(found)));
    expect(lost.map(show)).toEqual([]);
  });

  it('lets the command use the public API and nothing else', () => {
    const allowed = new Set([...entries.values()].map((entry) => `lib/${entry}.ts`));
    const reaching = imports
      .filter(({ file, target }) => file.startsWith('lib/cli/') && target.startsWith('.'))
      .filter((found) => layer(resolve(found)) !== 'cli' && !allowed.has(resolve(found)));
    expect(reaching.map(show)).toEqual([]);
  });

  it('is free of Node in core, format, precision, report and stream', () => {
    // createRequire, to load a dependency on first use instead of at import.
    const lazy = ['lib/core/nearest.ts', 'lib/format/papa.ts', 'lib/format/yaml.ts'];
    const pure = imports.filter(
      ({ file, target }) =>
        /^lib\/(core|format|precision|report|stream)\//.test(file) &&
        (target.startsWith('node:') || target === 'process'),
    );
    expect(pure.filter(({ file, target }) => !(lazy.includes(file) && target === 'node:module'))).toEqual([]);
    const global = sources.filter(
      (file) =>
        /^lib\/(core|format|precision|report|stream)\//.test(file) &&
        /(?<![.\w'])process\.\w|\bBuffer\./.test(code(file)),
    );
    expect(global).toEqual([]);
  });

  it('has neither clock nor chance of its own in precision', () => {
    const impure = sources.filter(
      (file) =>
        file.startsWith('lib/precision/') &&
        /\b(?:performance|Date|hrtime|setTimeout)\b|\bMath\.random\b/.test(code(file)),
    );
    expect(impure).toEqual([]);
  });

  it('writes to the terminal from the command alone', () => {
    // mitata prints as it goes, and its plug-in in its stead.
    const printing = sources.filter((file) => /(?<![.\w])console\s*[.[]/.test(code(file)));
    expect(printing).toEqual(['lib/harness/mitata.ts']);
    const stdout = sources.filter((file) => /\bprocess\.stdout\b/.test(code(file)));
    expect(stdout.filter((file) => !file.startsWith('lib/cli/'))).toEqual([]);
    // A process that is dying can hear of a lost report, or a lost region, in no other way.
    const stderr = sources.filter((file) => /\bprocess\.stderr\b/.test(code(file)));
    expect(stderr.filter((file) => !file.startsWith('lib/cli/'))).toEqual([
      'lib/region/region-meter.ts',
      'lib/tracker/tracker.ts',
    ]);
  });
});

describe('importing the package', () => {
  const LOOK = `
    import { createRequire } from 'node:module';
    const look = () => ({
      required: Object.keys(createRequire(process.argv[1]).cache),
      addons: process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node')),
      listeners: process.eventNames().map((event) => String(event) + ' ' + process.listenerCount(event)),
      active: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate'),
    });
    const before = look();
    await import(process.argv[1]);
    console.log(JSON.stringify({ before, after: look() }));`;

  /** What a fresh process holds before and after importing the package. */
  function look(entry: string): { before: unknown; after: unknown } {
    const args = ['--input-type=module', '--eval', LOOK, pathToFileURL(entry).href];
    const ended = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(ended.stderr).toBe('');
    return JSON.parse(ended.stdout);
  }

  it('requires nothing, loads no addon, listens to nothing', () => {
    const { before, after } = look(path.join(REPOSITORY, 'dist/index.js'));
    expect(after).toEqual(before);
    expect(after).toMatchObject({ required: [], addons: [] });
  });

  it('works where no dependency can be found, so it loads none', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'microjoule-alone-'));
    try {
      cpSync(path.join(REPOSITORY, 'dist'), path.join(folder, 'dist'), { recursive: true });
      cpSync(path.join(REPOSITORY, 'package.json'), path.join(folder, 'package.json'));
      const { before, after } = look(path.join(folder, 'dist/index.js'));
      expect(after).toEqual(before);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('names', () => {
  const UNITS = [
    'Joules',
    'Kwh',
    'Watts',
    'WattsPerThread',
    'WattsPerGib',
    'Seconds',
    'Years',
    'Litres',
    'LitresPerKwh',
    'Ms',
    'Ns',
    'Hz',
    'Grams',
    'Kg',
    'GramsPerKwh',
    'GramsPerUnit',
    'KgPerSecond',
    'KgPerYear',
    'Gib',
    'Ratio',
    'Count',
    'Code',
    'Words',
  ];
  // Numbers that have no unit, or whose unit somebody else chose.
  const UNITLESS: Record<string, readonly string[]> = {
    'in the unit of the quantity at hand, of which the mathematics knows nothing': [
      'value',
      'lower',
      'upper',
    ],
    'an index or a calendar year': [
      'device',
      'die',
      'package',
      'thread',
      'year',
      'before',
      'first',
      'last',
      'after',
      'index',
      'run',
      'round',
    ],
    'in the unit of the field that holds the object': ['mean', 'standardDeviation', 'median', 'min', 'max'],
    'identification codes of a CPU, as CPUID and the Arm registers give them': [
      'family',
      'model',
      'armImplementer',
      'armPart',
      'implementer',
      'parts',
    ],
    'flags of the command, as the user types them; --help has their units': [
      'duration',
      'interval',
      'intensity',
      'intensityUncertainty',
      'pue',
      'wue',
      'reservedShare',
      'repeat',
      'warmup',
      'runs',
      'minRuns',
      'maxRuns',
      'timeout',
      'idle',
      'flush',
      'traceInterval',
    ],
    'ratios of idle to full power in a table keyed by microarchitecture': [
      'idleShare',
      'skylakeSp',
      'cascadeLake',
      'iceLakeSp',
      'coffeeLake',
      'zen',
      'zen2',
      'zen3',
    ],
    'a level of the kernel, by its own name': ['perfEventParanoid'],
    'the number of a process, or a place in a text': ['pid', 'parentPid', 'start', 'end'],
  };
  const unitless = new Set(Object.values(UNITLESS).flat());
  const saysItsUnit = (name: string): boolean =>
    UNITS.some((unit) => name.endsWith(unit) || name === unit.charAt(0).toLowerCase() + unit.slice(1));

  // As the compiler understands them, those of modules that nobody can import, too.
  const declarations = 'build/test/declarations';
  const tsc = path.join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  rmSync(path.join(REPOSITORY, declarations), { recursive: true, force: true });
  const emit = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', declarations];
  spawnSync(process.execPath, [tsc, ...emit], { cwd: REPOSITORY });

  const fields = files(declarations, /\.d\.ts$/).flatMap((file) =>
    [...code(file).matchAll(/^\s+(?:readonly )?(\w+)\??: ([^;{\n]+);$/gm)]
      .filter(([, , type = '']) =>
        /^number$/.test(type.replace(/ \| (undefined|null)|readonly |\[\]|[()]/g, '')),
      )
      .map(([, name = '']) => ({ file, name })),
  );

  it('of numeric fields end in their unit', () => {
    expect(fields.length).toBeGreaterThan(50);
    const bare = fields.filter(({ name }) => !saysItsUnit(name) && !unitless.has(name));
    expect(bare.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  it('of exceptions are all needed', () => {
    const used = new Set(fields.map(({ name }) => name));
    expect([...unitless].filter((name) => !used.has(name) || saysItsUnit(name))).toEqual([]);
  });

  it('never abbreviate joules to mJ or MJ, which differ by a factor of 1e9', () => {
    const abbreviated = [...files('lib', /\.ts$/), ...files('native', /\.(cc|h)$/)].flatMap((file) => {
      // Text for people may say mJ; a template's text may be cut short here, never its code.
      const text = code(file).replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''");
      return [...text.matchAll(/\b\w*(?:[mM]J(?!oule)|_mj\b)\w*/g)].map(([name]) => `${file}: ${name}`);
    });
    expect(abbreviated).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${MAX_LINES} lines`, () => {
    const long = [...files('lib', /\.ts$/), ...files('native', /\.(cc|h)$/)].filter(
      (file) => read(file).split('\n').length - 1 > MAX_LINES,
    );
    expect(long).toEqual([]);
  });

  it('carry a licence line', () => {
    const all = [...files('lib', /\.ts$/), ...files('native', /\.(cc|h)$/), ...files('test', /\.(ts|c)$/)];
    const bare = all.filter((file) => !/^(#!.*\n)?\/\/ SPDX-License-Identifier: MIT\n/.test(read(file)));
    expect(bare).toEqual([]);
  });
});
