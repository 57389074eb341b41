// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Provenance } from '../core/vocabulary.js';
import { cpuFamilyByArmPart, cpuFamilyByCpuid, cpuFamilyByModelName } from './cpu-families.js';
import { ASSUMED_IDLE_SHARE, type CpuFamily } from './cpu-family.js';

/** What is known about the CPU. `family` and `model` are the display numbers, as in /proc/cpuinfo. */
export interface CpuIdentity {
  modelName: string;
  /** Hardware threads the operating system has, over all packages. */
  threadCount: number;
  vendor?: string;
  family?: number;
  model?: number;
  armImplementer?: number;
  armPart?: number;
}

/** Power of all CPU packages together, in watts, at no load and at full load. */
export interface CpuPowerModel extends Provenance {
  kind: 'estimated' | 'assumed';
  idleWatts: number;
  fullWatts: number;
}

export interface CpuPowerOptions {
  /** Power of all packages as the user gives it, in watts: a constant. */
  cpuWatts?: number | undefined;
  /** Their power at full load as the user gives it, in watts. */
  cpuFullWatts?: number | undefined;
  /** Sum of the packages' long-term power limits as the kernel gives it, in watts. */
  maxPowerWatts?: number | undefined;
}

/** CodeCarbon 3 takes 4 W of TDP per thread for a model it does not know. */
const UNKNOWN_WATTS_PER_THREAD = 4;
/** CodeCarbon's constant mode: half of full load. */
const UNKNOWN_LOAD_RATIO = 0.5;
const LINEAR = 'idle to full power, linear in utilisation';

const rounded = (watts: number): string => String(Number(watts.toFixed(2)));
const idlePercent = `${ASSUMED_IDLE_SHARE * 100} %`;

function findFamily(cpu: CpuIdentity): { family: CpuFamily; foundBy: string } | undefined {
  if (cpu.vendor !== undefined && cpu.family !== undefined && cpu.model !== undefined) {
    const family = cpuFamilyByCpuid(cpu.vendor, cpu.family, cpu.model, cpu.modelName);
    if (family !== undefined) return { family, foundBy: 'CPUID' };
  }
  if (cpu.armImplementer !== undefined && cpu.armPart !== undefined) {
    const family = cpuFamilyByArmPart(cpu.armImplementer, cpu.armPart);
    if (family !== undefined) return { family, foundBy: 'Arm part number' };
  }
  const family = cpuFamilyByModelName(cpu.modelName);
  return family === undefined ? undefined : { family, foundBy: 'model name' };
}

function requireWatts(option: 'cpuWatts' | 'cpuFullWatts', watts: number, meaning: string): void {
  if (Number.isFinite(watts) && watts > 0) return;
  throw new MicrojouleError('ERR_BAD_OPTION', `${option} must be a number of watts above 0, not ${watts}`, {
    hint: `Give the ${meaning}, for example 65, or leave ${option} out.`,
  });
}

/** The user's own model, if one was given. */
function fromUser({ cpuWatts, cpuFullWatts }: CpuPowerOptions): CpuPowerModel | undefined {
  if (cpuWatts !== undefined) requireWatts('cpuWatts', cpuWatts, 'power of all CPU packages');
  if (cpuFullWatts !== undefined) {
    requireWatts('cpuFullWatts', cpuFullWatts, 'power of all CPU packages at full load');
  }
  if (cpuWatts !== undefined && cpuFullWatts !== undefined) {
    throw new MicrojouleError('ERR_BAD_OPTION', 'cpuWatts and cpuFullWatts exclude each other', {
      hint: 'Give cpuFullWatts for what the CPU draws at full load, or cpuWatts for what it draws all the time.',
    });
  }
  if (cpuWatts !== undefined) {
    return {
      kind: 'assumed',
      source: 'user',
      method: 'constant',
      detail: `The CPU is taken to draw ${rounded(cpuWatts)} W throughout, as given by the user.`,
      idleWatts: cpuWatts,
      fullWatts: cpuWatts,
    };
  }
  if (cpuFullWatts === undefined) return undefined;
  return {
    kind: 'assumed',
    source: 'user',
    method: LINEAR,
    detail:
      `Full load is ${rounded(cpuFullWatts)} W for all packages, as given by the user; ` +
      `idle is assumed to be ${idlePercent} of it.`,
    idleWatts: cpuFullWatts * ASSUMED_IDLE_SHARE,
    fullWatts: cpuFullWatts,
  };
}

