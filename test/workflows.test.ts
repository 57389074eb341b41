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
  container?: string;
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
    expect(strategy?.matrix.image).toHaveLength(2);
  });

  it('is published after all of it alone, if none is missing, with provenance', () => {
    const others = Object.keys(jobs).filter((job) => job !== 'publish');
    expect([jobs.publish?.needs].flat().sort()).toEqual(others.sort());
    expect(Object.values(jobs).filter((job) => job['continue-on-error'] !== undefined)).toEqual([]);
    const all = commands('publish');
    expect(all).toMatch(/smoke\.mjs --all[\s\S]*npm publish --provenance/);
    expect(all).not.toContain('|| ');
  });

  it('takes nothing for granted that nobody saw', () => {
    expect(texts.get('release.yml')).toMatch(/^# Written, not yet run\.$/m);
  });

  it('names what it makes as it is looked for', () => {
    const flags = prebuildifyArguments as (platform: string, out?: string) => string[];
    expect(flags('linux')).toContain('--tag-libc');
    for (const platform of ['darwin', 'win32']) expect(flags(platform)).not.toContain('--tag-libc');
    expect(flags('darwin', '/there')).toEqual(['--napi', '--strip', '--out', '/there']);
  });
});
