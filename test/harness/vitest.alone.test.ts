// SPDX-License-Identifier: MIT
//
// The real vitest 5 on the virtual machine, in real time.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { expectKnown, hasFigures, knownKernels, type Try } from '../support/known-kernels.js';
import { hasVirtualMachine, startMachine } from '../support/virtual-machine.js';
import { makeProject, type Project } from '../support/vitest-5.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const INSIDE = path.join(REPOSITORY, 'test/virtual-machine/inside.mjs');
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

  async function run(): Promise<string> {
    const machine = startMachine(LOADED_MACHINE);
    try {
      const ran = await machine.run(project.node, project.bench, { env: ENV, timeoutMs: 60_000 });
      expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
      return ran.stdout;
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
    const stdout = await run();
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
});
