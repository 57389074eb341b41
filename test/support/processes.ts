// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';

/** Whether a process is there and no zombie, which is for somebody else to bury. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Whether a test passes within some seconds. */
export async function until(test: () => boolean): Promise<boolean> {
  const endMs = performance.now() + 5000;
  while (!test() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
  return test();
}
