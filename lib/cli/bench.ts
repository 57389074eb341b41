// SPDX-License-Identifier: MIT
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type BenchCommandsOptions,
  type BenchProgress,
  type BenchReport,
  benchCommands,
  formatBenchAsciidoc,
  formatBenchBmf,
  formatBenchCsv,
  formatBenchGithub,
  formatBenchJson,
  formatBenchMarkdown,
  formatBenchText,
  listParameter,
  scanParameter,
} from '../benches.js';
import { MicrojouleError } from '../measures.js';
import type { ChildOutcome } from './child.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { startProgress } from './progress.js';
import { writeStdout } from './stdout.js';
import { complain, styleFor } from './terminal.js';

export interface BenchFlags extends MeterFlags {
  warmup: number;
  runs?: number;
  minRuns?: number;
  maxRuns?: number;
  prepare?: string[];
  conclude?: string[];
  setup?: string;
  cleanup?: string;
  commandName?: string[];
  parameterScan?: string[][];
  parameterStepSize?: string;
  parameterList?: string[][];
  shell?: string;
  N?: boolean;
  ignoreFailure?: 'all' | number[];
  reference?: string;
  referenceName?: string;
  input?: string;
  output?: string[];
  showOutput?: boolean;
  timeout?: number;
  order?: 'interleaved' | 'sequential';
  idle?: number;
  allowEstimates?: boolean;
  exportMarkdown?: string;
  exportCsv?: string;
  exportAsciidoc?: string;
  exportJson?: string;
  exportBmf?: string;
  exportGithubActionBenchmark?: string;
  json?: boolean;
  progress: boolean;
}

/** Our own failure, as GNU env and timeout have it. */
const OWN_FAILURE = 125;
const COMMAND_FAILURE = 1;
const PROGRESS_DELAY_MS = 300;

function refuse(message: string, hint: string): never {
  throw new MicrojouleError('ERR_BAD_OPTION', message, { hint });
}

function toOptions(commands: string[], flags: BenchFlags): BenchCommandsOptions {
  const { parameterScan = [], parameterList = [], parameterStepSize } = flags;
  if (parameterStepSize !== undefined && parameterScan.length === 0) {
    refuse('--parameter-step-size goes with --parameter-scan', 'As in -P threads 2 8 -D 2.');
  }
  if (flags.N === true && flags.shell !== undefined && flags.shell !== 'none') {
    refuse('-N goes without --shell', 'Leave one of the two out.');
  }
  if (flags.showOutput === true && flags.output !== undefined) {
    refuse('--show-output goes without --output', 'Leave one of the two out.');
  }
  const parameters = [
    ...parameterScan.map(([name = '', min = '', max = '']) =>
      scanParameter(name, min, max, parameterStepSize),
    ),
    ...parameterList.map(([name = '', list = '']) => listParameter(name, list)),
  ];
  const { showOutput, json } = flags;
  if (json === true && (showOutput === true || flags.output?.includes('inherit'))) {
    refuse('--json keeps stdout for itself', 'Use --export-json FILE, or leave out --output inherit.');
  }
  const toStdout = exportsOf(flags).filter(([file]) => file === STDOUT).length;
  if (json === true && toStdout > 0) {
    refuse('--json keeps stdout for itself', 'Give the export a file, or leave out --json.');
  }
  if (toStdout > 1) refuse('only one export goes to stdout', 'Give the others a file.');
  const given = Object.entries({
    names: flags.commandName,
    parameters,
    prepare: flags.prepare,
    conclude: flags.conclude,
    setup: flags.setup,
    cleanup: flags.cleanup,
    output: showOutput === true ? ['inherit'] : flags.output,
    input: flags.input,
    reference: flags.reference,
    referenceName: flags.referenceName,
    warmupCount: flags.warmup,
    runCount: flags.runs,
    minRunCount: flags.minRuns,
    maxRunCount: flags.maxRuns,
    shell: flags.N === true ? 'none' : flags.shell,
    ignoredCodes: flags.ignoreFailure,
    timeoutSeconds: flags.timeout,
    order: flags.order,
    idleSeconds: flags.idle,
    allowEstimates: flags.allowEstimates,
  });
  const known = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return { ...toMeterOptions(flags), ...known, commands };
}

