// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';

/** By `require`: importing CommonJS from ESM starts a lexer of its own, which costs more than the library. */
export const commander = createRequire(import.meta.url)('commander') as typeof import('commander');
