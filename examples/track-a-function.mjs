// SPDX-License-Identifier: MIT

// Meters one function and writes no files. Run it with `node examples/track-a-function.mjs`.

import { trackEmissions } from 'microjoule';

function sumOfRoots(termCount) {
  let sum = 0;
  for (let term = 1; term <= termCount; term++) sum += Math.sqrt(term);
  return sum;
}

const { result, report } = await trackEmissions(async () => sumOfRoots(2e9), {
  projectName: 'sum-of-roots',
  output: [],
});
console.log(`Result: ${result.toExponential(6)} after ${report.duration.durationSeconds.toFixed(1)} s`);
console.log(`Energy: ${(1000 * report.energy.energyKwh).toPrecision(3)} Wh (${report.energy.kind})`);
console.log(`CO2e:   ${(1000 * report.emissionsKg).toPrecision(3)} g`);
