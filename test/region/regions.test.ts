// SPDX-License-Identifier: MIT
//
// Regions in virtual machines, whose true energy is known. What is demanded holds however late threads run: an interval
// that could not be told well is wide or flagged, never wrong.
import { describe, expect, it } from 'vitest';
import type { RegionEnergy } from '../../lib/region/types.js';
import { IDLE_WATTS, LOAD_WATTS, LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine, startMachine } from '../support/virtual-machine.js';

/** A region as the script saw it: its marks fell between the outer two times and around the inner two. */
interface Told {
  energy: RegionEnergy;
  outer: [bigint, bigint];
  inner: [bigint, bigint];
}

/** What every script below has at hand. */
const PRELUDE = `
  const told = async (region, before, after, work) => {
    await work();
    const end = monotonicNs();
    const pending = region.end();
    const done = monotonicNs();
    return { energy: await pending, outer: [before, done], inner: [after, end] };
  };
  const begun = (meter, work, name = 'r', way = 'begin') => {
    const before = monotonicNs();
    const region = meter[way](name);
    const after = monotonicNs();
    return told(region, before, after, work);
  };
  const spin = (ms) => { const until = performance.now() + ms; while (performance.now() < until); };`;

/** Whether the stated interval holds what was truly used, between the marks' earliest and latest times. */
function isCovered(machine: { trueTotalJoules(from: bigint, to: bigint): number }, told: Told): boolean {
  const { energy, outer, inner } = told;
  return (
    machine.trueTotalJoules(...outer) >= energy.lowerJoules &&
    machine.trueTotalJoules(...inner) <= energy.upperJoules
  );
}

function expectSound(energy: RegionEnergy): void {
  for (const one of [energy, ...energy.counters.flatMap((counter) => counter.energy ?? [])]) {
    expect(one.energyJoules).toBeGreaterThan(0);
    expect(one.lowerJoules).toBeLessThanOrEqual(one.energyJoules);
    expect(one.upperJoules).toBeGreaterThanOrEqual(one.energyJoules);
    expect(Number.isFinite(one.upperJoules)).toBe(true);
    expect(one.confidenceRatio).toBe(0.95);
    if (one.method === 'bound') expect(one.resolved).toBe(false);
  }
  for (const { energy: own, status, detail } of energy.counters) {
    expect(own !== undefined).toBe(status === 'ok');
    if (status !== 'ok') expect(detail).not.toBe('');
  }
}

