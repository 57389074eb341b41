// SPDX-License-Identifier: MIT

// The energy of a call, of two ways to do one thing, and of a stretch of a program. Run it with
// `node examples/energy-of-a-function.mjs`, where counters can be read: `microjoule doctor` says whether.

import { compareEnergy, MicrojouleError, measureEnergy, openMeter } from 'microjoule';

const value = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'b'] }));
const text = JSON.stringify(value);

try {
  const { summary, total, warnings } = await measureEnergy(() => JSON.parse(text), { name: 'parse' });
  console.log(summary);
  console.log(
    `95 %: ${total.lowerJoules.toExponential(3)} to ${total.upperJoules.toExponential(3)} J a call`,
  );
  for (const { message } of warnings) console.log(`  note: ${message}`);

  const compared = await compareEnergy(
    { parse: () => JSON.parse(text), clone: () => structuredClone(value) },
    { budgetSeconds: 5 },
  );
  console.log(compared.summary);

  const meter = openMeter();
  await meter.ready();
  const region = meter.begin('a hundred');
  for (let i = 0; i < 100; ++i) JSON.parse(text);
  const { name, energyJoules, uncertaintyJoules, durationSeconds, flags } = await region.end();
  console.log(`${name}: ${energyJoules.toPrecision(4)} J ± ${uncertaintyJoules.toPrecision(2)} J in`);
  console.log(`  ${(1000 * durationSeconds).toFixed(1)} ms; ${flags.join(', ') || 'nothing to remark'}`);
  meter.close();
} catch (error) {
  if (!(error instanceof MicrojouleError)) throw error;
  console.error(`${error.message}\n${error.hint ?? ''}`);
  process.exitCode = 1;
}
