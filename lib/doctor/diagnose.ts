// SPDX-License-Identifier: MIT
import { sourcesElsewhere } from '../meter/elsewhere.js';
import { type Meter, openMeter } from '../meter/meter.js';
import { loadAddon } from '../meter/native.js';
import { type MeterOptions, resolveMeterOptions } from '../meter/options.js';
import { packageVersion } from '../version.js';
import { type Compared, checkConsistency } from './consistency.js';
import type { CounterTest, Diagnosis, LiveTest } from './diagnosis.js';
import type { FixContext } from './fix-parts.js';
import { gatherFacts } from './gather.js';
import { recordLiveTest } from './live-test.js';
import type { LostMeter } from './lost.js';
import { cpuFacts, judgeMachine } from './machine.js';
import { resolutionOf } from './resolution.js';
import { judgeSources } from './sources.js';
import { judge } from './verdict.js';

function withoutScale({ scaleNumerator: _n, scaleDenominator: _d, ...test }: Compared): CounterTest {
  return test;
}

async function testLive(
  meter: Meter,
  options: MeterOptions,
  { facts, machine }: FixContext,
): Promise<{ test: LiveTest; lost: LostMeter[] } | undefined> {
  if (!meter.counters.some(({ status }) => status === 'ok')) return undefined;
  const open = (sources: readonly string[]): Meter => openMeter({ ...options, sources });
  const packages = new Set(
    meter.counters.filter(({ domain }) => domain === 'package').map(({ device }) => device),
  );
  const recorded = await recordLiveTest(meter, open, {
    packageCount: facts.packageCpus?.length ?? packages.size,
    isVirtual: machine.hardware.state === 'virtual-machine',
  });
  const test = {
    durationSeconds: recorded.durationSeconds,
    idleSeconds: recorded.idleSeconds,
    counters: recorded.counters.map(withoutScale),
    readCosts: recorded.readCosts,
    checks: checkConsistency(recorded.counters, recorded.durationSeconds, cpuFacts(facts)),
  };
  return { test, lost: recorded.lost };
}

/**
 * Says what this machine can measure, why not more, and what would change that; where a counter can be read, tests
 * for about two seconds, one of them busy, what it is worth. Changes nothing on the machine.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export async function diagnose(options: MeterOptions = {}): Promise<Diagnosis> {
  const { addon } = loadAddon();
  // By name, those too that are not read by default; and so each meter is read by every source that reaches it.
  const sources = options.sources ?? addon?.sourceNames;
  const meter = openMeter({ ...options, ...(sources === undefined ? {} : { sources }) });
  try {
    const facts = gatherFacts(resolveMeterOptions(options));
    const missing = meter.sources.find(({ status }) => status === 'addon-missing')?.detail ?? '';
    const machine = judgeMachine(facts, missing);
    const context = { facts, machine };
    const { test, lost } = (await testLive(meter, options, context)) ?? { test: undefined, lost: [] };
    const tested = test?.counters ?? [];
    // A meter that is told its sources lists no others.
    const elsewhere = options.sources === undefined && sources !== undefined ? sourcesElsewhere() : [];
    const judged = judgeSources([...meter.sources, ...elsewhere], context, tested, lost);
    return {
      schema: 'microjoule.doctor/1',
      generator: { name: 'microjoule', version: packageVersion() },
      generatedAt: new Date().toISOString(),
      machine,
      sources: judged,
      ...(test === undefined ? {} : { test }),
      resolution: resolutionOf(tested),
      verdict: judge(judged, tested, lost),
    };
  } finally {
    meter.close();
  }
}
