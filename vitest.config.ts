import { defineConfig } from 'vitest/config';

// .ci/run counts tests; `npm cit` hands no arguments on.
const report = process.env.MICROJOULE_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    // Packing, prebuilding and sanitizers share the machine with these tests.
    hookTimeout: 180_000,
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
