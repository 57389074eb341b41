// SPDX-License-Identifier: MIT
import { type ChildUsage, loadAddon } from '../meter/native.js';

/**
 * CPU time in seconds of all finished children of this process, their children included. Undefined where the
 * operating system does not keep it, or without the addon.
 */
export function childCpuTimes(): ChildUsage | undefined {
  return loadAddon().addon?.childUsage();
}
