import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tests of what is measured in real time, which want the machine for themselves: they run after all others, one by one.
const ALONE = 'test/**/*.alone.test.ts';

// A machine that others use keeps threads waiting as it likes. What fails for that is tried again where nobody is there to do so,
// and said: .ci/run lists it. What fails for another reason fails again.
const isCi = Boolean(process.env.CI);

// .ci/run counts tests; `npm cit` hands no arguments on.
const report = process.env.MICROJOULE_TEST_REPORT;

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: [ALONE],
          // Some of them mostly wait: for npm, for Wine, for a described machine's time.
          maxWorkers: Math.max(2, availableParallelism()),
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: [ALONE],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          retry: isCi ? 2 : 0,
        },
      },
    ],
    pool: 'forks',
    retry: isCi ? 1 : 0,
    // What one described machine's counters do says nothing of another's.
    env: { MICROJOULE_CALIBRATION_CACHE: 'off' },
    testTimeout: 20_000,
    // Packing, prebuilding and sanitizers share the machine with these tests.
    hookTimeout: 180_000,
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
