#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import { MicrojouleError, packageVersion } from '../measures.js';
import { joinBenchArguments } from './bench-arguments.js';
import { addBenchCommand } from './bench-command.js';
import type { ChildOutcome } from './child.js';
import { exitLike } from './exit.js';
import type { MonitorFlags } from './monitor.js';
import {
  addMeterOptions,
  collect,
  commander,
  countFrom1,
  type MeterFlags,
  numberFrom,
  text,
} from './options.js';
import type { ReportFlags } from './report.js';
import type { RunFlags } from './run.js';
import { complain } from './terminal.js';
import type { TraceFlags } from './trace.js';

const OWN_FAILURE = 125;

const RUN_NOTES = `
The whole machine is measured, idle included, unless --tracking-mode says
otherwise. The report goes to stderr; the command's own output and exit code
stay as they are. Exit codes of microjoule itself: 125 its own failure, 126 the
command is not executable, 127 it was not found.

To keep the command alive after the terminal closes:
  microjoule run -- nohup COMMAND

Examples:
  microjoule run -- node train.js
  microjoule run --country France -o report.md -o emissions.csv -- make -j8
  microjoule run -r 10 -- node benchmark.js
  microjoule run --duration 60 --json`;

const REPORT_NOTES = `
Several runs are added up: energies, emissions, machine time. Without -o the
report goes to stdout as text.

Examples:
  microjoule report run.json -o report.html -o report.md
  microjoule report node-*.json -o total.json --model-card README.md`;

const MONITOR_NOTES = `
On a terminal a view that is redrawn, q quits; elsewhere a line for each interval.
--jsonl is for other programs: docs/stream.md. Signals end the stream with its end
record; a reader that goes away ends it, too.

Examples:
  microjoule monitor
  microjoule monitor --interval 0.1 --duration 60 --jsonl > energy.jsonl
  microjoule monitor --csv | tee energy.csv`;

const TRACE_NOTES = `
A trace of a run that was cut off, by kill -9 or by the power, is read up to where
it ends. Its report: microjoule report FILE, alone or with those of other runs.

Examples:
  microjoule run --trace run.jsonl.gz -- node train.js
  microjoule trace run.jsonl.gz
  microjoule trace run.jsonl.gz -o run.parquet -o run.csv
  microjoule report run.jsonl.gz -o report.html`;

const OUTPUT_HELP = 'write it: .md, .html, .json, .txt, .yaml, or .csv for a row (repeatable)';
const MODEL_CARD_HELP = "put the emissions into the front matter of Hugging Face's README.md";

const DOCTOR_NOTES = `
Where a counter can be read, it is tested for about two seconds. Changes nothing.
Exit codes: 0 a counter was seen to move, 1 none was, 125 microjoule's own failure.`;