describe.skipIf(!hasVirtualMachine)('regions', () => {
  it('of all lengths hold the truth, nested, overlapping and across await', async () => {
    const { result, machine } = await runInMachine<Told[]>(
      LOADED_MACHINE,
      `${PRELUDE}
      const meter = openMeter();
      await meter.ready();
      const all = [];
      for (let round = 0; round < 12; ++round) {
        all.push(begun(meter, () => wait(1 + 3 * round)));
        all.push(await begun(meter, () => begun(meter, () => spin(0.3 + 0.7 * round)).then((one) => { all.push(one); })));
      }
      const result = await Promise.all(all);
      if (meter.openRegions.length > 0) throw new Error('open: ' + meter.openRegions);
      meter.close();
      return result;`,
    );
    expect(result).toHaveLength(36);
    for (const { energy } of result) expectSound(energy);
    const covered = result.filter((told) => isCovered(machine, told));
    // 36 intervals of 95 %: fewer than 31 by chance once in 1500 runs, were they independent.
    expect(covered.length).toBeGreaterThanOrEqual(31);
    for (const { energy, inner } of result) {
      const periods = Number(inner[1] - inner[0]) / 1e6;
      expect(energy.durationSeconds).toBeGreaterThan(0);
      if (periods < 0.9) expect(energy.resolved).toBe(false);
      // Whatever is not told says why.
      if (periods > 3.1 && !energy.resolved) expect(energy.flags.length).toBeGreaterThan(0);
      expect(energy.counters.map(({ id, inTotal }) => [id, inTotal])).toEqual([
        ['perf:energy-pkg:0', true],
        ['perf:energy-ram:0', true],
      ]);
      expect(energy.kind).toBe('measured');
      expect(energy.sources).toEqual(['perf']);
      expect(energy.missing).toEqual([]);
    }
  });

  it('are those of performance.measure(), too', async () => {
    const { result, machine } = await runInMachine<{ energies: RegionEnergy[]; times: [bigint, bigint] }>(
      LOADED_MACHINE,
      `${PRELUDE}
      const meter = openMeter();
      await meter.ready();
      const energies = [];
      const observer = meter.observeMeasures((energy) => energies.push(energy));
      const before = monotonicNs();
      performance.mark('a');
      await wait(30);
      performance.measure('parse', 'a');
      const after = monotonicNs();
      for (let i = 0; i < 100 && energies.length < 1; ++i) await wait(10);
      observer.stop();
      performance.measure('not observed', 'a');
      await wait(50);
      meter.close();
      return { energies, times: [before, after] };`,
    );
    expect(result.energies.map(({ name }) => name)).toEqual(['parse']);
    const [energy] = result.energies as [RegionEnergy];
    expectSound(energy);
    expect(energy.durationSeconds).toBeGreaterThan(0.029);
    // The power is constant, and the process may have been kept waiting outside of what it measured.
    const [before, after] = result.times;
    const truth =
      machine.trueTotalJoules(before, after) * (energy.durationSeconds / (Number(after - before) / 1e9));
    expect(energy.upperJoules).toBeGreaterThan(0.98 * truth);
    expect(energy.lowerJoules).toBeLessThan(1.02 * truth);
  });

  it('run in workers on the same threads', async () => {
    const { result } = await runInMachine<{ energies: RegionEnergy[]; threads: string[]; after: string[] }>(
      LOADED_MACHINE,
      `const { Worker } = await import('node:worker_threads');
      const { readdirSync, readFileSync } = await import('node:fs');
      const names = () => readdirSync('/proc/self/task').flatMap((id) => {
        try { return [readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim()]; } catch { return []; }
      }).filter((name) => name.startsWith('microjoule-'));
      const meter = openMeter();
      await meter.ready();
      const code = \`const { parentPort, workerData } = await import('node:worker_threads');
        await import(workerData).then(async ({ openMeter }) => {
          const meter = openMeter();
          await meter.ready();
          const region = meter.begin('worker');
          const until = performance.now() + 15;
          while (performance.now() < until);
          parentPort.postMessage(await region.end());
          meter.close();
        });\`;
      const module = ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const workers = [1, 2, 3].map(() => new Worker(code, { eval: true, workerData: module }));
      const region = meter.begin('main');
      const energies = await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
        worker.on('message', resolve).on('error', reject);
      })));
      const threads = names();
      energies.push(await region.end());
      meter.close();
      for (let i = 0; i < 200 && names().length > 0; ++i) await wait(10);
      return { energies, threads, after: names() };`,
    );
    expect(result.energies.map(({ name }) => name)).toEqual(['worker', 'worker', 'worker', 'main']);
    for (const energy of result.energies) expectSound(energy);
    expect(result.threads).toHaveLength(1);
    expect(result.after).toEqual([]);
  });

  it('say when a counter broke off within', async () => {
    const { result, machine } = await runInMachine<Told>(
      LOADED_MACHINE,
      `${PRELUDE}
      const meter = openMeter();
      await meter.ready();
      await untilMachineTime(1.4);
      const one = await begun(meter, () => untilMachineTime(1.6));
      meter.close();
      return one;`,
      'fault meter package-0 back 5J from 1.5s',
    );
    expectSound(result.energy);
    expect(result.energy.flags).toContain('reset');
    expect(isCovered(machine, result)).toBe(true);
  });

  it('keep the process until they are told, and say which were never ended', async () => {
    const machine = startMachine(LOADED_MACHINE);
    try {
      const module = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
      const code = `const { openMeter } = await import(${module});
        const meter = openMeter();
        meter.begin('forgotten');
        meter.begin('told').end().then((energy) => console.log(energy.name));`;
      const ran = await machine.run(process.execPath, ['--input-type=module', '--eval', code]);
      expect(ran.stdout).toBe('told\n');
      expect(ran.exitCode).toBe(0);
      expect(ran.stderr).toMatch(/^microjoule: regions .* never ended/m);
      expect(ran.stderr).toContain('"forgotten"');
      expect(ran.stderr).not.toContain('"told"');
    } finally {
      machine.cleanup();
    }
  });

  it('that a meter was closed under are named at exit, but for those whose end was refused', async () => {
    const machine = startMachine(LOADED_MACHINE);
    try {
      const module = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
      const code = `const { openMeter } = await import(${module});
        const meter = openMeter();
        meter.begin('forgotten');
        const late = meter.begin('late');
        meter.beginAligned('aligned');
        meter.close();
        await late.end().catch((error) => console.log(error.code));`;
      const ran = await machine.run(process.execPath, ['--input-type=module', '--eval', code]);
      expect(ran.stdout).toBe('ERR_METER_CLOSED\n');
      expect(ran.stderr).toMatch(/never ended, .*: "forgotten", "aligned"\./);
      expect(ran.stderr).not.toContain('"late"');
    } finally {
      machine.cleanup();
    }
  });

  it('of a platform of more than a package draws hold its truth', async () => {
    const { result, machine } = await runInMachine<Told>(
      LOADED_MACHINE,
      `${PRELUDE}
      const meter = openMeter();
      await meter.ready();
      const one = await begun(meter, () => wait(200));
      meter.close();
      return one;`,
      'meter psys-0 power 1500W jitter 20us',
      'zone intel-rapl:1 psys of psys-0',
    );
    const psys = result.energy.counters.find(({ domain }) => domain === 'psys')?.energy;
    if (psys === undefined) throw new Error('the platform is not told');
    expect(psys.lowerJoules).toBeLessThanOrEqual(machine.trueJoules('psys', 0, ...result.outer));
    expect(psys.upperJoules).toBeGreaterThanOrEqual(machine.trueJoules('psys', 0, ...result.inner));
    expect(psys.flags).not.toContain('implausible');
  });

  it('can have their counters calibrated anew', async () => {
    const { result } = await runInMachine<{ modes: string[]; after: string[]; refused: string }>(
      LOADED_MACHINE,
      `const { openSampler } = await import(${JSON.stringify(new URL('../../dist/meter/sampler.js', import.meta.url).href)});
      const meter = openMeter();
      await meter.ready();
      const watching = openSampler();
      const modes = () => watching.counters().map(({ mode }) => mode);
      const seen = new Set();
      let isDone = false;
      const done = meter.calibrate().then(() => { isDone = true; });
      while (!isDone) { modes().forEach((mode) => seen.add(mode)); await wait(2); }
      await done;
      const after = modes();
      watching.close();
      meter.close();
      const refused = await meter.calibrate().then(() => 'none', (error) => error.code);
      return { modes: [...seen], after, refused };`,
    );
    expect(result.modes).toContain('calibrating');
    expect(result.after).not.toContain('calibrating');
    expect(result.refused).toBe('ERR_METER_CLOSED');
  });
});

