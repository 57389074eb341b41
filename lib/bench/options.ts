// SPDX-License-Identifier: MIT
//
// What may be asked for, and whether it was: also by code, which no command line has checked.
import { MicrojouleError } from '../core/errors.js';
import { checkName } from './parameters.js';
import type { BenchOrder, BenchParameter } from './types.js';

export interface BenchOptions {
  commands: readonly string[];
  names?: readonly string[];
  parameters?: readonly BenchParameter[];
  /** Once, or one for each command. */
  prepare?: readonly string[];
  conclude?: readonly string[];
  setup?: string;
  cleanup?: string;
  /** `null`, `pipe`, `inherit` or a file; once, or one for each command. */
  output?: readonly string[];
  /** `null` or a file. */
  input?: string;
  /** Run beside the others, and what they are compared with. */
  reference?: string;
  referenceName?: string;
  warmupCount?: number;
  runCount?: number;
  minRunCount?: number;
  maxRunCount?: number;
  /** A shell and its flags; `none` for none. Default: the system's. */
  shell?: string;
  ignoredCodes?: 'all' | readonly number[];
  timeoutSeconds?: number;
  order?: BenchOrder;
  idleSeconds?: number;
}

const ORDERS: readonly BenchOrder[] = ['interleaved', 'sequential'];

function bad(message: string, hint: string): MicrojouleError {
  return new MicrojouleError('ERR_BAD_OPTION', message, { hint });
}

function checkCounts({ runCount, minRunCount, maxRunCount }: BenchOptions): void {
  if (runCount !== undefined && (minRunCount !== undefined || maxRunCount !== undefined)) {
    throw bad('--runs goes without --min-runs and --max-runs', 'Leave one of them out.');
  }
  if (maxRunCount !== undefined && minRunCount !== undefined && maxRunCount < minRunCount) {
    throw bad(
      `--max-runs ${maxRunCount} is below --min-runs ${minRunCount}`,
      'Give the smaller number to --min-runs.',
    );
  }
}

type Flag = keyof BenchOptions;

function check(
  options: BenchOptions,
  test: (value: unknown) => boolean,
  expected: string,
  flags: Flag[],
): void {
  for (const flag of flags) {
    const value = options[flag];
    if (value === undefined || test(value)) continue;
    throw bad(
      `${flag}: ${expected} expected, received ${Array.isArray(value) ? JSON.stringify(value) : String(value)}`,
      `Leave ${flag} out for its default, or correct it.`,
    );
  }
}

const wholeFrom =
  (least: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= least;
const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFilled = (value: unknown): boolean => isTexts(value) && (value as string[]).length > 0;

/**
 * Refuses what would only go wrong later, or never end.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function checkOptions(options: BenchOptions): void {
  const { commands, parameters = [] } = options;
  if (!isTexts(commands))
    throw bad('commands: an array of command lines expected', "As in ['./old', './new'].");
  check(options, isTexts, 'an array of texts', ['names', 'prepare', 'conclude', 'output']);
  check(options, isText, 'a text', ['setup', 'cleanup', 'input', 'reference', 'referenceName', 'shell']);
  check(options, wholeFrom(1), 'a whole number of at least 1', ['runCount', 'minRunCount', 'maxRunCount']);
  check(options, wholeFrom(0), 'a whole number of at least 0', ['warmupCount']);
  check(options, (value) => Number.isFinite(value) && (value as number) > 0, 'a number above 0', [
    'timeoutSeconds',
  ]);
  check(options, (value) => Number.isFinite(value) && (value as number) >= 0, 'a number of at least 0', [
    'idleSeconds',
  ]);
  check(options, (value) => ORDERS.includes(value as BenchOrder), ORDERS.join(' or '), ['order']);
  check(
    options,
    (value) => value === 'all' || (Array.isArray(value) && value.every(Number.isSafeInteger)),
    "'all' or an array of exit codes",
    ['ignoredCodes'],
  );
  check(options, Array.isArray, 'an array', ['parameters']);
  for (const { name, values } of parameters) {
    checkName(name);
    if (!isFilled(values)) {
      throw bad(
        `parameter ${name}: an array of at least one text expected`,
        "As in { name: 'threads', values: ['1', '8'] }.",
      );
    }
  }
  checkCounts(options);
}
