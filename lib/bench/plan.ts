// SPDX-License-Identifier: MIT
//
// What was asked for into what is run: every command with its name, its parameters and what goes with it.
import { MicrojouleError } from '../core/errors.js';
import { type BenchOptions, checkOptions } from './options.js';
import { checkParameters, checkReference, combinations, fill } from './parameters.js';
import type { BenchCommand, BenchPlan } from './types.js';
import { splitWords } from './words.js';

export type { BenchOptions } from './options.js';

const MIN_RUNS = 10;
const IDLE_SECONDS = 1;

function bad(message: string, hint: string): MicrojouleError {
  return new MicrojouleError('ERR_BAD_OPTION', message, { hint });
}

function shellOf(shell: string | undefined, platform: string): readonly string[] | undefined {
  if (shell === 'none') return undefined;
  const onWindows = platform === 'win32';
  if (shell === undefined || shell === 'default')
    return onWindows ? ['cmd.exe', '/d', '/s', '/c'] : ['/bin/sh', '-c'];
  const words = splitWords(shell, platform);
  const isCmd = /(?:^|[\\/])cmd(?:\.exe)?$/i.test(words[0] ?? '');
  return [...words, isCmd ? '/c' : '-c'];
}

/** One for all, or one each: by command as given, or by command with its parameters. */
function spread(
  flag: string,
  values: readonly string[] | undefined,
  { commandCount, total }: { commandCount: number; total: number },
  forAll: boolean,
): (index: number) => string | undefined {
  if (values === undefined || values.length === 0) return () => undefined;
  const { length } = values;
  if (length === total) return (index) => values[index];
  if (length === commandCount) return (index) => values[index % commandCount];
  if (length === 1 && forAll) return () => values[0];
  const counts = [...new Set([...(forAll ? [1] : []), commandCount, total])].join(' or ');
  const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
  throw bad(
    `--${flag} is given ${times(length)}, for ${commandCount} command${commandCount === 1 ? '' : 's'}${total === commandCount ? '' : ` and ${total} with their parameters`}`,
    `Give it ${counts} time${counts === '1' ? '' : 's'}, in the order of the commands.`,
  );
}

/** As hyperfine has it: one is filled in for all combinations; with fewer than commands, the last have none. */
function namesFor(
  names: readonly string[] | undefined,
  counts: { commandCount: number; total: number },
  hasParameters: boolean,
): (index: number) => string | undefined {
  const isShort = names !== undefined && names.length < counts.commandCount;
  if (isShort && !hasParameters) return (index) => names[index];
  return spread('command-name', names, counts, hasParameters);
}

/** The second of two that share a name is `name (2)`: a result is found by its name. */
function withDistinctNames(commands: readonly BenchCommand[]): BenchCommand[] {
  // What was given as it is goes before what is made up.
  const taken = new Set(commands.map(({ name }) => name));
  const seen = new Set<string>();
  return commands.map((command) => {
    let { name } = command;
    for (let count = 2; seen.has(name); ++count) {
      const next = `${command.name} (${count})`;
      if (!taken.has(next)) name = next;
    }
    seen.add(name);
    taken.add(name);
    return { ...command, name };
  });
}

const only = (values: readonly string[] | undefined): string | undefined =>
  values?.length === 1 ? values[0] : undefined;

/**
 * Checks what was asked for before anything runs.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function planBench(options: BenchOptions, platform: string): BenchPlan {
  checkOptions(options);
  const { commands, names, parameters = [], prepare, conclude, output, setup, cleanup, reference } = options;
  if (commands.length === 0) {
    throw bad('no command was given', "microjoule bench 'COMMAND' 'ANOTHER COMMAND'");
  }
  const blank = commands.findIndex((command) => command.trim() === '');
  if (blank >= 0) throw bad(`command ${blank + 1} is empty`, 'Give a command line in quotes.');
  if (options.referenceName !== undefined && reference === undefined) {
    throw bad('--reference-name goes with --reference', "As in --reference './old' --reference-name old.");
  }
  const others = [names, prepare, conclude, output].flatMap((texts) => texts ?? []);
  checkParameters(parameters, [...commands, ...others, setup ?? '', cleanup ?? '']);
  // What goes with one of several commands does not go with the reference.
  const own = { prepare: only(prepare), conclude: only(conclude), output: only(output) };
  if (reference !== undefined) checkReference(parameters, { reference, setup, cleanup, ...own });
  const shell = shellOf(options.shell, platform);
  const filled = combinations(parameters).flatMap((values) =>
    commands.map((command) => ({ values, command })),
  );
  const counts = { commandCount: commands.length, total: filled.length };
  const nameOf = namesFor(names, counts, parameters.length > 0);
  const prepareOf = spread('prepare', prepare, counts, true);
  const concludeOf = spread('conclude', conclude, counts, true);
  const outputOf = spread('output', output, counts, true);
  const around = (
    values: Readonly<Record<string, string>>,
    { prepare: before, conclude: after }: { prepare: string | undefined; conclude: string | undefined },
  ): Partial<BenchCommand> => {
    const given = Object.entries({ setup, prepare: before, conclude: after, cleanup }).filter(
      ([, text]) => text !== undefined && text !== '',
    );
    return Object.fromEntries(given.map(([key, text]) => [key, fill(String(text), values)]));
  };
  const all: BenchCommand[] = filled.map(({ values, command }, index) => {
    const commandLine = fill(command, values);
    return {
      name: fill(nameOf(index) ?? commandLine, values),
      commandLine,
      parameters: values,
      ...around(values, { prepare: prepareOf(index), conclude: concludeOf(index) }),
      output: fill(outputOf(index) ?? 'null', values),
      isReference: false,
    };
  });
  if (reference !== undefined) {
    all.unshift({
      name: options.referenceName ?? reference,
      commandLine: reference,
      parameters: {},
      ...around({}, own),
      output: own.output ?? 'null',
      isReference: true,
    });
  }
  const named = withDistinctNames(all);
  if (shell === undefined) {
    for (const { commandLine, setup: up, prepare: before, conclude: after, cleanup: down } of all) {
      for (const line of [commandLine, up, before, after, down]) {
        if (line !== undefined) splitWords(line, platform);
      }
    }
  }
  // A setup may undo what another's has done: each with its own runs.
  const order =
    options.order ?? (setup === undefined && cleanup === undefined ? 'interleaved' : 'sequential');
  const { maxRunCount, input, timeoutSeconds, runCount } = options;
  return {
    commands: named,
    warmupCount: options.warmupCount ?? 0,
    ...(runCount === undefined ? {} : { runCount }),
    minRunCount: options.minRunCount ?? Math.min(MIN_RUNS, maxRunCount ?? MIN_RUNS),
    ...(maxRunCount === undefined ? {} : { maxRunCount }),
    ...(shell === undefined ? {} : { shell }),
    ignoredCodes: options.ignoredCodes ?? [0],
    ...(input === undefined || input === 'null' ? {} : { input }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    order,
    idleSeconds: options.idleSeconds ?? IDLE_SECONDS,
  };
}
