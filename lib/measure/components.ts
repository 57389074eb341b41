// SPDX-License-Identifier: MIT

import type { Component, Components, CounterEnergy } from '../core/report-types.js';
import { joulesToKwh } from '../core/units.js';
import type { Domain, Provenance, Warning } from '../core/vocabulary.js';
import {
  type CpuIdentity,
  chooseCpuPowerModel,
  cpuPowerWatts,
  cpuPowerWattsAtUnknownLoad,
} from '../estimate/cpu.js';
import type { DisplayController } from '../estimate/display-controllers.js';
import { estimateRamPower, type RamModelName } from '../estimate/ram.js';
import { meterIdentity } from '../meter/domains.js';
import type { CounterDelta, SourceState } from '../meter/meter.js';

/** How to estimate what has no counter. */
export interface EstimateOptions {
  /** Constant power of all CPU packages in watts, for a machine without CPU counters. */
  cpuWatts?: number | undefined;
  /** Watts per installed GiB, for a machine without memory counters. */
  ramWattsPerGib?: number | undefined;
  /** Which model estimates memory. Default `per-gib`. */
  ramModel?: RamModelName | undefined;
}

/** All that the components are made of. */
export interface Evidence {
  durationSeconds: number;
  deltas: readonly CounterDelta[];
  sources: readonly SourceState[];
  cpu: CpuIdentity;
  /** Sum of the packages' long-term limits in watts, where the kernel gives it. */
  maxPowerWatts: number | undefined;
  utilisationRatio: number | undefined;
  ramTotalGib: number;
  displayControllers: readonly DisplayController[];
  estimates: EstimateOptions;
}

const READ_TWICE = 'difference of two counter readings';

/** A counter's share as reports carry it. */
export function toCounterEnergy(delta: CounterDelta): CounterEnergy {
  const { id, domain, device, origin } = delta.counter;
  const detail = [delta.detail, delta.inTotal ? '' : delta.apart].filter((part) => part !== '').join('; ');
  return {
    id,
    domain,
    device,
    origin,
    status: delta.status,
    detail,
    ...(delta.energyJoules === undefined ? {} : { energyJoules: delta.energyJoules }),
    inTotal: delta.inTotal,
  };
}

/** Meters of a domain that exist and that no counter in the total covers. */
function uncovered(deltas: readonly CounterDelta[], domain: Domain): CounterDelta[] {
  const ofDomain = deltas.filter((delta) => delta.counter.domain === domain);
  const covered = new Set(
    ofDomain.filter((delta) => delta.inTotal).map((delta) => meterIdentity(delta.counter)),
  );
  return ofDomain.filter((delta) => delta.status !== 'ok' && !covered.has(meterIdentity(delta.counter)));
}

function withEnergy(
  energyJoules: number,
  durationSeconds: number,
  rest: Provenance & Pick<Component, 'atLeast' | 'counters'>,
): Component {
  return {
    ...rest,
    energyJoules,
    energyKwh: joulesToKwh(energyJoules),
    powerWatts: durationSeconds > 0 ? energyJoules / durationSeconds : 0,
  };
}

/** The component as its counters have it, or undefined when none of them can be used. */
function measured(evidence: Evidence, domain: Domain, what: string): Component | undefined {
  const counters = evidence.deltas.filter((delta) => delta.counter.domain === domain);
  const counted = counters.filter((delta) => delta.inTotal);
  if (counted.length === 0) return undefined;
  const lost = uncovered(evidence.deltas, domain);
  const energyJoules = counted.reduce((sum, delta) => sum + (delta.energyJoules ?? 0), 0);
  const detail = [
    `Sum of ${counted.length} ${what} counter${counted.length === 1 ? '' : 's'}.`,
    ...lost.map((delta) => `Without ${delta.counter.id}: ${delta.detail}.`),
  ].join(' ');
  return withEnergy(energyJoules, evidence.durationSeconds, {
    kind: 'measured',
    source: [...new Set(counted.map((delta) => delta.counter.source))].join(', '),
    method: READ_TWICE,
    detail,
    atLeast: lost.length > 0,
    counters: counters.map(toCounterEnergy),
  });
}

/** Why there is no counter of a domain, from the sources' own words. */
function whyNot(evidence: Evidence, domain: Domain): string {
  const own = evidence.deltas.filter((delta) => delta.counter.domain === domain);
  if (own.length > 0) return own.map((delta) => `${delta.counter.id}: ${delta.detail}`).join('; ');
  const broken = evidence.sources.filter((state) => state.status !== 'ok' && state.source !== 'nvml');
  return broken.map((state) => `${state.source}: ${state.status}, ${state.detail}`).join('; ');
}

function cpuComponent(evidence: Evidence, warnings: Warning[]): Component {
  const { durationSeconds, utilisationRatio, estimates } = evidence;
  // Checked even when unused: a bad option is an error on every machine.
  const model = chooseCpuPowerModel(evidence.cpu, {
    cpuWatts: estimates.cpuWatts,
    maxPowerWatts: evidence.maxPowerWatts,
  });
  const found = measured(evidence, 'package', 'CPU package');
  if (found !== undefined) {
    if (estimates.cpuWatts !== undefined) {
      warnings.push({
        code: 'cpu-watts-unused',
        message: 'The given CPU power was not used: the CPU was measured.',
      });
    }
    return found;
  }
  const why = whyNot(evidence, 'package');
  warnings.push({
    code: 'cpu-not-measured',
    message: `The CPU's energy is ${model.kind}, not measured.${why === '' ? '' : ` ${why}.`}`,
    hint: 'See which counters there are, and why not, with: microjoule counters',
  });
  const known = utilisationRatio !== undefined || model.idleWatts === model.fullWatts;
  const powerWatts = known ? cpuPowerWatts(model, utilisationRatio ?? 0) : cpuPowerWattsAtUnknownLoad(model);
  const load =
    model.idleWatts === model.fullWatts
      ? ''
      : utilisationRatio === undefined
        ? ' The region was too short to see how busy the CPU was: half load is assumed.'
        : ` Mean utilisation ${(utilisationRatio * 100).toFixed(1)} %.`;
  return withEnergy(powerWatts * durationSeconds, durationSeconds, {
    kind: known ? model.kind : 'assumed',
    source: model.source,
    method: model.method,
    detail: model.detail + load,
    atLeast: false,
    counters: evidence.deltas.filter((delta) => delta.counter.domain === 'package').map(toCounterEnergy),
  });
}

