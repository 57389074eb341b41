// SPDX-License-Identifier: MIT
import type { Report } from '../core/report-types.js';
import { processScope } from './labels.js';

const POUNDS_FIGURE = '626,000 pounds';

const COMMAND_EXAMPLE = `npm install microjoule
npx microjoule run -o report.md -- node train.js`;

const TRACKER_EXAMPLE = `import { EmissionsTracker } from 'microjoule';
const tracker = new EmissionsTracker({ projectName: 'my model' });
tracker.start();
await train(); // whatever is to be accounted for
const report = await tracker.stop();`;

/** What a carbon footprint is and why computing has one. */
export function carbonFootprintSection(report: Report): string {
  return `## Carbon footprint

A carbon footprint is the sum of the greenhouse gases that someone or something causes to be released: a person, a company, an event, a product, a service, a computation. Carbon dioxide is the best known of these gases but not the only one; methane, nitrous oxide and others are converted to the mass of carbon dioxide that would warm the climate as much, and the sum is given as CO2 equivalent (CO2eq). Most of it comes from burning coal, oil and gas, for heat, for transport and for electricity.

Computing takes part through the electricity it uses. For most programs that is little; for training machine-learning models it need not be. In 2019 a study at the University of Massachusetts Amherst put the search for one large language model's architecture at about ${POUNDS_FIGURE} (284 tonnes) of CO2eq ${cite(report, 'strubell-2019')}, which the press compared with the lifetimes of five cars ${cite(report, 'hao-2019')}. That number was an estimate made from outside, and people with knowledge of the actual run later revised it far downwards ${cite(report, 'patterson-2021')}. Both halves of the story are reasons to measure: the cost can be large, and guesses about it can be wrong. Publishing what a model took makes its authors accountable and lets others compare ${cites(report, ['lacoste-2019', 'lottick-2019', 'schmidt-2021'])}.`;
}

/** How microjoule comes to its numbers, and how this report's were come by. */
export function methodSection(report: Report): string {
  const documentation = ['intel-sdm', 'linux-powercap', 'nvml'].filter((id) => numberOf(report, id) > 0);
  const sources = documentation.length === 0 ? '' : ` ${cites(report, documentation)}`;
  return `## How these numbers came about: microjoule

microjoule is an energy meter for Node.js. It reads the energy counters that processors, memory and graphics boards keep in hardware${sources}, before and after the work, and takes the differences. Where a part has no counter that may be read, a model or a constant stands in; where there is nothing to go by, no number is given. The energy in kWh times the carbon intensity of the local electricity gives the emissions. Every value says how it came about:

- **measured**: read from a counter
- **estimated**: computed by a model from something observed
- **assumed**: a default, or a value the user gave
- **absent**: not known; never counted as zero. A part that is there and could not be read makes the total read "at least".

${processScope(report) ?? 'What is accounted for is the whole machine, idle included, and not the program alone.'} In this report the energy is the ${report.energy.method}.`;
}

/** How a reader makes such a report. */
export function usageSection(): string {
  return `## How to use it

From the command line, for any program:

\`\`\`sh
${COMMAND_EXAMPLE}
\`\`\`

From JavaScript, around any piece of work:

\`\`\`js
${TRACKER_EXAMPLE}
\`\`\``;
}

/** The numbered list that {@link cite} points into. */
export function referencesSection(report: Report): string {
  const lines = report.references.map(({ text, url }, index) => {
    return `${index + 1}. ${text.replaceAll('<', '&lt;')}${url === undefined ? '' : ` <${url}>`}`;
  });
  return `## References\n\n${lines.join('\n')}`;
}

/** `[3]`; empty when the report has no such reference. */
export function cite(report: Report, id: string): string {
  return cites(report, [id]);
}

function cites(report: Report, ids: readonly string[]): string {
  const numbers = ids.map((id) => numberOf(report, id)).filter((number) => number > 0);
  return numbers.length === 0 ? '' : `[${numbers.join(', ')}]`;
}

function numberOf(report: Report, id: string): number {
  return report.references.findIndex((reference) => reference.id === id) + 1;
}