function fromPowerLimit(maxPowerWatts: number): CpuPowerModel {
  return {
    kind: 'estimated',
    source: 'powercap constraint_0_max_power_uw',
    method: LINEAR,
    detail:
      `Full load is the kernel's long-term power limit of all packages, ${rounded(maxPowerWatts)} W; ` +
      `idle is assumed to be ${idlePercent} of it.`,
    idleWatts: maxPowerWatts * ASSUMED_IDLE_SHARE,
    fullWatts: maxPowerWatts,
  };
}

function fromFamily(family: CpuFamily, foundBy: string, threadCount: number): CpuPowerModel {
  const { idleWattsPerThread, fullWattsPerThread } = family;
  return {
    kind: 'estimated',
    source: family.name,
    method: LINEAR,
    detail:
      `${rounded(idleWattsPerThread)} W idle and ${rounded(fullWattsPerThread)} W full per thread x ` +
      `${threadCount} threads, a share of ${family.rating} and not a measurement; found by ${foundBy}. ` +
      `Basis: ${family.source}.`,
    idleWatts: idleWattsPerThread * threadCount,
    fullWatts: fullWattsPerThread * threadCount,
  };
}

function fromThreadCount({ modelName, threadCount }: CpuIdentity): CpuPowerModel {
  const fullWatts = UNKNOWN_WATTS_PER_THREAD * threadCount;
  return {
    kind: 'assumed',
    source: 'CodeCarbon default for unknown CPUs',
    method: LINEAR,
    detail:
      `The CPU "${modelName}" is not in the table: ${UNKNOWN_WATTS_PER_THREAD} W per thread x ${threadCount} ` +
      `threads at full load and ${idlePercent} of that idle are assumed. Pass --cpu-full-watts for a better value.`,
    idleWatts: fullWatts * ASSUMED_IDLE_SHARE,
    fullWatts,
  };
}

/**
 * The power model of a machine's CPU packages, memory not included. In this order: the user's, the kernel's
 * power limit, the family table, an assumption per thread.
 *
 * @throws MicrojouleError `ERR_BAD_OPTION` when `cpuWatts` or `cpuFullWatts` is given and is not a finite number of watts
 * above 0, or both are.
 */
export function chooseCpuPowerModel(cpu: CpuIdentity, options: CpuPowerOptions = {}): CpuPowerModel {
  const { maxPowerWatts } = options;
  const given = fromUser(options);
  if (given !== undefined) return given;
  if (maxPowerWatts !== undefined && Number.isFinite(maxPowerWatts) && maxPowerWatts > 0) {
    return fromPowerLimit(maxPowerWatts);
  }
  const found = findFamily(cpu);
  return found === undefined
    ? fromThreadCount(cpu)
    : fromFamily(found.family, found.foundBy, cpu.threadCount);
}

/**
 * Power in watts at a utilisation of 0 to 1; a ratio outside is clamped. Where utilisation is not known, ask for
 * {@link cpuPowerWattsAtUnknownLoad} by name: half load is a guess and is not made here.
 *
 * @throws MicrojouleError `ERR_BAD_OPTION` when the ratio is not a number.
 */
export function cpuPowerWatts(model: CpuPowerModel, utilisationRatio: number): number {
  if (typeof utilisationRatio !== 'number' || Number.isNaN(utilisationRatio)) {
    throw new MicrojouleError('ERR_BAD_OPTION', `utilisationRatio must be a number, not ${utilisationRatio}`);
  }
  const ratio = Math.min(1, Math.max(0, utilisationRatio));
  return model.idleWatts + (model.fullWatts - model.idleWatts) * ratio;
}

/** Power in watts at half load, for when nobody knows the load. */
export function cpuPowerWattsAtUnknownLoad(model: CpuPowerModel): number {
  return cpuPowerWatts(model, UNKNOWN_LOAD_RATIO);
}
