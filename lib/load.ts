// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { MicrojouleError } from './core/errors.js';

/**
 * One of the package's own modules, which who imports the package need not have loaded: `kernel/measure-energy` is
 * lib/kernel/measure-energy.ts. Synchronous, since `openMeter()` and `start()` are, and since a process that exits cannot
 * wait. Nothing of the package is loaded by import() at the same time: Node refuses to require what is on its way.
 * @throws MicrojouleError `ERR_NOT_LOADED` where somebody else's import() of it is under way
 */
export function loadNow<Module>(name: string): Module {
  try {
    return createRequire(import.meta.url)(`#own/${name}.js`) as Module;
  } catch (cause) {
    throw new MicrojouleError('ERR_NOT_LOADED', `microjoule's module ${name} could not be loaded: ${cause}`, {
      hint: 'Where an import() of microjoule is under way, await it first; in a bundle, leave microjoule external.',
      cause,
    });
  }
}
