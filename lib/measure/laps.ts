// SPDX-License-Identifier: MIT
//
// Laps that come to their total. By itself a lap may be shorter than an update of its counters, or than what tells the
// CPU's load: a model would then stand for what the next lap counts as well.
import type { Component, Components, Measurement } from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import type { Kind } from '../core/vocabulary.js';
import { weakerKind } from '../report/kinds.js';

const KEYS = ['cpu', 'gpu', 'ram'] as const;
/** Sums of doubles differ by less. */
const SAME_RATIO = 1e-9;

interface Told {
  joules: number;
  kind: Kind;
}

/** What the laps of one region were told to be so far. */
export class Laps {
  readonly #told: Record<keyof Components, Told> = {
    cpu: { joules: 0, kind: 'measured' },
    gpu: { joules: 0, kind: 'measured' },
    ram: { joules: 0, kind: 'measured' },
  };
  #toldMachineJoules = 0;

  /** The lap that ends with `total`, of which `alone` is what it would be without the others. */
  settle(total: Measurement, alone: Measurement): Measurement {
    const components = { ...alone.components };
    const replaced = new Set<string>();
    for (const key of KEYS) {
      const settled = this.#settle(key, total.components[key], alone);
      if (settled === alone.components[key]) continue;
      components[key] = settled;
      replaced.add(`${key}-not-measured`);
    }
    const told = new Set(total.warnings.map(({ code }) => code));
    return {
      ...alone,
      components,
      ...(alone.attribution === undefined
        ? {}
        : { attribution: { ...alone.attribution, ...this.#machineOf(total, components) } }),
      warnings: alone.warnings.filter(({ code }) => !replaced.has(code) || told.has(code)),
    };
  }

  #settle(key: keyof Components, total: Component, { components, durationSeconds }: Measurement): Component {
    const [told, alone] = [this.#told[key], components[key]];
    const { energyJoules: totalJoules } = total;
    // A counter that was lost on the way has a total by a model; what a lap measured is better than the rest of that.
    const isBetter = alone.kind === 'measured' && total.kind !== 'measured';
    if (totalJoules === undefined || isBetter) {
      this.#told[key] = {
        joules: told.joules + (alone.energyJoules ?? 0),
        kind: weakerKind(told.kind, alone.kind),
      };
      return alone;
    }
    const energyJoules = Math.max(0, totalJoules - told.joules);
    const isSame = Math.abs(energyJoules - (alone.energyJoules ?? Number.NaN)) <= SAME_RATIO * totalJoules;
    const kind = weakerKind(total.kind, told.kind);
    // Where more was told than there is by now, the next laps have less.
    this.#told[key] =
      totalJoules >= told.joules ? { joules: totalJoules, kind: total.kind } : { ...told, kind };
    if (isSame) return alone;
    return {
      kind,
      source: total.source,
      method: `what the total has gained since the lap before: ${total.method}`,
      detail: `The lap alone ${alone.kind === 'absent' ? 'has no count' : `would be ${alone.kind}`}, and laps come to the total. ${total.detail}`,
      energyJoules,
      energyKwh: joulesToKwh(energyJoules),
      ...(durationSeconds > 0 ? { powerWatts: energyJoules / durationSeconds } : {}),
      atLeast: total.atLeast,
      counters: alone.counters,
    };
  }

  /** The machine's part of an attribution, likewise. */
  #machineOf({ attribution }: Measurement, components: Components) {
    const parts: Component[] = Object.values(components);
    const ownJoules = parts.reduce((sum, { energyJoules = 0 }) => sum + energyJoules, 0);
    const gained = (attribution?.machineJoules ?? 0) - this.#toldMachineJoules;
    const machineJoules = Math.max(ownJoules, gained);
    this.#toldMachineJoules += machineJoules;
    return { machineJoules, restJoules: machineJoules - ownJoules };
  }
}
