// SPDX-License-Identifier: MIT
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { wait } from '../../lib/kernel/run.js';

describe('waiting', () => {
  it('ends when its time is over, or when it is told to', async () => {
    await wait(0.001);
    const abort = new AbortController();
    let count = 0;
    const add = (): void => {
      count += 1;
    };
    const short = wait(0.001, abort.signal).then(add);
    await short;
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    const long = [wait(3600, abort.signal).then(add), wait(3600, abort.signal).then(add)];
    abort.abort();
    await Promise.all(long);
    await wait(3600, abort.signal).then(add);
    expect(count).toBe(4);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });
});
