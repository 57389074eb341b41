// SPDX-License-Identifier: MIT
//
// The options of `microjoule bench`, after hyperfine's.
import type { Command } from 'commander';
import { SEPARATOR } from './bench-arguments.js';
import type { ChildOutcome } from './child.js';
import { addMeterOptions, collect, commander, countFrom1, numberFrom, text } from './options.js';

const BENCH_NOTES = `
Energy is the whole machine's, idle included, while a command runs; what is above
the idle machine is told beside it. Commands take turns (A B B A ...), so that a
machine that drifts does not favour one; with --setup or --cleanup they run one
after the other. Every mean stands with its 95 % interval. The shell's own time and
energy are measured and taken off. Run nothing else meanwhile.

The result goes to stdout. Exit codes: 0 all went well, 1 a command failed (what was
measured is shown and exported nonetheless), 125 microjoule's own failure, as without
a counter or where a file could not be written.

Examples:
  microjoule bench 'gzip -k -f data' 'zstd -k -f data'
  microjoule bench -w 3 -r 20 -p 'make clean' 'make -j {jobs}' -P jobs 1 8
  microjoule bench -L cc gcc,clang -n '{cc}' '{cc} -O2 -c main.c' --export-markdown cc.md
  microjoule bench -N './solve --fast' --reference ./solve --export-bmf bmf.json`;

function countFrom0(value: string): number {
  const count = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new commander.InvalidArgumentError('Expected a whole number of at least 0.');
}

/** The values of one option, as joinBenchArguments() brought them together. */
function values(count: number, form: string): (value: string, before?: string[][]) => string[][] {
  return (value, before = []) => {
    const parts = value.split(SEPARATOR);
    if (parts.length === count && parts.every((part) => part !== '')) return [...before, parts];
    throw new commander.InvalidArgumentError(`Expected ${form}.`);
  };
}

function codes(value: string): 'all' | number[] {
  if (value === 'all-non-zero') return 'all';
  const found = value.split(',').map((code) => (code.trim() === '' ? Number.NaN : Number(code)));
  if (found.every((code) => Number.isInteger(code) && code >= 0 && code <= 255)) return found;
  throw new commander.InvalidArgumentError('Expected exit codes, as in --ignore-failure=1,2.');
}

export function addBenchCommand(program: Command, finish: (outcome: ChildOutcome) => void): void {
  addMeterOptions(
    program
      .command('bench')
      .description('measure commands one against the other, in hyperfine’s manner')
      .argument('[command...]', 'command lines, each in quotes'),
  )
    .option('-w, --warmup <count>', 'runs of each command that are not measured', countFrom0, 0)
    .option('-r, --runs <count>', 'measured runs of each command, exactly', countFrom1)
    .option('-m, --min-runs <count>', 'at least so many (default: 10)', countFrom1)
    .option(
      '-M, --max-runs <count>',
      'at most so many (default: until 3 s were spent on the slowest)',
      countFrom1,
    )
    .option('-p, --prepare <cmd>', 'before every run; once for all, or for each command', collect)
    .option('-C, --conclude <cmd>', 'after every run; once for all, or for each command', collect)
    .option('-s, --setup <cmd>', 'before the first run of each command', text)
    .option('-c, --cleanup <cmd>', 'after the last run of each command', text)
    .option('-n, --command-name <name>', 'name of a command; once for each', collect)
    .option(
      '-P, --parameter-scan <var> <min> <max>',
      '{var} is each number from min to max',
      values(3, 'VAR MIN MAX'),
    )
    .option('-D, --parameter-step-size <delta>', 'step of the --parameter-scan (default: 1)', text)
    .option(
      '-L, --parameter-list <var> <values>',
      '{var} is each of the values, separated by commas',
      values(2, 'VAR VALUE,VALUE'),
    )
    .option('-S, --shell <shell>', 'the shell that runs the commands; none for none', text)
    .option('-N', 'the same as --shell none')
    .option('-i, --ignore-failure [codes]', 'exit codes other than 0 are no failure; =1,2: only these', codes)
    .option('--reference <cmd>', 'run this one, too, and compare the others with it', text)
    .option('--reference-name <name>', 'its name', text)
    .option('--input <file>', "the commands' stdin (default: null)", text)
    .option(
      '--output <where>',
      'stdout: null, pipe, inherit or a file; for all or for each (default: null)',
      collect,
    )
    .option('--show-output', 'the same as --output inherit')
    .option(
      '--timeout <seconds>',
      'end a run, a prepare or a conclude after so long, with all it started',
      numberFrom(0, true),
    )
    .addOption(new commander.Option('--order <order>', 'of the runs').choices(['interleaved', 'sequential']))
    .option(
      '--idle <seconds>',
      'watch the idle machine before and after (default: 1; 0: not)',
      numberFrom(0, false),
    )
    .option('--allow-estimates', 'without a counter: energies by a model, marked "estimated"')
    .option('--export-markdown <file>', 'a table', text)
    .option('--export-csv <file>', 'a row a command', text)
    .option('--export-asciidoc <file>', 'a table', text)
    .option('--export-json <file>', "hyperfine's JSON, and energy beside it", text)
    .option('--export-bmf <file>', 'Bencher Metric Format, with bounds', text)
    .option('--export-github-action-benchmark <file>', 'its customSmallerIsBetter', text)
    .option('--json', 'the result as JSON on stdout and nothing else')
    .option('--no-progress', 'no status line')
    .addHelpText('after', BENCH_NOTES)
    .action(async (commands: string[], _flags: unknown, command: Command) => {
      const { runBenchCommand } = await import('./bench.js');
      finish(await runBenchCommand(commands, { ...program.opts(), ...command.opts() }));
    });
}
