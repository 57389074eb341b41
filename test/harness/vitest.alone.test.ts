// SPDX-License-Identifier: MIT
//
// The real vitest 5 on the virtual machine, in real time.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { expectKnown, hasFigures, knownKernels, type Try } from '../support/known-kernels.js';
import { hasVirtualMachine, type Ran, startMachine } from '../support/virtual-machine.js';
import { makeProject, type Project } from '../support/vitest-5.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const INSIDE = path.join(REPOSITORY, 'test/virtual-machine/inside.mjs');
const NO_COUNTER = 'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n';
const ENV = { NO_COLOR: '1', CI: '', FORCE_COLOR: '' };

describe.skipIf(!hasVirtualMachine)('vitest 5', () => {
  let project: Project;
  beforeAll(() => {
    project = makeProject();
    project.write(
      'vitest.config.mjs',
      `export default { test: {
        include: [],
        benchmark: { provider: './energy.mjs' },
        reporters: ['microjoule/vitest/reporter'],
      } };`,
    );
    project.write(
      'energy.mjs',
      `import { energyProvider } from 'microjoule/vitest';
      export default energyProvider({ budgetSeconds: 1 });`,
    );
  });
  afterAll(() => project?.cleanup());

  async function run(machineText: string, file: string, config: string): Promise<Ran> {
    const machine = startMachine(machineText);
    try {
      const args = [...project.bench, '--config', path.join(project.folder, config), file];
      return await machine.run(project.node, args, { env: ENV, timeoutMs: 60_000 });
    } finally {
      machine.cleanup();
    }
  }

  it('tells the energy of known kernels, to tests and in its tables', { timeout: 90_000 }, async () => {
    project.write(
      'known.bench.mjs',
      `import { writeFileSync } from 'node:fs';
      import { test } from 'vitest';
      import { openLoad } from ${JSON.stringify(INSIDE)};
      test('known', async ({ bench }) => {
        const options = { time: 60, iterations: 1, warmupTime: 20, warmupIterations: 1 };
        const tries = await (async () => { ${knownKernels(`
          const registered = Object.entries(kernels).map(([name, kernel]) => bench(name, kernel));
          const results = await bench.compare(...registered, options);
          return Object.fromEntries(Object.keys(kernels).map((name) => [name, results.get(name).energy]));`)}
        })();
        writeFileSync(${JSON.stringify(path.join(project.folder, 'tries.json'))}, JSON.stringify(tries));
      });`,
    );
    const { stdout, stderr, exitCode } = await run(LOADED_MACHINE, 'known', 'vitest.config.mjs');
    expect(exitCode, stdout + stderr).toBe(0);
    const file = path.join(project.folder, 'tries.json');
    const tries = JSON.parse(readFileSync(file, 'utf8')) as Try[];
    expectKnown(tries);
    const lines = stdout.split('\n');
    expect(
      lines.find((line) => / name .* samples +energy +rme +power$/.test(line)),
      stdout,
    ).toBeDefined();
    for (const [name, suffix] of [
      ['short', ' +fastest$'],
      ['long', '$'],
    ]) {
      const figure = hasFigures(tries) ? '[\\d.]+ mJ +±\\d+\\.\\d\\d% +\\d\\d\\.\\d W' : '.*';
      const row = new RegExp(` ${name} .*% +\\d+ +${figure}${suffix}`);
      expect(lines.filter((line) => row.test(line)).length, stdout).toBeGreaterThanOrEqual(1);
    }
  });

  it('shows each group its own energies, whatever their names', { timeout: 90_000 }, async () => {
    project.write(
      'twice.bench.mjs',
      `import { test } from 'vitest';
      const options = { time: 5, iterations: 1, warmup: false };
      const busy = (ms) => () => {
        const end = performance.now() + ms;
        while (performance.now() < end);
      };
      test('twice', async ({ bench }) => {
        for (const ms of [1, 20]) {
          await bench.compare(bench('one', busy(ms)), bench('other', busy(ms)), options);
        }
        await bench('one', busy(4)).run(options);
      });`,
    );
    const { stdout, stderr, exitCode } = await run(LOADED_MACHINE, 'twice', 'vitest.config.mjs');
    expect(exitCode, stdout + stderr).toBe(0);
    const joules = [...stdout.matchAll(/^ +one .*% +\d+ +([\d.]+) (m?)J /gm)].map(
      ([, figure, milli]) => Number(figure) * (milli === 'm' ? 1e-3 : 1),
    );
    expect(joules, stdout).toHaveLength(3);
    const [short = 0, long = 0, middle = 0] = joules;
    // 1, 20 and 4 ms at one power; generously.
    expect(middle, stdout).toBeGreaterThan(1.5 * short);
    expect(long, stdout).toBeGreaterThan(2 * middle);
  });

  it('runs the example', { timeout: 90_000 }, async () => {
    cpSync(path.join(REPOSITORY, 'examples/vitest'), path.join(project.folder, 'example'), {
      recursive: true,
    });
    const { stdout, stderr, exitCode } = await run(NO_COUNTER, 'parse', 'example/vitest.config.mjs');
    expect(exitCode, stdout + stderr).toBe(0);
    for (const name of ['parse', 'clone']) {
      expect(stdout).toMatch(new RegExp(`^ +${name} .*% +\\d+ +n/a +no counter +n/a`, 'm'));
    }
    rmSync(path.join(project.folder, 'example'), { recursive: true });
  });

  it('says why there is no energy, and fails tests whose benchmarks fail', { timeout: 90_000 }, async () => {
    project.write(
      'default.config.mjs',
      `export default { test: {
        include: [],
        benchmark: { provider: 'microjoule/vitest' },
        reporters: ['microjoule/vitest/reporter'],
      } };`,
    );
    project.write(
      'absent.bench.mjs',
      `import { expect, test } from 'vitest';
      const options = { time: 5, iterations: 1, warmupTime: 1, warmupIterations: 1 };
      test('absent', async ({ bench }) => {
        const { energy, latency } = await bench('plain', () => {}).run(options);
        expect(energy).toMatchObject({ kind: 'absent', reason: 'no counter' });
        expect(latency.mean).toBeGreaterThan(0);
      });
      test('bad', async ({ bench }) => {
        await bench('bad', () => { throw new TypeError('mine'); }).run(options);
      });`,
    );
    project.write(
      'estimates.mjs',
      `import { energyProvider } from 'microjoule/vitest';
      export default energyProvider({ budgetSeconds: 0.3, allowEstimates: true });`,
    );
    project.write(
      'estimates.config.mjs',
      `export default { test: {
        include: [],
        benchmark: { provider: './estimates.mjs' },
        reporters: ['microjoule/vitest/reporter'],
      } };`,
    );
    project.write(
      'late.bench.mjs',
      `import { expect, test } from 'vitest';
      const options = { time: 0, iterations: 4, warmup: false };
      test('late', async ({ bench }) => {
        let count = 0;
        const late = () => { if (++count > 20) throw new RangeError('late'); };
        const results = await bench.compare(bench('late', late), bench('good', () => {}), options);
        expect(results.get('late')).toMatchObject({
          energy: { kind: 'absent', reason: 'failed', detail: expect.stringContaining('measured: late') },
        });
        expect(results.get('late').latency.mean).toBeGreaterThan(0);
        expect(results.get('good').energy.kind).not.toBe('absent');
      });`,
    );
    const late = await run(NO_COUNTER, 'late', 'estimates.config.mjs');
    expect(late.exitCode, late.stdout + late.stderr).toBe(0);
    expect(late.stdout).toMatch(/ late .* n\/a +failed /);
    const { stdout, stderr, exitCode } = await run(NO_COUNTER, 'absent', 'default.config.mjs');
    expect(exitCode).toBe(1);
    expect(stdout, stderr).toMatch(/ plain .*% +\d+ +n\/a +no counter +n\/a$/m);
    expect(stdout).toMatch(/^ +energy, no counter: This machine measures nothing.*microjoule run/m);
    expect(stdout).toMatch(/1 failed \| 1 passed/);
    expect(stderr).toMatch(/TypeError: mine/);
  });
});
