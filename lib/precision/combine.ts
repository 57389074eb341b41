// SPDX-License-Identifier: MIT
//
// Totals over counters that count different things over the same region.
import { component, halfWidth95 } from './interval.js';
import { sum } from './samples.js';
import type { EnergyEstimate, Flag, UncertaintyComponent } from './types.js';

/** Bounds that make up this part of an interval's width are what it is. */
const MOSTLY = 0.5;
/** And only where that width is so much of the energy does it matter. */
const TELLING_RATIO = 0.1;

/**
 * The sum of estimates. Errors of counting are each counter's own and add as root sum of squares. What stems from the
 * edges of the region (their time, the power that was inferred there) goes the same way for all counters and adds up
 * plainly, which is the worst that correlation can do. Where one of them has only bounds, or the sum of their own
 * bounds is narrower, bounds are added.
 */
export function combine(estimates: readonly EnergyEstimate[]): EnergyEstimate {
  const energyJoules = sum(estimates.map((estimate) => estimate.energyJoules));
  const lowest = sum(estimates.map((estimate) => estimate.lowerJoules));
  const highest = sum(estimates.map((estimate) => estimate.upperJoules));
  const components = addComponents(estimates.map((estimate) => estimate.components));
  const hasBound = estimates.some(({ method }) => method === 'bound');
  // What an estimate adds to its interval beyond its components: a step it knows of, a bound.
  const extra = sum(
    estimates.map((estimate) => Math.max(0, estimate.uncertaintyJoules - halfWidth95(estimate.components))),
  );
  const half = halfWidth95(components) + extra;
  const lowerJoules = Math.min(energyJoules, hasBound ? lowest : Math.max(lowest, energyJoules - half));
  const upperJoules = Math.max(energyJoules, hasBound ? highest : Math.min(highest, energyJoules + half));
  const uncertaintyJoules = Math.max(energyJoules - lowerJoules, upperJoules - energyJoules);
  const flags = new Set<Flag>(estimates.flatMap((estimate) => estimate.flags));
  const bounded = estimates.filter(({ method }) => method === 'bound');
  const boundedWidth = sum(bounded.map((estimate) => estimate.upperJoules - estimate.lowerJoules));
  // A small counter that has only bounds does not make a total one that has nothing else.
  const isBound =
    boundedWidth > MOSTLY * (upperJoules - lowerJoules) && boundedWidth > TELLING_RATIO * energyJoules;
  const plain = estimates.length === 1 ? estimates[0] : undefined;
  return {
    energyJoules,
    uncertaintyJoules,
    standardUncertaintyJoules: hasBound
      ? sum(estimates.map((estimate) => estimate.standardUncertaintyJoules))
      : Math.sqrt(sum(components.map(({ standardUncertaintyJoules }) => standardUncertaintyJoules ** 2))) +
        extra / 2,
    lowerJoules,
    upperJoules,
    confidenceRatio: 0.95,
    method: plain?.method ?? (isBound ? 'bound' : 'combined'),
    components,
    resolved:
      !isBound && estimates.some((estimate) => estimate.resolved) && energyJoules >= uncertaintyJoules,
    flags: [...flags],
  };
}

/** Components of one name as one: shared ones added up, the others as root sum of squares. */
function addComponents(lists: readonly (readonly UncertaintyComponent[])[]): UncertaintyComponent[] {
  const groups = new Map<string, UncertaintyComponent[]>();
  for (const found of lists.flat()) {
    const key = `${found.name} ${found.isShared}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [found]);
    else group.push(found);
  }
  return [...groups.values()].flatMap((group) => {
    const [one] = group;
    if (one === undefined) return [];
    const sizes = group.map(({ standardUncertaintyJoules }) => standardUncertaintyJoules);
    const size = one.isShared ? sum(sizes) : Math.sqrt(sum(sizes.map((value) => value ** 2)));
    const degrees = Math.min(...group.map(({ degreesOfFreedomCount }) => degreesOfFreedomCount));
    return [component(one.name, size, degrees, one.isShared)];
  });
}
