// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LIBRARY = fileURLToPath(new URL('../../build/test/libfake-nvml.so', import.meta.url));

/** The library that stands in for NVIDIA's, where global-setup.ts could build it: it needs a C compiler. */
export function fakeNvmlLibrary(): string | undefined {
  return existsSync(LIBRARY) ? LIBRARY : undefined;
}