function ramComponent(evidence: Evidence): Component {
  const { durationSeconds, ramTotalGib, estimates } = evidence;
  const model = estimateRamPower({
    ramTotalGib,
    model: estimates.ramModel,
    wattsPerGib: estimates.ramWattsPerGib,
  });
  const found = measured(evidence, 'dram', 'memory');
  if (found !== undefined) return found;
  const { powerWatts, ...provenance } = model;
  return withEnergy(powerWatts * durationSeconds, durationSeconds, {
    ...provenance,
    atLeast: false,
    counters: evidence.deltas.filter((delta) => delta.counter.domain === 'dram').map(toCounterEnergy),
  });
}

/** GPUs that the PCI bus shows and no counter stands for. */
export function unmeteredControllers(evidence: Evidence): DisplayController[] {
  const listed = new Set(evidence.deltas.map((delta) => delta.counter.pciAddress));
  return evidence.displayControllers.filter((gpu) => !gpu.integrated && !listed.has(gpu.address));
}

function gpuComponent(evidence: Evidence, warnings: Warning[]): Component {
  const unread = uncovered(evidence.deltas, 'gpu');
  const unmetered = unmeteredControllers(evidence);
  const nvml = evidence.sources.find((state) => state.source === 'nvml');
  const reasons = [
    ...unread.map((delta) => `${delta.counter.deviceName ?? delta.counter.id}: ${delta.detail}`),
    ...unmetered.map((gpu) => {
      const why =
        gpu.vendorName === 'NVIDIA' && nvml !== undefined && nvml.status !== 'ok'
          ? `NVML ${nvml.status}, ${nvml.detail}`
          : 'microjoule has no counter for it';
      return `${gpu.name} at ${gpu.address}: ${why}`;
    }),
  ];
  if (reasons.length > 0) {
    warnings.push({
      code: 'gpu-not-measured',
      message: `A GPU is present and was not measured: the total is "at least". ${reasons.join('; ')}.`,
      hint: 'See the GPU counters with: microjoule counters',
    });
  }
  const found = measured(evidence, 'gpu', 'GPU');
  if (found !== undefined) {
    const extra = unmetered.map((gpu) => `${gpu.name} is present, not measured.`);
    return {
      ...found,
      atLeast: found.atLeast || unmetered.length > 0,
      detail: [found.detail, ...extra].join(' '),
    };
  }
  const present = reasons.length > 0;
  return {
    kind: 'absent',
    source: present ? 'NVML, PCI bus' : 'PCI bus',
    method: present ? 'present, not measured' : 'none found',
    detail: present
      ? `Present, not measured: ${reasons.join('; ')}.`
      : 'Neither NVML nor the PCI bus shows a GPU beside the CPU.',
    atLeast: present,
    counters: evidence.deltas.filter((delta) => delta.counter.domain === 'gpu').map(toCounterEnergy),
  };
}

/**
 * The energy of CPU, GPU and memory: measured where a counter can be used, else estimated or absent, each with
 * its reason. Overlapping counters stand in `apart` and are never added.
 * @throws MicrojouleError `ERR_BAD_OPTION` for bad estimate options
 */
export function buildComponents(evidence: Evidence): {
  components: Components;
  apart: CounterEnergy[];
  warnings: Warning[];
} {
  const warnings: Warning[] = [];
  const components = {
    cpu: cpuComponent(evidence, warnings),
    gpu: gpuComponent(evidence, warnings),
    ram: ramComponent(evidence),
  };
  for (const component of [components.cpu, components.ram]) {
    if (!component.atLeast) continue;
    warnings.push({
      code: 'partly-measured',
      message: `A counter could not be used, so the total is "at least". ${component.detail}`,
      hint: 'See each counter with: microjoule counters',
    });
  }
  for (const delta of evidence.deltas) {
    if (!delta.apart.startsWith('the same meter as') || !sameControlType(delta)) continue;
    warnings.push({
      code: 'duplicate-zone',
      message: `${delta.counter.id} has the name of another zone (${delta.apart}).`,
      hint: 'Look at the name files under class/powercap; a bind mount may show one zone twice.',
    });
  }
  const inComponents = new Set<Domain>(['package', 'dram', 'gpu']);
  const apart = evidence.deltas.filter((delta) => !inComponents.has(delta.counter.domain));
  return { components, apart: apart.map(toCounterEnergy), warnings };
}

/** Twins of two control types (MSR and MMIO) are normal; two zones of one are not. */
function sameControlType({ counter, apart }: CounterDelta): boolean {
  const controlType = counter.id.replace(/(?::[0-9a-f]+)+$/, '');
  return new RegExp(`as ${controlType}:`).test(apart);
}
