// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { MicrojouleError } from '../../lib/core/errors.js';
import { checkModelDetails, parseModelDetails } from '../../lib/report/model.js';
import { goldenModel } from './fixtures.js';

function failure(text: string): MicrojouleError {
  return thrownBy(() => parseModelDetails(text, 'model.json'));
}

function thrownBy(work: () => void): MicrojouleError {
  try {
    work();
  } catch (error) {
    if (error instanceof MicrojouleError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseModelDetails', () => {
  it('takes every field, and a byte order mark', () => {
    const details = { ...goldenModel, results: { 'Test accuracy': 0.71, Epochs: '25' } };
    expect(parseModelDetails(`\uFEFF${JSON.stringify(details)}`, 'model.json')).toEqual(details);
    expect(parseModelDetails('{}', 'model.json')).toEqual({});
  });

  it('names file, key and the nearest known keys', () => {
    const error = failure('{ "license": "MIT" }');
    expect(error.code).toBe('ERR_BAD_MODEL');
    expect(error.message).toContain('model.json: unknown key "license"');
    expect(error.message).toContain('trainingData');
    expect(error.hint).toContain('licence');
    expect(failure('{ "training_data": "x" }').hint).toContain('trainingData');
    expect(failure('{ "accuracy of the test": 1 }').hint).toContain('results');
    expect(failure('{ "__proto__": "x" }').message).toContain('"__proto__"');
  });

  it.each([
    ['{ "name": 3 }', '"name" is 3 (a number) where text was expected'],
    ['{ "name": null }', '"name" is null where text was expected'],
    ['{ "results": [] }', '"results" is an array where an object'],
    ['{ "results": { "a": true } }', '"results.a" is true (a boolean) where text or a finite number'],
    ['{ "results": { "a": 1e999 } }', '"results.a" is Infinity (a number)'],
    ['{ "results": { "a": {} } }', '"results.a" is an object'],
    ['[]', 'an array where an object was expected'],
    ['"x"', 'text where an object was expected'],
    ['{ name: 1 }', 'is not valid JSON'],
    ['', 'is not valid JSON'],
  ])('refuses %s', (text, message) => {
    const error = failure(text);
    expect(error.code).toBe('ERR_BAD_MODEL');
    expect(error.message).toContain('model.json');
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
  });
});

describe('checkModelDetails', () => {
  it('gives a copy, without the fields that are undefined', () => {
    const model = { name: 'cnn', licence: undefined, results: { loss: 0.2, epochs: '3' } };
    const checked = checkModelDetails(model, 'model');
    expect(checked).toStrictEqual({ name: 'cnn', results: { loss: 0.2, epochs: '3' } });
    expect(checked.results).not.toBe(model.results);
  });

  it.each([
    [{ results: { loss: Number.NaN } }, '"results.loss" is NaN (a number)', 'String(value)'],
    [{ results: { loss: undefined } }, '"results.loss" is undefined', 'String(value)'],
    [{ results: 3n }, '"results" is 3 (a bigint)', 'Test accuracy'],
    [{ date: new Date(0) }, '"date" is an object where text', '"date": "text"'],
    [{ licens: 'MIT' }, 'unknown key "licens"', 'licence'],
    [{ licens: undefined }, 'unknown key "licens"', 'licence'],
    [null, 'holds null where an object', 'known keys'],
    ['cnn', 'holds text where an object', 'known keys'],
  ])('refuses %o', (value, message, hint) => {
    const error = thrownBy(() => checkModelDetails(value, 'model'));
    expect(error.code).toBe('ERR_BAD_MODEL');
    expect(error.message).toMatch(/^model(:| holds) /);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });
});
