// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The library that stands in for NVIDIA's, where global-setup.ts could build it: it needs a C compiler. What it is
 * says the file that FAKE_NVML_SCRIPT names (test/fake-nvml/README.md).
 */
export function fakeNvmlLibrary(name = 'libfake-nvml.so'): string | undefined {
  const library = fileURLToPath(new URL(`../../build/test/${name}`, import.meta.url));
  return existsSync(library) ? library : undefined;
}
