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
import type { Counter, CounterDelta, SourceState } from '../meter/meter.js';
import { methodOf, slowCounterWarnings } from './gpu.js';
import { whySourcesFail } from './reasons.js';

/** How to estimate what has no counter. */
export interface EstimateOptions {
  /** Constant power of all CPU packages in watts, for a machine without CPU counters. */
  cpuWatts?: number | undefined;
  /** Power of all CPU packages at full load, in watts, for such a machine; idle is assumed. Instead of `cpuWatts`. */
  cpuFullWatts?: number | undefined;
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
  /** Undefined where there is no PCI bus to look at. */
  displayControllers: readonly DisplayController[] | undefined;
  estimates: EstimateOptions;
}

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
    ...(delta.method === undefined ? {} : { method: delta.method }),
    inTotal: delta.inTotal,
  };
}

/** Counters of a domain whose meter the total does not hold, one a meter. */
function uncovered(deltas: readonly CounterDelta[], domain: Domain): CounterDelta[] {
  const ofDomain = deltas.filter((delta) => delta.counter.domain === domain);
  const seen = new Set(ofDomain.filter((delta) => delta.inTotal).map((delta) => delta.meter));
  return ofDomain.filter((delta) => {
    // Zones of one name that count differently are meters of their own: none stands for the other.
    const name = delta.doubtful ? delta.counter.id : delta.meter;
    return !seen.has(name) && seen.add(name);
  });
}

/** Devices of which nothing is known but that they are there: they may meter a part of the CPU or the memory. */
function unknownDevices(deltas: readonly CounterDelta[], domain: Domain): CounterDelta[] {
  return domain === 'gpu' ? [] : deltas.filter(({ counter }) => counter.unknownContent === true);
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
    ...(durationSeconds > 0 ? { powerWatts: energyJoules / durationSeconds } : {}),
  };
}

/** The component as its counters have it, or undefined when none of them can be used. */
function measured(evidence: Evidence, domain: Domain, what: string): Component | undefined {
  const counters = evidence.deltas.filter((delta) => delta.counter.domain === domain);
  const counted = counters.filter((delta) => delta.inTotal);
  if (counted.length === 0) return undefined;
  const lost = [...uncovered(evidence.deltas, domain), ...unknownDevices(evidence.deltas, domain)];
  const energyJoules = counted.reduce((sum, delta) => sum + (delta.energyJoules ?? 0), 0);
  const detail = [
    `Sum of ${counted.length} ${what} counter${counted.length === 1 ? '' : 's'}.`,
    ...lost.map((delta) => `Without ${delta.counter.id}: ${delta.detail || delta.apart}.`),
    ...counted.filter((delta) => delta.detail !== '').map((delta) => `${delta.counter.id}: ${delta.detail}.`),
  ].join(' ');
  return withEnergy(energyJoules, evidence.durationSeconds, {
    kind: 'measured',
    source: [...new Set(counted.map((delta) => delta.counter.source))].join(', '),
    method: methodOf(counted),
    detail,
    atLeast: lost.length > 0 || counted.some(({ incomplete }) => incomplete === true),
    counters: counters.map(toCounterEnergy),
  });
}

/** Why there is no counter of a domain, from the sources' own words. */
function whyNot(evidence: Evidence, domain: Domain): string {
  const own = evidence.deltas.filter((delta) => delta.counter.domain === domain);
  if (own.length > 0) return own.map((delta) => `${delta.counter.id}: ${delta.detail}`).join('; ');
  const reasons = whySourcesFail(evidence.sources);
  if (reasons.length === 0) {
    reasons.push(
      ...unknownDevices(evidence.deltas, domain).map(({ counter, detail }) => `${counter.id}: ${detail}`),
    );
  }
  return reasons.join('; ') || 'no source that was asked has a counter for it';
}

type Models = ReturnType<typeof chooseModels>;

/**
 * The models of what has no counter. Chosen even where counters make them useless: a bad option is an error on every
 * machine.
 * @throws MicrojouleError `ERR_BAD_OPTION`
 */
export function chooseModels({
  cpu,
  maxPowerWatts,
  ramTotalGib,
  estimates,
}: Pick<Evidence, 'cpu' | 'maxPowerWatts' | 'ramTotalGib' | 'estimates'>) {
  return {
    cpu: chooseCpuPowerModel(cpu, {
      cpuWatts: estimates.cpuWatts,
      cpuFullWatts: estimates.cpuFullWatts,
      maxPowerWatts,
    }),
    ram: estimateRamPower({ ramTotalGib, model: estimates.ramModel, wattsPerGib: estimates.ramWattsPerGib }),
  };
}

function cpuComponent(evidence: Evidence, model: Models['cpu'], warnings: Warning[]): Component {
  const { durationSeconds, utilisationRatio, estimates } = evidence;
  const found = measured(evidence, 'package', 'CPU package');
  if (found !== undefined) {
    if (estimates.cpuWatts !== undefined || estimates.cpuFullWatts !== undefined) {
      warnings.push({
        code: 'cpu-watts-unused',
        message: 'The given CPU power was not used: the CPU was measured.',
      });
    }
    return found;
  }
  const known = utilisationRatio !== undefined || model.idleWatts === model.fullWatts;
  const kind = known ? model.kind : 'assumed';
  warnings.push({
    code: 'cpu-not-measured',
    message: `The CPU's energy is ${kind}, not measured. ${whyNot(evidence, 'package')}.`,
    hint: 'What is missing here and how to get it: microjoule doctor',
  });
  const powerWatts = known ? cpuPowerWatts(model, utilisationRatio ?? 0) : cpuPowerWattsAtUnknownLoad(model);
  const load =
    model.idleWatts === model.fullWatts
      ? ''
      : utilisationRatio === undefined
        ? ' The region was too short to see how busy the CPU was: half load is assumed.'
        : ` Mean utilisation ${(utilisationRatio * 100).toFixed(1)} %.`;
  return withEnergy(powerWatts * durationSeconds, durationSeconds, {
    kind,
    source: model.source,
    method: model.method,
    detail: model.detail + load,
    atLeast: false,
    counters: evidence.deltas.filter((delta) => delta.counter.domain === 'package').map(toCounterEnergy),
  });
}

