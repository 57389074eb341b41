import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    // Packing, prebuilding and sanitizers share the machine with these tests.
    hookTimeout: 180_000,
  },
});
