// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { inOneLine } from '../../lib/tracker/tell.js';

describe('inOneLine', () => {
  it.each([
    [{ message: 'No full stop', hint: 'Do this.' }, 'No full stop. Do this.'],
    [{ message: 'Its own full stop.', hint: 'Do this.' }, 'Its own full stop. Do this.'],
    [{ message: 'No hint' }, 'No hint'],
  ])('%j', (warning, line) => expect(inOneLine(warning)).toBe(line));
});
