// SPDX-License-Identifier: MIT
import { memory } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

interface DigitSet {
  pixels: Float32Array;
  labels: Int32Array;
  sourceIndices: Int32Array;
}

interface Counts {
  trainCount?: number;
  testCount?: number;
}

interface TrainingOptions extends Counts {
  epochs?: number;
  batchSize?: number;
  learningRate?: number;
  seed?: number;
  onEpoch?: (progress: Progress) => void;
}

interface Progress {
  epoch: number;
  epochs: number;
  loss: number;
  imagesPerSecond: number;
}

interface Example {
  loadDigits(counts?: Counts): { train: DigitSet; test: DigitSet };
  trainAndTest(
    options: TrainingOptions,
  ): Promise<{ accuracyRatio: number; trainCount: number; testCount: number; parameterCount: number }>;
}

// The example is plain JavaScript, so its types are stated here and the import is by address.
const { loadDigits, trainAndTest }: Example = await import(
  new URL('../../examples/mnist-cnn.mjs', import.meta.url).href
);

const PIXELS_PER_IMAGE = 28 * 28;

function imagesPerDigit({ labels }: DigitSet): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

function imageTexts({ pixels, labels }: DigitSet): string[] {
  return Array.from(labels, (_, image) =>
    pixels.subarray(image * PIXELS_PER_IMAGE, (image + 1) * PIXELS_PER_IMAGE).join(),
  );
}

describe('the digits', () => {
  const { train, test } = loadDigits();

  it('hold ten classes, equally often in both sets', () => {
    expect(imagesPerDigit(train)).toEqual(new Array(10).fill(700));
    expect(imagesPerDigit(test)).toEqual(new Array(10).fill(100));
  });

  it('hold one whole image per label, grey values from 0 to 1', () => {
    for (const { pixels, labels } of [train, test]) {
      expect(pixels).toHaveLength(labels.length * PIXELS_PER_IMAGE);
      expect(pixels.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(pixels.some((value) => value > 0.9)).toBe(true);
    }
  });

  it('share no image between training and test, by position or by content', () => {
    const keysOf = ({ labels, sourceIndices }: DigitSet) =>
      Array.from(labels, (label, image) => `${label}/${sourceIndices[image]}`);
    const trainKeys = new Set(keysOf(train));
    expect(trainKeys.size).toBe(7000);
    expect(keysOf(test).filter((key) => trainKeys.has(key))).toEqual([]);

    const trainImages = new Set(imageTexts(train));
    expect(trainImages.size).toBe(7000);
    expect(imageTexts(test).filter((image) => trainImages.has(image))).toHaveLength(0);
  });

  it('keep the test images apart whatever the counts', () => {
    const largest = loadDigits({ trainCount: 7600, testCount: 1000 });
    expect(Math.min(...largest.train.sourceIndices)).toBeGreaterThan(Math.max(...largest.test.sourceIndices));
  });

  it('stay balanced in a small set', () => {
    const small = loadDigits({ trainCount: 30, testCount: 20 });
    expect(imagesPerDigit(small.train)).toEqual(new Array(10).fill(3));
    expect(imagesPerDigit(small.test)).toEqual(new Array(10).fill(2));
  });

  it.each([0, 5, 15, 12.5, 7610, Number.NaN])('refuse %s training images', (trainCount) => {
    expect(() => loadDigits({ trainCount })).toThrow(RangeError);
  });
});

describe('a quick training', () => {
  const quick = { trainCount: 800, testCount: 200, epochs: 1, batchSize: 10, learningRate: 0.1, seed: 7 };

  it('beats chance clearly, reports its progress and leaves no tensor behind', async () => {
    const tensorCountBefore = memory().numTensors;
    const progress: Progress[] = [];
    const result = await trainAndTest({ ...quick, onEpoch: (epoch) => progress.push(epoch) });
    expect(result).toMatchObject({ trainCount: 800, testCount: 200, parameterCount: 14_694 });
    // Ten classes: guessing gets 0.1. Several seeds gave 0.76 to 0.80.
    expect(result.accuracyRatio).toBeGreaterThan(0.5);
    expect(progress).toHaveLength(1);
    expect(progress[0]).toMatchObject({ epoch: 1, epochs: 1 });
    // An untrained guess has a loss of ln 10.
    expect(progress[0]?.loss).toBeLessThan(Math.log(10));
    expect(progress[0]?.imagesPerSecond).toBeGreaterThan(0);
    expect(memory().numTensors).toBe(tensorCountBefore);
  });

  it('gives the same result again for the same seed', async () => {
    const losses: number[] = [];
    const onEpoch = ({ loss }: Progress) => losses.push(loss);
    const small = { ...quick, trainCount: 100, testCount: 100, onEpoch };
    const first = await trainAndTest(small);
    const second = await trainAndTest(small);
    const other = await trainAndTest({ ...small, seed: 8 });
    expect(second).toEqual(first);
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).not.toBe(losses[0]);
    expect(other.trainCount).toBe(100);
  });
});