function buildProgram(finish: (outcome: ChildOutcome) => void): Command {
  const program = addMeterOptions(new commander.Command('microjoule'))
    .description('Energy and CO2 of a command, from the hardware counters.')
    .version(packageVersion())
    .enablePositionalOptions()
    .showHelpAfterError('(microjoule --help and microjoule run --help tell more)')
    .exitOverride();

  addMeterOptions(
    program
      .command('run')
      .description('run a command and report its energy and CO2')
      .argument('[command...]', 'the command and its arguments, after --')
      .passThroughOptions(),
  )
    .option('-o, --output <file>', OUTPUT_HELP, collect)
    .option('--model-card <file>', MODEL_CARD_HELP)
    .option('--json', 'the report as JSON on stdout and nothing else; the command writes to stderr')
    .option('-r, --repeat <count>', 'run the command so often: mean and standard deviation', countFrom1, 1)
    .option('--duration <seconds>', 'measure for so long, without a command', numberFrom(0, true))
    .option('--require', 'missing counters are an error before the command starts')
    .option('--trace <file>', 'record all readings; survives a crash (.jsonl, compressed as .jsonl.gz)', text)
    .option(
      '--trace-interval <seconds>',
      'time between two readings, 0.001 at least',
      numberFrom(0, true),
      0.1,
    )
    .option(
      '--flush <seconds>',
      'write the report so often while it runs, 0 never (default: 60)',
      numberFrom(0, false),
    )
    .option('-q, --quiet', 'no report on stderr')
    .option('--no-progress', 'no status lines while a long command runs')
    .option('--project-name <name>', 'name of the project in the report', text)
    .option('--run-id <id>', 'identifies the run (default: a random UUID)', text)
    .option('--experiment-id <id>', 'what several runs belong to: experiment_id of emissions.csv', text)
    .option('--experiment-name <name>', 'the same for people', text)
    .addOption(
      new commander.Option(
        '--tracking-mode <mode>',
        "machine, or process: the command's share of it by CPU time and resident memory",
      ).choices(['machine', 'process']),
    )
    .addOption(
      new commander.Option(
        '--on-csv-write <mode>',
        'append a row, or update the one of the same --run-id',
      ).choices(['append', 'update']),
    )
    .option(
      '--emissions-endpoint <url>',
      'send the CSV row there as JSON, by POST (network, at most 5 s)',
      text,
    )
    .option('--model <file>', 'JSON file with the model details of the report')
    .option('--country <name>', 'country by name, alpha-2 or alpha-3 (default: from the time zone)')
    .option('--region <name>', 'region or grid zone within the country')
    .option('--intensity <g/kWh>', 'carbon intensity, instead of the data set', numberFrom(0, false))
    .option(
      '--intensity-uncertainty <g/kWh>',
      'half the 95 % interval of the --intensity given',
      numberFrom(0, false),
    )
    .option('--pue <ratio>', "power usage effectiveness of the machine's building", numberFrom(1, false))
    .option('--wue <L/kWh>', 'water usage effectiveness of the building', numberFrom(0, false))
    .option('--embodied-kg <kg>', 'CO2eq of making the hardware; with --lifespan-years', numberFrom(0, false))
    .option('--lifespan-years <years>', 'how long the hardware will be in use', numberFrom(0, true))
    .option('--reserved-share <ratio>', 'share of the hardware that is used, 0 to 1', numberFrom(0, true))
    .option('--unit <name>', 'emissions per what, e.g. image (SCI, with --embodied-kg)', text)
    .option('--unit-count <count>', 'how many units the run does (default: 1)', numberFrom(0, true))
    .option('--cloud-provider <name>', 'cloud provider, e.g. aws, gcp, azure (default: found on the machine)')
    .option('--cloud-region <name>', "the provider's region, which tells country and grid zone")
    .option('--cloud-metadata', "ask the provider's metadata service for the region (network, at most 1 s)")
    .option('--run-folder <dir>', 'stands for /run, where cloud-init tells the cloud (env: MICROJOULE_RUN)')
    .option('--cpu-watts <watts>', 'constant CPU power where there is no counter', numberFrom(0, true))
    .option(
      '--cpu-full-watts <watts>',
      'CPU power at full load where there is no counter',
      numberFrom(0, true),
    )
    .option(
      '--ram-watts-per-gib <watts>',
      'memory power per GiB where there is no counter',
      numberFrom(0, false),
    )
    .addOption(new commander.Option('--ram-model <name>', 'memory model').choices(['per-gib', 'per-dimm']))
    .addHelpText('after', RUN_NOTES)
    .action(async (argv: string[], _flags: unknown, command: Command) => {
      const { runRun } = await import('./run.js');
      finish(await runRun(argv, { ...program.opts(), ...command.opts<RunFlags>() }));
    });

  addBenchCommand(program, finish);

  addMeterOptions(
    program.command('monitor').description('show energy as it is used, or stream it to other programs'),
  )
    .option('--jsonl', 'a stream of JSON lines on stdout (microjoule.stream/1)')
    .option('--csv', 'a line of CSV for each interval on stdout')
    .option('-i, --interval <seconds>', 'time between two rows, 0.001 at least', numberFrom(0, true), 1)
    .option('--duration <seconds>', 'end after so long', numberFrom(0, true))
    .option('--no-estimates', 'only what is measured: no models for a CPU or memory without counters')
    .option('--country <name>', 'country by name, alpha-2 or alpha-3 (default: from the time zone)')
    .option('--region <name>', 'region or grid zone within the country')
    .option('--intensity <g/kWh>', 'carbon intensity, instead of the data set', numberFrom(0, false))
    .option('--pue <ratio>', "power usage effectiveness of the machine's building", numberFrom(1, false))
    .option('--cpu-watts <watts>', 'constant CPU power where there is no counter', numberFrom(0, true))
    .option(
      '--cpu-full-watts <watts>',
      'CPU power at full load where there is no counter',
      numberFrom(0, true),
    )
    .option(
      '--ram-watts-per-gib <watts>',
      'memory power per GiB where there is no counter',
      numberFrom(0, false),
    )
    .addOption(new commander.Option('--ram-model <name>', 'memory model').choices(['per-gib', 'per-dimm']))
    .addHelpText('after', MONITOR_NOTES)
    .action(async (_flags: unknown, command: Command) => {
      const { runMonitor } = await import('./monitor.js');
      finish(await runMonitor({ ...program.opts(), ...command.opts<MonitorFlags>() }));
    });

  program
    .command('report')
    .description('write reports of JSON reports: other formats, or the sum of several runs')
    .argument('<file...>', 'reports that run -o FILE.json wrote, or traces of run --trace')
    .option('-o, --output <file>', OUTPUT_HELP, collect)
    .option('--model-card <file>', MODEL_CARD_HELP)
    .option('--json', 'the report as JSON on stdout')
    .option('--project-name <name>', 'name of the project in the report', text)
    .option('--model <file>', 'JSON file with the model details of the report')
    .addHelpText('after', REPORT_NOTES)
    .action(async (files: string[], flags: ReportFlags) => {
      const { runReport } = await import('./report.js');
      finish({ started: true, exitCode: await runReport(files, flags) });
    });

  program
    .command('trace')
    .description('show what a trace holds, whole or cut off, or write it in another format')
    .argument('<file>', 'what run --trace or monitor --jsonl wrote')
    .option('-o, --output <file>', 'write it: .parquet, .csv or .jsonl (repeatable)', collect)
    .addHelpText('after', TRACE_NOTES)
    .action(async (file: string, flags: TraceFlags) => {
      const { runTrace } = await import('./trace.js');
      await runTrace(file, flags);
      finish({ started: true, exitCode: 0 });
    });

  addMeterOptions(program.command('counters').description('list every counter source and counter'))
    .option('--json', 'as JSON')
    .action(async (_flags: unknown, command: Command) => {
      const { runCounters } = await import('./counters.js');
      await runCounters({ ...program.opts(), ...command.opts<MeterFlags & { json?: boolean }>() });
      finish({ started: true, exitCode: 0 });
    });

  addMeterOptions(
    program.command('doctor').description('say what can be measured here, why not more, and what to do'),
  )
    .option('--json', 'as JSON')
    .addHelpText('after', DOCTOR_NOTES)
    .action(async (_flags: unknown, command: Command) => {
      const { runDoctor } = await import('./doctor.js');
      const exitCode = await runDoctor({
        ...program.opts(),
        ...command.opts<MeterFlags & { json?: boolean }>(),
      });
      finish({ started: true, exitCode });
    });
  return program;
}

async function main(): Promise<ChildOutcome> {
  let outcome: ChildOutcome = { started: true, exitCode: 0 };
  try {
    await buildProgram((result) => {
      outcome = result;
    }).parseAsync(joinBenchArguments(process.argv));
  } catch (error) {
    if (error instanceof commander.CommanderError) {
      // It has been printed already; help and version are no failures.
      return { started: true, exitCode: error.exitCode === 0 ? 0 : OWN_FAILURE };
    }
    if (error instanceof MicrojouleError) complain(error.message, error.hint);
    else complain(`internal error: ${(error as Error).stack ?? String(error)}`, 'Please report it.');
    return { started: true, exitCode: OWN_FAILURE };
  }
  return outcome;
}

// Whoever writes tells what failed; a reader that goes away (| head) is no failure of ours.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
await exitLike(await main());
