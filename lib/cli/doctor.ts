// SPDX-License-Identifier: MIT
import { diagnose, formatDiagnosis } from '../diagnoses.js';
import { type MeterFlags, toMeterOptions } from './options.js';
import { startProgress } from './progress.js';
import { writeStdout } from './stdout.js';
import { styleFor } from './terminal.js';

/**
 * `microjoule doctor`: what can be measured here, why not more, and what to do about it. Nothing listens to signals
 * meanwhile, so they end the command at once.
 * @returns the exit code: 0 only if a counter in the total was seen to move
 */
export async function runDoctor(flags: MeterFlags & { json?: boolean }): Promise<number> {
  const { stderr, stdout } = process;
  // Where nothing can be read there is no test, and no time for this to appear.
  const progress = startProgress({
    stream: stderr,
    isTty: stderr.isTTY,
    columns: stderr.columns,
    sample: () => 'microjoule: testing for 2 s',
    delayMs: 0,
  });
  try {
    const diagnosis = await diagnose(toMeterOptions(flags));
    progress.stop();
    await writeStdout(
      flags.json === true
        ? `${JSON.stringify(diagnosis, null, 2)}\n`
        : formatDiagnosis(diagnosis, styleFor(stdout)),
    );
    return diagnosis.verdict.measured ? 0 : 1;
  } finally {
    progress.stop();
  }
}
