// SPDX-License-Identifier: MIT

// Energy beside time in the benchmarks of vitest 5. In a project that has it, `npx vitest bench --run`.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    benchmark: { provider: 'microjoule/vitest' },
    reporters: ['microjoule/vitest/reporter'],
  },
});
