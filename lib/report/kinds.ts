// SPDX-License-Identifier: MIT
import type { Kind } from '../core/vocabulary.js';

const BEST_FIRST: readonly Kind[] = ['measured', 'estimated', 'assumed', 'absent'];

/** The worse of two kinds: what is computed from both is as good as this. */
export function weakerKind<K extends Kind>(one: K, other: K): K {
  return BEST_FIRST.indexOf(other) > BEST_FIRST.indexOf(one) ? other : one;
}
