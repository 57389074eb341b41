// SPDX-License-Identifier: MIT
//
// Parameters: their values, all combinations, and the texts they stand in.
import { MicrojouleError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { BenchParameter } from './types.js';

/** More values than this are a slip of the keyboard. */
const MOST_VALUES = 10_000;
const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;
const NAME = /^[A-Za-z_][\w-]*$/;
/** A shell's ${variable} is none of ours. */
const IN_BRACES = /(?<!\$)\{([A-Za-z_][\w-]*)\}/g;

function bad(message: string, hint: string): MicrojouleError {
  return new MicrojouleError('ERR_BAD_OPTION', message, { hint });
}

/** @throws MicrojouleError `ERR_BAD_OPTION` */
export function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw bad(`"${name}" is no name of a parameter`, 'Use letters, digits, - and _, as in -P threads 1 8.');
}

function decimalsOf(text: string): number {
  return text.split('.')[1]?.length ?? 0;
}

/** A decimal as a whole number of 10^-decimals. */
function scaled(text: string, decimals: number, what: string): bigint {
  if (!DECIMAL.test(text))
    throw bad(`${what}: a number expected, received "${text}"`, 'As in -P threads 1 8.');
  const [whole = '', part = ''] = text.replace(/^\+/, '').split('.');
  const digits = BigInt(`${whole.replace('-', '')}${part.padEnd(decimals, '0')}`);
  return whole.startsWith('-') ? -digits : digits;
}

function unscaled(value: bigint, decimals: number): string {
  const digits = String(value < 0n ? -value : value).padStart(decimals + 1, '0');
  const sign = value < 0n ? '-' : '';
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/**
 * From one number to another, in exact decimals: 0.1, 0.2, 0.3. Up to and including the last that is not beyond.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function scanParameter(name: string, min: string, max: string, step = '1'): BenchParameter {
  checkName(name);
  const decimals = Math.max(decimalsOf(min), decimalsOf(max), decimalsOf(step));
  const [from, to, by] = [min, max, step].map((text) => scaled(text, decimals, `parameter ${name}`)) as [
    bigint,
    bigint,
    bigint,
  ];
  if (by <= 0n) throw bad(`parameter ${name}: a step above 0 expected, received ${step}`, 'As in -D 2.');
  if (to < from) {
    throw bad(`parameter ${name}: from ${min} to ${max} there is nothing`, 'Give the smaller number first.');
  }
  const count = (to - from) / by + 1n;
  if (count > MOST_VALUES) {
    throw bad(
      `parameter ${name}: ${count} values are too many`,
      `At most ${MOST_VALUES}; a larger -D helps.`,
    );
  }
  const values = Array.from({ length: Number(count) }, (_, i) => unscaled(from + by * BigInt(i), decimals));
  return { name, values };
}

/**
 * Values of a list, separated by commas; `\,` is a comma.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function listParameter(name: string, list: string): BenchParameter {
  checkName(name);
  const values = (list.match(/(?:\\,|[^,])+|(?<=,|^)(?=,|$)/g) ?? []).map((text) =>
    text.replaceAll('\\,', ','),
  );
  if (list === '' || values.length === 0) {
    throw bad(
      `parameter ${name}: the list is empty`,
      'Values are separated by commas: -L compiler gcc,clang',
    );
  }
  return { name, values };
}

/** `{name}` for the values it stands for. What is in braces and no parameter stays. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(IN_BRACES, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}

function namesIn(text: string): string[] {
  return [...text.matchAll(IN_BRACES)].map(([, name = '']) => name);
}

/** All combinations, the first parameter changing fastest; one without parameters. */
export function combinations(parameters: readonly BenchParameter[]): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const { name, values } of parameters.toReversed()) {
    // As an entry: __proto__ is a name like any other.
    all = all.flatMap((rest) =>
      values.map((value) => Object.fromEntries([[name, value], ...Object.entries(rest)])),
    );
  }
  return all;
}

/**
 * Refuses parameters in a reference and what goes with it, as it is run once and not for each of their values.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function checkReference(
  parameters: readonly BenchParameter[],
  texts: Readonly<Record<string, string | undefined>>,
): void {
  const names = parameters.map(({ name }) => name);
  for (const [flag, text = ''] of Object.entries(texts)) {
    const found = namesIn(text).find((name) => names.includes(name));
    if (found === undefined) continue;
    throw bad(
      `--${flag} holds the parameter {${found}}, and the reference is run without parameters`,
      'Write a value in its place, or leave out --reference.',
    );
  }
}

/**
 * Refuses parameters that no text uses, and names in braces that are nearly one.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function checkParameters(parameters: readonly BenchParameter[], texts: readonly string[]): void {
  const names = parameters.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw bad(`parameter ${twice} is given twice`, 'Give each parameter once.');
  if (names.length === 0) return;
  const used = new Set(texts.flatMap(namesIn));
  for (const unknown of used) {
    const [meant] = names.includes(unknown) ? [] : nearest(unknown, names, 1);
    if (meant !== undefined) {
      throw bad(`unknown parameter {${unknown}}`, `Did you mean {${meant}}? Given are: ${names.join(', ')}.`);
    }
  }
  const unused = names.find((name) => !used.has(name));
  if (unused === undefined) return;
  const others = [...used].filter((name) => !names.includes(name)).map((name) => `{${name}}`);
  throw bad(
    `parameter ${unused} stands in no command`,
    `Write {${unused}} where its value belongs.${others.length > 0 ? ` Found instead: ${others.join(', ')}.` : ''}`,
  );
}