function ramComponent(evidence: Evidence, model: Models['ram'], warnings: Warning[]): Component {
  const { durationSeconds, estimates } = evidence;
  const found = measured(evidence, 'dram', 'memory');
  if (found !== undefined) {
    if (estimates.ramWattsPerGib !== undefined) {
      warnings.push({
        code: 'ram-watts-unused',
        message: 'The given memory power was not used: memory was measured.',
      });
    }
    return found;
  }
  const counters = evidence.deltas.filter((delta) => delta.counter.domain === 'dram');
  const { powerWatts, detail, ...provenance } = model;
  const unread = counters.length === 0 ? '' : ` Not measured: ${whyNot(evidence, 'dram')}.`;
  return withEnergy(powerWatts * durationSeconds, durationSeconds, {
    ...provenance,
    detail: detail + unread,
    atLeast: false,
    counters: counters.map(toCounterEnergy),
  });
}

/** GPUs that the PCI bus shows and no counter stands for. */
export function unmeteredControllers(
  controllers: readonly DisplayController[],
  counters: readonly Counter[],
): DisplayController[] {
  const gpus = counters.filter((counter) => counter.domain === 'gpu');
  const listed = new Set(gpus.map((counter) => counter.pciAddress));
  // A GPU that NVML lists without its address is one of NVIDIA's on the bus: which does not matter here.
  let nameless = gpus.filter((counter) => counter.pciAddress === undefined).length;
  return controllers.filter((gpu) => {
    if (gpu.integrated || listed.has(gpu.address)) return false;
    return !(gpu.vendorName === 'NVIDIA' && nameless-- > 0);
  });
}

/** Why a GPU on the bus has no counter. */
function whyUnmetered(gpu: DisplayController, sources: readonly SourceState[]): string {
  if (gpu.vendorName !== 'NVIDIA') return `there is no source for GPUs of ${gpu.vendorName} yet`;
  const broken = sources.find((state) => ['nvml', 'native'].includes(state.source) && state.status !== 'ok');
  if (broken !== undefined) return `${broken.source}: ${broken.status}, ${broken.detail}`;
  return sources.some((state) => state.source === 'nvml')
    ? 'NVML does not list it'
    : 'nvml is not among the sources that were asked';
}

function gpuComponent(evidence: Evidence, warnings: Warning[]): Component {
  const { displayControllers, sources } = evidence;
  const counters = evidence.deltas.map((delta) => delta.counter);
  const unmetered = unmeteredControllers(displayControllers ?? [], counters);
  const reasons = [
    ...uncovered(evidence.deltas, 'gpu').map(
      (delta) => `${delta.counter.deviceName ?? delta.counter.id}: ${delta.detail}`,
    ),
    ...unmetered.map((gpu) => `${gpu.name} at ${gpu.address}: ${whyUnmetered(gpu, sources)}`),
  ];
  const present = reasons.length > 0;
  if (present) {
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
  const looked = displayControllers === undefined ? 'NVML' : 'NVML, PCI bus';
  const none =
    displayControllers === undefined
      ? 'NVML lists no GPU, and there is no PCI bus to look at: whether there is another GPU is not known.'
      : 'Neither NVML nor the PCI bus shows a GPU beside the CPU.';
  return {
    kind: 'absent',
    source: looked,
    method: present ? 'present, not measured' : displayControllers === undefined ? 'not known' : 'none found',
    detail: present ? `Present, not measured: ${reasons.join('; ')}.` : none,
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
  const models = chooseModels(evidence);
  const components = {
    cpu: cpuComponent(evidence, models.cpu, warnings),
    gpu: gpuComponent(evidence, warnings),
    ram: ramComponent(evidence, models.ram, warnings),
  };
  warnings.push(...slowCounterWarnings(evidence.deltas));
  for (const component of [components.cpu, components.ram]) {
    if (!component.atLeast) continue;
    warnings.push({
      code: 'partly-measured',
      message: `A counter could not be used, so the total is "at least". ${component.detail}`,
      hint: 'See each counter with: microjoule counters',
    });
  }
  for (const { counter, duplicate, doubtful } of evidence.deltas) {
    if (!duplicate) continue;
    warnings.push({
      code: 'duplicate-zone',
      message: `${counter.id} has the name of another zone${doubtful ? ' but counts otherwise' : ''}: ${doubtful ? 'it is left out' : 'the two are counted once'}.`,
      hint:
        counter.source === 'powercap'
          ? 'Look at the name files under class/powercap: two zones of one interface should not share one.'
          : 'See both with: microjoule counters',
    });
  }
  const inComponents = new Set<Domain>(['package', 'dram', 'gpu']);
  const apart = evidence.deltas.filter((delta) => !inComponents.has(delta.counter.domain));
  return { components, apart: apart.map(toCounterEnergy), warnings };
}
