// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Folder,
  parseReport,
  START_TICKS,
  TICKS_PER_JOULE,
  useWorkplace,
  work,
  zone,
} from '../cli/fixtures.js';
import { type Ended, ended, saying } from '../support/run-child-fixture.js';

const place = useWorkplace();
const DIST = new URL('../../dist/index.js', import.meta.url).href;
const JOULES = 1_000_000 / TICKS_PER_JOULE;

/** Starts a script of its own process that has the package and the options of a fixture machine at hand. */
function start(body: string): { child: ChildProcess; folder: Folder } {
  const folder = place.newFolder();
  const machine = place.machine(zone('intel-rapl:0', 'package-0'));
  const options = {
    sysfs: machine.root,
    nvmlLibrary: `${machine.root}/no-nvml`,
    output: folder.file('report.json'),
  };
  writeFileSync(
    folder.file('script.mjs'),
    `import { execSync } from 'node:child_process';
     import { isMainThread, parentPort, Worker } from 'node:worker_threads';
     import { EmissionsTracker, openMeter, trackEmissions } from ${JSON.stringify(DIST)};
     const { output, ...meterOptions } = ${JSON.stringify(options)};
     const options = { ...meterOptions, output };
     const count = () => execSync(${JSON.stringify(work(machine, { 'intel-rapl:0': 1_000_000 }))});
     ${body}`,
  );
  const child = spawn(process.execPath, [folder.file('script.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, folder };
}

async function run(body: string): Promise<Ended & { folder: Folder }> {
  const { child, folder } = start(body);
  return { ...(await ended(child)), folder };
}

/** Runs a script until it says that it is ready, and sends it a signal. */
async function interrupt(body: string, name: NodeJS.Signals): Promise<Ended & { folder: Folder }> {
  const { child, folder } = start(`${body} console.log('ready'); setInterval(() => {}, 1000);`);
  const end = ended(child);
  await saying(child, 'ready');
  child.kill(name);
  return { ...(await end), folder };
}

const begin = 'const tracker = new EmissionsTracker(options); tracker.start(); count();';

function expectReport(folder: Folder, why: string): void {
  const report = parseReport(folder.read('report.json'));
  expect(report.components.cpu).toMatchObject({ kind: 'measured', energyJoules: JOULES });
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'ended-early',
      message: expect.stringContaining(why),
      hint: expect.stringContaining('Await stop()'),
    }),
  );
}

describe.concurrent('the report is written', () => {
  it('when the script throws, whose error and exit code stay', async () => {
    const { exitCode, stderr, folder } = await run(`${begin} throw new RangeError('mine');`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('RangeError: mine');
    expectReport(folder, 'ended before stop()');
  });

  it('when a promise is rejected and nobody looks', async () => {
    const { exitCode, folder } = await run(
      `${begin} Promise.reject(new Error('mine')); setInterval(() => {}, 1000);`,
    );
    expect(exitCode).toBe(1);
    expectReport(folder, 'ended before stop()');
  });

  it('when the script calls process.exit(4), and the code stays 4', async () => {
    const { exitCode, signal, stderr, folder } = await run(`${begin} process.exit(4);`);
    expect({ exitCode, signal, stderr }).toEqual({ exitCode: 4, signal: null, stderr: '' });
    expectReport(folder, 'ended before stop()');
  });

  it('when the script just ends', async () => {
    const { exitCode, folder } = await run(begin);
    expect(exitCode).toBe(0);
    expectReport(folder, 'ended before stop()');
  });

  it.each([
    'SIGTERM',
    'SIGINT',
    'SIGHUP',
  ] as const)('when %s comes, and the process dies of it', async (name) => {
    const { exitCode, signal, folder } = await interrupt(begin, name);
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: name });
    expectReport(folder, name);
  });

  it("when the script's own listener decides what a signal does", async () => {
    const body = `${begin} process.on('SIGTERM', () => process.exit(6));`;
    const { exitCode, signal, folder } = await interrupt(body, 'SIGTERM');
    expect({ exitCode, signal }).toEqual({ exitCode: 6, signal: null });
    expectReport(folder, 'ended before stop()');
  });

  it('when the signal came and the others leave the end to the last listener', async () => {
    // As signal-exit does it, which many a progress bar and process library loads.
    const { exitCode, signal, folder } = await interrupt(
      `process.on('SIGTERM', function last() {
         if (process.listenerCount('SIGTERM') > 1) return;
         process.off('SIGTERM', last);
         process.kill(process.pid, 'SIGTERM');
       });
       ${begin}`,
      'SIGTERM',
    );
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: 'SIGTERM' });
    expectReport(folder, 'SIGTERM');
  });

  it('of every tracker that runs', async () => {
    const { exitCode, folder } = await run(
      `new EmissionsTracker({ ...options, output: output + '.md' }).start(); ${begin} process.exit(4);`,
    );
    expect(exitCode).toBe(4);
    expectReport(folder, 'ended before stop()');
    expect(folder.read('report.json.md')).toContain('ended before stop()');
  });

  it('to stderr as a complaint, when it cannot be written', async () => {
    const { exitCode, stderr } = await run(
      `options.output = '/dev/null/report.md'; ${begin} process.exit(4);`,
    );
    expect(exitCode).toBe(4);
    expect(stderr).toContain('microjoule: cannot write /dev/null/report.md');
    expect(stderr).toContain('Choose another');
  });
});

