// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runBench } from '../../lib/bench/bench.js';
import type { BenchOptions } from '../../lib/bench/plan.js';
import type { BenchReport } from '../../lib/bench/types.js';
import { type Behaviour, fakeMachine, planOf, randomFrom } from '../bench/fixtures.js';

const require = createRequire(import.meta.url);
const { default: Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
const { default: addFormats } = require('ajv-formats') as typeof import('ajv-formats');

/** What a schema says against JSON text; empty when it is valid. */
export function errorsBy(schema: string, text: string): string[] {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile(
    JSON.parse(readFileSync(new URL(`../../${schema}.schema.json`, import.meta.url), 'utf8')),
  );
  if (validate(JSON.parse(text))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** A report of a machine that runs nothing; always the same. */
export function reportOf(
  commands: string[],
  behave: (line: string, run: number) => Behaviour,
  options: Omit<BenchOptions, 'commands'> = {},
): Promise<BenchReport> {
  const { gauge, executor } = fakeMachine(behave);
  const about = { version: '1.2.3', generatedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5) };
  return runBench(
    planOf(commands, { runCount: 8, ...options }),
    { gauge, executor, random: randomFrom(3) },
    about,
  );
}

/** Two commands of 10 W and 20 W above 30 W, with some scatter. */
export function usualReport(options: Omit<BenchOptions, 'commands'> = {}): Promise<BenchReport> {
  const behave = (line: string, run: number): Behaviour => ({
    seconds: 0.1 + 0.001 * (run % 3),
    watts: (line.includes('slow') ? 20 : 10) + 0.2 * (run % 2),
  });
  return reportOf(['./fast --level 1', './slow --level 1 | cat'], behave, options);
}

/** The same from a model. */
export async function estimatedReport(): Promise<BenchReport> {
  const report = await usualReport();
  const { idle: _, ...rest } = report;
  return {
    ...rest,
    provenance: { kind: 'estimated', source: 'Some CPU', method: 'linear', detail: 'A model.' },
    results: report.results.map(({ aboveIdleJoules: _, ...result }) => result),
    comparisons: report.comparisons.map(({ aboveIdle: _, ...comparison }) => comparison),
  };
}
