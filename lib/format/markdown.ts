// SPDX-License-Identifier: MIT

import { formatDecimals, formatDuration, formatTimestamp } from '../core/numbers.js';
import type { ModelDetails, Report } from '../core/report-types.js';
import { emissionsBounds, intervalName, uncertaintyScope } from './intervals.js';
import { commandLine, endingOf, groupWarnings, modelLines, titleOf } from './labels.js';
import { inline } from './markdown-escape.js';
import { carbonFootprintSection, methodSection, referencesSection, usageSection } from './markdown-prose.js';
import {
  countersTable,
  mergedTable,
  provenanceTable,
  repetitionsTable,
  resultsTable,
  scoreLines,
} from './markdown-tables.js';
import { shareBar, shareLegend } from './shares.js';

const BAR_COLUMNS = 60;

/** The report as a Markdown document (GitHub flavour) with a final newline. */
export function formatMarkdown(report: Report): string {
  const sections = [
    `# CO2 Emission Report\n\nGenerated at: ${formatTimestamp(report.generatedAt)}`,
    carbonFootprintSection(report),
    methodSection(report),
    usageSection(),
    modelSection(report.model),
    resultsSection(report),
    provenanceSection(report),
    warningsSection(report),
    referencesSection(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

function modelSection(model: ModelDetails | undefined): string {
  const lines = modelLines(model);
  const body =
    lines.length > 0
      ? lines.map(([name, value]) => `- **${inline(name)}:** ${inline(value)}`).join('\n')
      : 'None were given. `--model FILE` takes them from a JSON file.';
  return `## Model details\n\n${body}`;
}

function resultsSection(report: Report): string {
  const missing = report.energy.absent.map((sentence) => `- ${inline(sentence)}`);
  const repetitions = repetitionsTable(report);
  const merged = mergedTable(report);
  const blocks = [
    '## Results',
    runOf(report),
    resultsTable(report),
    `\`\`\`text\n${shareBar(report, BAR_COLUMNS)}\n${shareLegend(report)}\n\`\`\``,
    ...certaintyOf(report),
    ...(missing.length === 0 ? [] : [`Not counted, though known to be there:\n\n${missing.join('\n')}`]),
    ...(report.command === undefined ? [] : [commandOf(report.command)]),
    ...(repetitions === undefined ? [] : [repetitions]),
    ...(merged === undefined ? [] : [`The sum of these runs; the duration is machine time:\n\n${merged}`]),
  ];
  return blocks.join('\n\n');
}

/** What the emissions may be, and what one functional unit took. */
function certaintyOf(report: Report): string[] {
  const { emissions } = report;
  const bounds = emissionsBounds(emissions);
  const interval = intervalName(emissions.confidenceRatio);
  const lines = [
    ...(bounds === ''
      ? []
      : [`The ${interval} of the emissions is ${bounds}: ${uncertaintyScope(emissions)}.`]),
    ...scoreLines(report).map(([name, value]) => `${inline(name)}: ${value}.`),
  ];
  return lines.length === 0 ? [] : [lines.join(' ')];
}

function runOf(report: Report): string {
  const { runId, startedAt, endedAt } = report;
  return `Project ${inline(titleOf(report))}, run ${inline(runId)}, from ${formatTimestamp(startedAt)} to ${formatTimestamp(endedAt)}.`;
}

function commandOf(command: NonNullable<Report['command']>): string {
  const { userCpuSeconds, systemCpuSeconds } = command;
  const times =
    userCpuSeconds === undefined || systemCpuSeconds === undefined
      ? 'its CPU time is unknown'
      : `${formatDuration(userCpuSeconds)} of user and ${formatDuration(systemCpuSeconds)} of system CPU time of its own`;
  return `Command: ${codeSpan(commandLine(command.argv))}; ${endingOf(command)}; ${times}.`;
}

/** A code span that holds whatever backticks `text` has. */
function codeSpan(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((ticks) => ticks.length));
  if (longest === 0) return `\`${line}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${line} ${fence}`;
}

function provenanceSection(report: Report): string {
  const counters = countersTable(report);
  const utilisation = report.machine.cpuUtilisationRatio;
  return [
    '## Provenance',
    provenanceTable(report),
    ...(utilisation === undefined
      ? []
      : [
          `Mean CPU utilisation over the run: ${formatDecimals(utilisation * 100, 1)} % of all hardware threads.`,
        ]),
    ...(counters === undefined ? [] : [counters]),
  ].join('\n\n');
}

function warningsSection(report: Report): string {
  const lines = groupWarnings(report.warnings).flatMap(({ code, messages, hint }) => {
    const advice = hint === undefined ? '' : ` ${inline(hint)}`;
    if (messages.length === 1) return `- ${messages.map(inline)}${advice} (${inline(code)})`;
    return [
      `-${advice} (${inline(code)}, ${messages.length} times)`,
      ...messages.map((text) => `  - ${inline(text)}`),
    ];
  });
  return `## Warnings\n\n${lines.length === 0 ? 'None.' : lines.join('\n')}`;
}