describe.concurrent('a signal that the script handles itself', () => {
  it.each(['on', 'once'] as const)('by process.%s does not stop the tracker', async (method) => {
    const listen = `process.${method}('SIGTERM', () => setTimeout(async () => {
      count();
      const { warnings } = await tracker.stop();
      console.log(process.listenerCount('SIGINT'), warnings.map(({ code }) => code).join());
      process.exit(0);
    }, 50));`;
    const begun = 'const tracker = new EmissionsTracker(options); tracker.start();';
    // The listener may be there before the tracker or come after it.
    for (const body of [`${begun} ${listen}`, `${listen} ${begun}`]) {
      const { exitCode, stdout, stderr, folder } = await interrupt(body, 'SIGTERM');
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^ready\n0 /);
      expect(stdout).not.toContain('ended-early');
      expect(parseReport(folder.read('report.json')).components.cpu.energyJoules).toBe(JOULES);
    }
  });

  it('ends the process the next time, once the script no longer listens', async () => {
    const { signal, folder } = await interrupt(
      `${begin} process.once('SIGTERM', () => setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50));`,
      'SIGTERM',
    );
    expect(signal).toBe('SIGTERM');
    expectReport(folder, 'SIGTERM');
  });

  it('may come again and again', async () => {
    const { exitCode, folder } = await interrupt(
      `${begin} let times = 0;
       process.on('SIGTERM', () => {
         if (++times === 3) process.exit(6);
         setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20);
       });`,
      'SIGTERM',
    );
    expect(exitCode).toBe(6);
    expectReport(folder, 'ended before stop()');
  });
});

describe.concurrent('a report that is complete', () => {
  it('is not written again when the process ends', async () => {
    const { exitCode, folder } = await run(`${begin} await tracker.stop(); process.exit(4);`);
    expect(exitCode).toBe(4);
    const codes = parseReport(folder.read('report.json')).warnings.map(({ code }) => code);
    expect(codes).not.toContain('ended-early');
  });
});

describe.concurrent('a worker thread', () => {
  it('has trackers of its own, beside a meter of the main thread', async () => {
    const { exitCode, stdout, stderr } = await run(`
      if (isMainThread) {
        const meter = openMeter(meterOptions);
        new Worker(new URL(import.meta.url)).on('message', (joules) => {
          console.log(joules, meter.joulesSinceOpen()[0]);
          meter.close();
        });
      } else {
        const { report } = await trackEmissions(count, { ...options, output: [] });
        parentPort.postMessage(report.components.cpu.energyJoules);
      }`);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${JOULES} ${JOULES}\n`,
      stderr: '',
    });
  });

  it('may be terminated while it measures', async () => {
    const { exitCode, stdout, stderr } = await run(`
      if (isMainThread) {
        const worker = new Worker(new URL(import.meta.url));
        worker.on('message', async () => {
          await worker.terminate();
          console.log(openMeter(meterOptions).joulesSinceOpen().length);
        });
      } else {
        globalThis.meter = openMeter(meterOptions);
        new EmissionsTracker({ ...options, output: [] }).start();
        parentPort.postMessage('ready');
        setInterval(() => {}, 1000);
      }`);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' });
  });
});

describe.concurrent('an open meter', () => {
  it('does not keep the process alive', async () => {
    const { child } = start(
      'globalThis.meter = openMeter(meterOptions); console.log(meter.list(meter.read())[0].energyJoules);',
    );
    // Fires only when something does keep it alive; then the signal fails the test.
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const { exitCode, signal, stdout } = await ended(child);
    clearTimeout(timer);
    expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: null });
    expect(Number(stdout)).toBe(START_TICKS / TICKS_PER_JOULE);
  });
});