function progressText({ phase, name, doneCount, totalCount }: BenchProgress): string {
  const count = totalCount === undefined ? `${doneCount + 1}` : `${doneCount + 1} of ${totalCount}`;
  switch (phase) {
    case 'idle':
      return 'microjoule: watching the idle machine';
    case 'shell':
      return 'microjoule: measuring the shell alone';
    case 'warmup':
      return `microjoule: warm-up ${count}, ${name}`;
    case 'run':
      return `microjoule: run ${count}, ${name}`;
    default:
      return `microjoule: ${phase} of ${name}`;
  }
}

/** As a file: our stdout. */
const STDOUT = '-';

type Export = [file: string, format: (report: BenchReport) => string];

function exportsOf(flags: BenchFlags): Export[] {
  const all: [string | undefined, Export[1]][] = [
    [flags.exportJson, formatBenchJson],
    [flags.exportCsv, formatBenchCsv],
    [flags.exportMarkdown, formatBenchMarkdown],
    [flags.exportAsciidoc, formatBenchAsciidoc],
    [flags.exportBmf, formatBenchBmf],
    [flags.exportGithubActionBenchmark, formatBenchGithub],
  ];
  return all.flatMap(([file, format]): Export[] => (file === undefined ? [] : [[file, format]]));
}

function attempt(file: string, write: () => void, meanwhile: string): boolean {
  try {
    write();
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint =
      code === 'ENOENT'
        ? 'Its folder does not exist: create it first.'
        : 'Choose a file that you may write to.';
    complain(`cannot write ${path.resolve(file)} (${code ?? message})`, `${hint} ${meanwhile}`);
    return false;
  }
}

/** Says before the first run what could not be written after the last, while that can be mended. */
function checkExports(exports: readonly Export[]): void {
  for (const [file] of exports) {
    if (file === STDOUT) continue;
    const probe = (): void => {
      const isNew = !existsSync(file);
      closeSync(openSync(file, 'a'));
      if (isNew) rmSync(file);
    };
    attempt(file, probe, 'The commands are run nonetheless.');
  }
}

/** Writes the files that can be written. @returns whether all could */
function writeFiles(report: BenchReport, exports: readonly Export[]): boolean {
  const written = exports.map(([file, format]) => {
    if (file === STDOUT) return true;
    const text = format(report);
    return attempt(file, () => writeFileSync(file, text), 'The other outputs are written.');
  });
  return written.every(Boolean);
}

/** @throws MicrojouleError where stdout cannot be written: the results are on stderr then */
async function showBench(report: BenchReport, flags: BenchFlags): Promise<void> {
  const textFor = (stream: NodeJS.WriteStream): string =>
    formatBenchText(report, stream.isTTY ? stream.columns : undefined, styleFor(stream));
  try {
    await writeStdout(flags.json === true ? formatBenchJson(report) : textFor(process.stdout));
  } catch (error) {
    process.stderr.write(textFor(process.stderr));
    throw error;
  }
}

const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * `microjoule bench`: measures command lines one against the other. Resolves to how this process should end.
 * @throws MicrojouleError for what is wrong before the first command starts
 */
export async function runBenchCommand(commands: string[], flags: BenchFlags): Promise<ChildOutcome> {
  const options = toOptions(commands, flags);
  const exports = exportsOf(flags);
  checkExports(exports);
  const abort = new AbortController();
  let ended: NodeJS.Signals | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    // Whoever asks twice does not want to wait for a report.
    if (ended !== undefined) process.exit(128 + 2);
    ended = signal;
    abort.abort();
  };
  for (const signal of ENDING) process.on(signal, listener);
  let latest: BenchProgress | undefined;
  const progress = startProgress({
    stream: process.stderr,
    // It would be drawn over what the commands write.
    isTty: flags.progress && process.stderr.isTTY === true && options.output?.includes('inherit') !== true,
    columns: () => process.stderr.columns,
    sample: () => (latest === undefined ? undefined : progressText(latest)),
    delayMs: PROGRESS_DELAY_MS,
  });
  let report: BenchReport;
  try {
    report = await benchCommands({
      ...options,
      signal: abort.signal,
      onProgress: (now) => {
        latest = now;
      },
    });
  } finally {
    progress.stop();
  }
  const allWritten = writeFiles(report, exports);
  await showBench(report, flags);
  for (const [file, format] of exports) if (file === STDOUT) await writeStdout(`\n${format(report)}`);
  if (ended !== undefined) return { started: true, signal: ended };
  if (!allWritten) return { started: true, exitCode: OWN_FAILURE };
  return { started: true, exitCode: report.failures.length > 0 ? COMMAND_FAILURE : 0 };
}
