// SPDX-License-Identifier: MIT
import { notCounted } from '../streams.js';
import { exportTrace, formatTrace } from '../traces.js';
import { writeStdout } from './stdout.js';
import { complain } from './terminal.js';

export interface TraceFlags {
  output?: string[];
}

/**
 * `microjoule trace`: what a trace holds, and the same in other formats. What was cut off is no error: what is whole is
 * given.
 * @throws MicrojouleError for a file that is no trace, and for outputs, stdout among them
 */
export async function runTrace(file: string, { output = [] }: TraceFlags): Promise<void> {
  const found = await exportTrace(file, output);
  if (output.length === 0) await writeStdout(formatTrace(found));
  else if (found.problem !== undefined) complain(`${file}: ${found.problem}; all that is whole was written`);
  const csv = output.filter((name) => /\.csv$/i.test(name)).join(', ');
  if (csv === '') return;
  const { gapCount, header } = found;
  if (gapCount > 0) {
    complain(
      `${csv} has no place for the ${gapCount === 1 ? 'one gap' : `${gapCount} gaps`} of this trace: .jsonl and .parquet tell them`,
    );
  }
  for (const line of notCounted(header)) complain(line);
}