describe.skipIf(!hasVirtualMachine)('bad use of regions', () => {
  /** The code of what an expression throws or rejects with, and its hint. */
  const codes = (body: string, expressions: readonly string[]): string => `
    ${body}
    const all = [];
    for (const expression of [${expressions.map((one) => `async () => ${one}`).join(', ')}]) {
      try { await expression(); all.push('none'); }
      catch (error) { all.push(error.code + (error.hint ? '' : ' without a hint') + ': ' + error.message); }
    }
    return all;`;

  it('is refused by name, and what is pending at close is told', async () => {
    const { result } = await runInMachine<string[]>(
      LOADED_MACHINE,
      codes(
        `const meter = openMeter();
        await meter.ready();
        const twice = meter.begin('twice');
        await twice.end();
        const late = meter.begin('late');
        const other = openMeter();
        await other.ready();
        const pending = other.begin('pending');
        await wait(20);
        const told = pending.end();
        other.close();`,
        [
          'twice.end()',
          'told',
          'other.begin()',
          'other.ready()',
          '(meter.close(), late.end())',
          'meter.beginAligned()',
          'openMeter({ rateHz: 0 }).begin()',
        ],
      ),
    );
    expect(result[0]).toMatch(/^ERR_REGION_STATE: region "twice"/);
    expect(result[1]).toBe('none');
    expect(result[2]).toMatch(/^ERR_METER_CLOSED:/);
    expect(result[3]).toMatch(/^ERR_METER_CLOSED:/);
    expect(result[4]).toMatch(/^ERR_METER_CLOSED: region "late"/);
    expect(result[5]).toMatch(/^ERR_METER_CLOSED:/);
    expect(result[6]).toMatch(/^ERR_BAD_OPTION:/);
  });

  it('of a machine without counters names what is missing', async () => {
    const { result } = await runInMachine<string[]>(
      'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n',
      codes('const meter = openMeter();', ['meter.begin()', 'meter.ready()', 'meter.beginAligned()']),
    );
    for (const line of result) expect(line).toMatch(/^ERR_NO_COUNTERS: .*powercap/);
  });

  it('of a counter that stands still is no zero', async () => {
    const { result } = await runInMachine<string[]>(
      LOADED_MACHINE,
      codes('const meter = openMeter(); const region = meter.begin("still"); await wait(20);', [
        'region.end()',
      ]),
      'fault meter package-0 freeze from 0s',
      'fault meter dram-0 freeze from 0s',
    );
    expect(result[0]).toMatch(/^ERR_NO_ENERGY: region "still".*stale/);
  });
});

it('knows what the described machine draws', () => {
  expect(IDLE_WATTS + LOAD_WATTS).toBe(62);
});
