// SPDX-License-Identifier: MIT
//
// What EnergyBench does beside measuring; how well it measures is in tinybench.alone.test.ts.
import { describe, expect, it } from 'vitest';
import type { BenchmarkEnergy } from '../../lib/harness/energy.js';
import { LOADED_MACHINE } from '../support/kernel-machine.js';
import { hasVirtualMachine, runInMachine } from '../support/virtual-machine.js';

const BENCH = `
  const { EnergyBench } = await import('microjoule/tinybench');
  const QUICK = { time: 5, iterations: 2, warmup: false };
  const energies = (bench) => [...bench.energy.values()].map(({ kind, reason, detail }) => ({ kind, reason, detail }));
`;
const NO_COUNTER = 'processor intel 6 0x9e virtual\ncpus 0-1 package 0\n';

describe.skipIf(!hasVirtualMachine)('EnergyBench', () => {
  it('runs the hooks around its own pass, those of each call not measured', async () => {
    const { result } = await runInMachine<{ calls: string[]; energy: BenchmarkEnergy; isTask: boolean }>(
      LOADED_MACHINE,
      `${BENCH}
      const calls = [];
      let isTask = true;
      const slow = openLoad().kernel(1);
      const bench = new EnergyBench({
        ...QUICK,
        setup: (task, mode) => { calls.push('setup ' + task.name + ' ' + mode); },
        teardown: (task, mode) => { calls.push('teardown ' + mode); },
        energy: { budgetSeconds: 0.5 },
      });
      bench.add('work', function () {
        isTask &&= this === bench.getTask('work');
        calls.push('call');
        const until = performance.now() + 4;
        while (performance.now() < until);
      }, {
        beforeAll: (mode) => { calls.push('beforeAll ' + mode); },
        afterAll: (mode) => { calls.push('afterAll ' + mode); },
        beforeEach: () => { slow(); calls.push('before'); },
        afterEach: () => { slow(); calls.push('after'); },
      });
      await bench.run();
      return { calls, isTask, energy: bench.energy.get('work') };`,
    );
    const text = result.calls.join(',');
    const once = '(,before,call,after)+';
    const phase = `setup work run,beforeAll run${once},afterAll run,teardown run`;
    // tinybench's first call finds out whether the function is async.
    expect(text).toMatch(new RegExp(`^call,${phase},${phase}$`));
    expect(result.isTask).toBe(true);
    if (result.energy.kind !== 'measured') throw new Error(result.energy.kind);
    expect(result.energy.provenance.method).toBe('single-calls');
    // The hooks draw 62 W, the calls 32 W.
    expect(result.energy.total.energyJoules / result.energy.callSeconds).toBeLessThan(45);
  });

  it('says why there is no energy, and never 0', async () => {
    const { result } = await runInMachine<{ energies: BenchmarkEnergy[]; rows: Record<string, string>[] }>(
      NO_COUNTER,
      `${BENCH}
      const bench = new EnergyBench(QUICK);
      bench.add('work', () => {});
      const before = bench.table();
      await bench.run();
      return { energies: energies(bench), rows: [...before, ...bench.table()] };`,
    );
    expect(result.energies).toMatchObject([{ kind: 'absent', reason: 'no counter' }]);
    const [before, after] = result.rows;
    expect(before).toMatchObject({ 'Energy avg (µJ)': 'n/a (not run)', 'Power avg (W)': 'n/a' });
    expect(after).toMatchObject({ 'Energy avg (µJ)': 'n/a (no counter)', 'Power avg (W)': 'n/a' });
  });

  it('estimates where it may, and says so', async () => {
    const { result } = await runInMachine<Record<string, string>[]>(
      NO_COUNTER,
      `${BENCH}
      const bench = new EnergyBench({ ...QUICK, energy: { allowEstimates: true, budgetSeconds: 0.2 } });
      bench.add('work', () => {});
      await bench.run();
      return bench.table();`,
    );
    expect(result[0]?.['Energy avg (µJ)']).toMatch(
      /^[\d.e-]+ from [\d.e-]+ to [\d.e-]+ \((estimated|assumed)\)$/,
    );
  });

  it('has no energy of what failed or was aborted, and measures the others', async () => {
    const { result } = await runInMachine<{
      kinds: BenchmarkEnergy[];
      thrown: string;
      aborted: BenchmarkEnergy[];
    }>(
      LOADED_MACHINE,
      `${BENCH}
      const energy = { budgetSeconds: 0.3 };
      let count = 0;
      const late = () => { if (++count > 20) throw new RangeError('late'); };
      const make = (options) => new EnergyBench({ ...QUICK, time: 0, energy, ...options });
      const bench = make({});
      bench.add('bad', () => { throw new TypeError('mine'); }).add('late', late).add('gone', () => {}).add('good', () => {});
      bench.remove('gone');
      await bench.run();

      count = 0;
      const throwing = make({ throws: true });
      throwing.add('late', late);
      const thrown = await throwing.run().then(() => 'none', (error) => error.message);

      const controller = new AbortController();
      const stopped = make({ signal: controller.signal, energy: { budgetSeconds: 30, targetRatio: 1e-9 } });
      stopped.add('work', () => {});
      setTimeout(() => controller.abort(), 300);
      await stopped.run();
      return { kinds: energies(bench), thrown, aborted: energies(stopped) };`,
    );
    expect(result.kinds).toMatchObject([
      { kind: 'absent', reason: 'failed', detail: 'the benchmark failed: mine' },
      { kind: 'absent', reason: 'failed', detail: 'it failed while its energy was measured: late' },
      { kind: 'measured' },
    ]);
    expect(result.thrown).toBe('late');
    expect(result.aborted).toMatchObject([{ kind: 'absent', reason: 'aborted' }]);
  });

  it('measures after runSync(), and refuses bad options at once', async () => {
    const { result } = await runInMachine<{ kinds: string[]; code: string; own: object[] }>(
      LOADED_MACHINE,
      `${BENCH}
      const bench = new EnergyBench({ ...QUICK, energy: { budgetSeconds: 0.3 } });
      bench.add('work', () => {});
      bench.runSync();
      const kinds = [bench.energy.size, ...[...(await bench.runEnergy()).values()].map(({ kind }) => kind)];
      const own = bench.table((task) => ({ only: task.name }));
      bench.reset();
      kinds.push(bench.energy.size);
      let code;
      try { new EnergyBench({ energy: { budgetSeconds: 0 } }); } catch (error) { code = error.code; }
      return { kinds: kinds.map(String), code, own };`,
    );
    expect(result.kinds).toEqual(['0', 'measured', '0']);
    expect(result.own).toEqual([{ only: 'work' }]);
    expect(result.code).toBe('ERR_BAD_OPTION');
  });
});
