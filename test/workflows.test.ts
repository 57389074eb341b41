// SPDX-License-Identifier: MIT
//
// The workflows, which nobody here can run: that a release builds, tries and holds all, or does not happen.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
// @ts-expect-error: plain JavaScript
import { PUBLISHED, prebuildifyArguments } from '../scripts/targets.mjs';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = path.join(REPOSITORY, '.github/workflows');
const published = PUBLISHED as string[];

interface Job {
  needs?: string | string[];
  if?: string;
  container?: string | { image: string; options: string };
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  'continue-on-error'?: boolean;
  strategy?: { matrix: { include?: Record<string, string>[]; image?: string[]; runner?: string[] } };
  steps: { uses?: string; run?: string; with?: Record<string, string> }[];
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const texts = new Map(
  readdirSync(FOLDER).map((name) => [name, readFileSync(path.join(FOLDER, name), 'utf8')]),
);
const workflow = (name: string): Workflow => parse(texts.get(name) ?? '') as Workflow;

describe.each([...texts.keys()])('the workflow %s', (name) => {
  it('uses actions by their commit, with the version beside it', () => {
    const used = [...(texts.get(name) ?? '').matchAll(/uses:(.*)/g)].map(([, rest = '']) => rest.trim());
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((one) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(one))).toEqual([]);
  });

  it('takes nothing for granted that nobody saw', () => {
    expect(texts.get(name)).toMatch(/^# Written, not yet run\.$/m);
  });

  it('has no rights but those that a job asks for, keeps no token, and ends in time', () => {
    const { permissions, jobs } = workflow(name);
    expect(permissions).toEqual({});
    for (const [job, { permissions: own, 'timeout-minutes': minutes, steps }] of Object.entries(jobs)) {
      const asked =
        name === 'release.yml' && job === 'publish'
          ? { contents: 'read', 'id-token': 'write' }
          : { contents: 'read' };
      expect(own, job).toEqual(asked);
      expect(minutes, job).toBeGreaterThan(0);
      const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
      for (const { with: inputs } of checkouts)
        expect(inputs, job).toMatchObject({ 'persist-credentials': false });
    }
  });
});

it('means one commit by one version, in all workflows', () => {
  const pins = new Set([...texts.values()].flatMap((text) => text.match(/actions\/.* # v.*/g) ?? []));
  const names = [...pins].map((pin) => pin.split('@')[0]);
  expect(names).toHaveLength(new Set(names).size);
});

describe('the tests', () => {
  const { jobs } = workflow('test.yml');
  // Those that fail something.
  const needed = Object.entries(jobs).filter(([, job]) => job['continue-on-error'] !== true);
  const install = readFileSync(path.join(REPOSITORY, '.ci/install'), 'utf8');
  const run = readFileSync(path.join(REPOSITORY, '.ci/run'), 'utf8');

  it('run where all that they use can be installed, and each skipped one would count as failed', () => {
    expect(needed.map(([name]) => name)).toEqual(['checks', 'node']);
    for (const [name, { container }] of needed) {
      // As root, who may install; the rest is for mounts and for addresses that are not randomised.
      expect(container, name).toEqual({ image: 'debian:12', options: '--privileged' });
    }
    expect(run).toMatch(/^\.ci\/install /m);
    expect(install).toMatch(/id -u/);
  });

  it('are of a repository, as what is packed is what git lists', () => {
    for (const [name, { steps }] of needed) {
      const at = (part: RegExp): number =>
        steps.findIndex(({ uses, run: command }) => part.test(`${uses} ${command}`));
      const order = [
        /apt-get install .*\bgit\b/,
        /checkout@/,
        /safe\.directory/,
        /setup-node@/,
        /\.ci\//,
      ].map(at);
      expect(order, name).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('install what is used before it is', () => {
    const commands = (name: string): (string | undefined)[] =>
      (jobs[name]?.steps ?? []).map(({ run: command }) => command).slice(4);
    expect(commands('checks')).toEqual(['.ci/run']);
    expect(commands('node')).toEqual(['.ci/install', 'npm cit']);
  });

  it('have longer than one of their stages may take', () => {
    const stageMinutes = Number(/^STAGE_LIMIT=(\d+)m$/m.exec(run)?.[1]);
    for (const [name, job] of needed) {
      expect(job['timeout-minutes'], name).toBeGreaterThanOrEqual(2 * stageMinutes);
    }
  });
});

describe('a release', () => {
  const { jobs } = workflow('release.yml');
  const commands = (job: string): string => (jobs[job]?.steps ?? []).map(({ run }) => run ?? '').join('\n');
  const included = (job: string): Record<string, string>[] => jobs[job]?.strategy?.matrix.include ?? [];

  it('builds every addon that is published', () => {
    const glibc = /prebuilds -- (.*)/.exec(commands('linux-glibc'))?.[1]?.split(' ') ?? [];
    const made = [
      ...glibc.map((target) => `${target}/microjoule.glibc.node`),
      ...included('linux-musl').map(({ arch }) => `linux-${arch}/microjoule.musl.node`),
      ...included('native').map(({ target }) => `${target}/microjoule.node`),
    ];
    expect(made.sort()).toEqual([...published].sort());
  });

  it('loads each where it would run', () => {
    expect(commands('linux-musl')).toMatch(/node:\d+-alpine[\s\S]*node scripts\/smoke\.mjs/);
    expect(commands('native')).toMatch(/node scripts\/smoke\.mjs \$\{\{ matrix\.target \}\}/);
    const { strategy, needs } = jobs['smoke-glibc'] ?? {};
    expect(needs).toBe('linux-glibc');
    expect(commands('smoke-glibc')).toMatch(/\$\{\{ matrix\.image \}\}[\s\S]*node scripts\/smoke\.mjs/);
    expect(strategy?.matrix.runner).toEqual(['ubuntu-latest', 'ubuntu-24.04-arm']);
    // The former has glibc 2.28 and the libstdc++ of GCC 8, the oldest that package.test.ts lets a prebuild ask for.
    expect(strategy?.matrix.image).toEqual(['almalinux:8', expect.stringMatching(/^node:\d+-/)]);
    const prepared = included('smoke-glibc').map(({ image }) => image);
    expect(prepared).toEqual(strategy?.matrix.image);
    expect(commands('smoke-glibc')).toMatch(/\$\{\{ matrix\.prepare \}\} && npm ci/);
  });

  it('is published after all of it alone, if none is missing, with provenance', () => {
    const others = Object.keys(jobs).filter((job) => job !== 'publish');
    expect([jobs.publish?.needs].flat().sort()).toEqual(others.sort());
    expect(Object.values(jobs).filter((job) => job['continue-on-error'] !== undefined)).toEqual([]);
    const all = commands('publish');
    expect(all).toMatch(/smoke\.mjs --all[\s\S]*npm publish --provenance/);
    expect(all).not.toContain('|| ');
  });

  it('names what it makes as it is looked for', () => {
    const flags = prebuildifyArguments as (platform: string, out?: string) => string[];
    expect(flags('linux')).toContain('--tag-libc');
    for (const platform of ['darwin', 'win32']) expect(flags(platform)).not.toContain('--tag-libc');
    expect(flags('darwin', '/there')).toEqual(['--napi', '--strip', '--out', '/there']);
  });
});
