// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Compared } from '../../lib/doctor/consistency.js';
import type { Facts } from '../../lib/doctor/facts.js';
import type { FixContext } from '../../lib/doctor/fix-parts.js';
import type { LostMeter } from '../../lib/doctor/lost.js';
import { judgeMachine } from '../../lib/doctor/machine.js';

const require = createRequire(import.meta.url);
const { default: Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
const { default: addFormats } = require('ajv-formats') as typeof import('ajv-formats');

const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats(ajv);
const validate = ajv.compile(
  JSON.parse(readFileSync(new URL('../../schema/doctor.schema.json', import.meta.url), 'utf8')),
);

/** What the schema says against `value`; empty when it is a diagnosis. */
export function schemaErrors(value: unknown): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

export const SAPPHIRE_RAPIDS = 'cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,0002';
export const EPYC = 'cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0001';
/** The same with CPUID's hypervisor bit. */
export const GUEST = `${SAPPHIRE_RAPIDS},009F`;

/** A server of Intel's on bare metal, used by Ana. */
export function facts(changes: Partial<Facts> = {}): Facts {
  return {
    platform: 'linux',
    osName: 'Linux',
    kernelRelease: '6.1.0-28-amd64',
    architecture: 'x64',
    cpuName: 'Intel(R) Xeon(R) Platinum 8480+',
    threadCount: 224,
    packageCpus: ['0', '56'],
    cpuModalias: SAPPHIRE_RAPIDS,
    nodeVersion: 'v22.11.0',
    addonPath: '/srv/app/node_modules/microjoule/prebuilds/linux-x64/microjoule.glibc.node',
    packagePath: '/srv/app/node_modules/microjoule/',
    packageWritable: true,
    distribution: 'debian',
    userName: 'ana',
    isRoot: false,
    container: {
      dockerenv: false,
      containerenv: false,
      kubernetes: false,
      cgroup: '0::/user.slice',
      declared: '',
    },
    perfEventParanoid: 3,
    lockdown: 'none',
    hasSgxDevice: false,
    nvidiaGpus: [],
    sysfs: '/sys',
    dev: '/dev',
    ...changes,
  };
}

export const inDocker: Partial<Facts> = {
  container: { dockerenv: true, containerenv: false, kubernetes: false, cgroup: '0::/', declared: '' },
};
export const inPodman: Partial<Facts> = {
  container: { dockerenv: false, containerenv: true, kubernetes: false, cgroup: '0::/', declared: '' },
};
export const inLxc: Partial<Facts> = {
  container: { dockerenv: false, containerenv: false, kubernetes: false, cgroup: '0::/', declared: 'lxc' },
};
export const inKubernetes: Partial<Facts> = {
  container: { dockerenv: false, containerenv: false, kubernetes: true, cgroup: '0::/', declared: '' },
};

export function context(changes: Partial<Facts> = {}, addonMissing = ''): FixContext {
  const found = facts(changes);
  return { facts: found, machine: judgeMachine(found, addonMissing) };
}

/** A counter of the test that moved: 100 J in 2 s, updated every millisecond, in steps of 2^-14 J. */
export function counter(changes: Partial<Compared> = {}): Compared {
  return {
    id: 'powercap:intel-rapl:0',
    source: 'powercap',
    domain: 'package',
    device: 0,
    status: 'ok',
    detail: '',
    inTotal: true,
    moved: true,
    updateCount: 1000,
    energyJoules: 100,
    updatePeriodSeconds: 0.001,
    jitterSeconds: 0.00002,
    resolutionSeconds: 0.000003,
    stillSeconds: 0.0012,
    quantumJoules: 2 ** -14,
    idleWatts: 40,
    busyWatts: 60,
    scaleNumerator: 1n,
    scaleDenominator: 16384n,
    ...changes,
  };
}

/** A meter of the total that no counter could read to the end. */
export function lostMeter(changes: Partial<LostMeter> = {}): LostMeter {
  return {
    id: 'powercap:intel-rapl:1',
    domain: 'package',
    status: 'no-permission',
    sources: ['powercap'],
    ...changes,
  };
}

/** Numbers from 0 to 1 that are the same at every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed, by Box and Muller. */
export function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
