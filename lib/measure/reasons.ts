// SPDX-License-Identifier: MIT
import type { Status } from '../core/vocabulary.js';
import type { SourceState } from '../meter/meter.js';

/** What a reader can do something about comes first. */
const BY_REMEDY: readonly Status[] = ['no-permission', 'masked', 'failed', 'virtualised', 'not-supported'];

function rank(status: Status): number {
  const index = BY_REMEDY.indexOf(status);
  return index < 0 ? BY_REMEDY.length : index;
}

/**
 * Why no source of CPU counters answers, one text a source: several read the same meters by different interfaces, so
 * the one that is nearest to working tells its story and the others only their status. Empty when all are well.
 */
export function whySourcesFail(sources: readonly SourceState[]): string[] {
  const broken = sources.filter(({ source, status }) => status !== 'ok' && !source.startsWith('nvml'));
  const nearest = broken.reduce<SourceState | undefined>(
    (best, state) => (best === undefined || rank(state.status) < rank(best.status) ? state : best),
    undefined,
  );
  return broken.map((state) =>
    state === nearest
      ? `${state.source}: ${state.status}, ${state.detail}`
      : `${state.source}: ${state.status}`,
  );
}
