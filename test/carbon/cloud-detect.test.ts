// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeCloud } from '../../lib/carbon/cloud.js';
import { detectLocalCloud } from '../../lib/carbon/cloud-detect.js';
import { resolveIntensity } from '../../lib/carbon/intensity.js';
import { resolveLocation } from '../../lib/carbon/location.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'microjoule-cloud-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

/** Roots that stand for /sys and /run. */
function machine(dmi?: Record<string, string>, cloudInit?: unknown) {
  const folder = path.join(root, String(count++));
  const [sysfs, runFolder] = [path.join(folder, 'sys'), path.join(folder, 'run')];
  mkdirSync(path.join(sysfs, 'hypervisor'), { recursive: true });
  mkdirSync(path.join(sysfs, 'class/dmi/id'), { recursive: true });
  mkdirSync(path.join(runFolder, 'cloud-init'), { recursive: true });
  for (const [file, text] of Object.entries(dmi ?? {})) {
    const folderOfFile = file.includes('/') ? '' : 'class/dmi/id';
    writeFileSync(path.join(sysfs, folderOfFile, file), `${text}\n`);
  }
  if (cloudInit !== undefined) {
    const text = typeof cloudInit === 'string' ? cloudInit : JSON.stringify(cloudInit);
    writeFileSync(path.join(runFolder, 'cloud-init/instance-data.json'), text);
  }
  return { sysfs, runFolder };
}

const found = (places: ReturnType<typeof machine>, environment: Record<string, string> = {}) =>
  detectLocalCloud(places, environment).evidence;

describe('what lies on the machine', () => {
  it.each<[string, Record<string, string>, string]>([
    ['AWS Nitro', { sys_vendor: 'Amazon EC2', product_name: 'm7i.large' }, 'aws'],
    ['GCP', { sys_vendor: 'Google', product_name: 'Google Compute Engine' }, 'gcp'],
    [
      'Azure',
      { sys_vendor: 'Microsoft Corporation', chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77' },
      'azure',
    ],
    ['Hetzner', { sys_vendor: 'Hetzner', product_name: 'vServer' }, 'hetzner'],
  ])('tells %s by firmware, without a region', (_, dmi, provider) => {
    expect(found(machine(dmi))).toMatchObject({ provider, source: 'DMI' });
    expect(found(machine(dmi))).not.toHaveProperty('region');
  });

  it("tells AWS' older machines by their hypervisor, and no other Xen", () => {
    const uuid = (text: string) => found(machine({ sys_vendor: 'Xen', 'hypervisor/uuid': text }));
    expect(uuid('ec2e1916-9099-7caf-fd21-012345abcdef')).toMatchObject({
      provider: 'aws',
      source: 'hypervisor',
      method: expect.stringMatching(/hypervisor.uuid$/),
    });
    expect(uuid('00000000-0000-0000-0000-000000000000')).toBeUndefined();
  });

  it('is no cloud on a laptop, nor on Hyper-V at home, and unknown without firmware', () => {
    for (const dmi of [
      { sys_vendor: 'LENOVO' },
      { sys_vendor: 'Microsoft Corporation', chassis_asset_tag: '1' },
    ]) {
      const places = machine(dmi);
      expect(detectLocalCloud(places, {})).toEqual({ looked: true });
      expect(describeCloud(places)).toMatchObject({ onCloud: false, kind: 'estimated' });
    }
    expect(describeCloud(machine())).toMatchObject({ onCloud: false, kind: 'absent' });
  });

  it.each([
    ['aws', 'eu-north-1', 'aws', 'eu-north-1'],
    ['gce', 'europe-west9', 'gcp', 'europe-west9'],
    ['azure', 'westeurope', 'azure', 'westeurope'],
    ['hetzner', 'eu-central', 'hetzner', 'eu-central'],
  ])('tells %s and its region by cloud-init', (name, region, provider, expected) => {
    const places = machine({}, { v1: { cloud_name: name, region, availability_zone: `${region}a` } });
    expect(found(places)).toMatchObject({ provider, region: expected, source: 'cloud-init' });
  });

  it.each([
    ['nocloud'],
    ['none'],
    ['unknown'],
    ['maas'],
    ['openstack'],
    ['wsl'],
    [42],
  ])('takes cloud-init without a cloud (%s) for none', (name) => {
    expect(found(machine({}, { v1: { cloud_name: name, region: 'x' } }))).toBeUndefined();
  });

  it.each([
    '',
    '{"v1": {"cloud_na',
    '[]',
    'null',
    '{"v1": null}',
  ])('survives a damaged cloud-init: %j', (text) => {
    expect(found(machine({}, text))).toBeUndefined();
  });

  it.each<[Record<string, string>, string, string | undefined]>([
    [{ AWS_LAMBDA_FUNCTION_NAME: 'f', AWS_REGION: 'eu-west-3' }, 'aws', 'eu-west-3'],
    [{ AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE', AWS_DEFAULT_REGION: 'us-east-2' }, 'aws', 'us-east-2'],
    [{ CLOUD_RUN_JOB: 'j' }, 'gcp', undefined],
    [{ CLOUD_ML_JOB_ID: '1', CLOUD_ML_REGION: 'us-west1' }, 'gcp', 'us-west1'],
    [{ WEBSITE_INSTANCE_ID: 'x', REGION_NAME: 'West Europe' }, 'azure', 'westeurope'],
  ])('tells it by the environment: %j', (environment, provider, region) => {
    expect(found(machine(), environment)).toMatchObject({ provider, source: 'environment' });
    expect(found(machine(), environment)?.region).toBe(region);
  });

  it('does not take a variable for proof that people set at home', () => {
    for (const environment of [
      { AWS_REGION: 'eu-west-1', GOOGLE_CLOUD_PROJECT: 'p' },
      // Knative's, on any cluster.
      { K_SERVICE: 's', K_REVISION: 'r', FUNCTION_REGION: 'europe-west1' },
      { AWS_SAM_LOCAL: 'true', AWS_LAMBDA_FUNCTION_NAME: 'f', AWS_REGION: 'us-east-1' },
      { AWS_EXECUTION_ENV: 'AWS_ECS_EXTERNAL', ECS_CONTAINER_METADATA_URI_V4: 'u', AWS_REGION: 'us-east-1' },
    ]) {
      expect(found(machine(), environment as Record<string, string>)).toBeUndefined();
    }
  });

  it('believes the firmware where a variable names another provider, with the region that fits', () => {
    const init = { v1: { cloud_name: 'aws', region: 'eu-central-1' } };
    const places = machine({ sys_vendor: 'Amazon EC2' }, init);
    expect(found(places, { CLOUD_RUN_JOB: 'j', CLOUD_ML_REGION: 'us-west1' })).toMatchObject({
      provider: 'aws',
      region: 'eu-central-1',
      source: 'cloud-init',
    });
    expect(found(places, { AWS_BATCH_JOB_ID: '1', AWS_REGION: 'eu-west-1' })).toMatchObject({
      region: 'eu-west-1',
      source: 'environment',
    });
  });

  it('joins the region of one to the provider of another only where they agree', () => {
    const init = { v1: { cloud_name: 'gce', region: 'europe-west9' } };
    expect(found(machine({}, init), { CLOUD_RUN_JOB: 'j' })).toMatchObject({
      provider: 'gcp',
      region: 'europe-west9',
    });
    expect(found(machine({}, init), { AWS_BATCH_JOB_ID: '1' })).not.toHaveProperty('region');
  });
});

describe('the place of a cloud', () => {
  const onAws = machine({}, { v1: { cloud_name: 'aws', region: 'sa-east-1' } });

  it('is that of its region, when no country was given', () => {
    const location = resolveLocation({ timeZone: 'UTC' }, describeCloud(onAws));
    expect(location).toMatchObject({
      countryAlpha3: 'BRA',
      zone: 'BR-CS',
      kind: 'estimated',
      source: 'cloud region',
    });
    expect(resolveIntensity(location)).toMatchObject({ zone: 'BR-CS' });
  });

  it('is as good as what told it', () => {
    const given = describeCloud({ cloudProvider: 'Azure', cloudRegion: 'France Central' });
    expect(given).toMatchObject({ region: 'francecentral', kind: 'assumed' });
    expect(resolveLocation({ timeZone: 'UTC' }, given)).toMatchObject({
      countryAlpha2: 'FR',
      kind: 'assumed',
    });
  });

  it("yields to the user's country", () => {
    expect(resolveLocation({ country: 'DE' }, describeCloud(onAws))).toMatchObject({
      countryAlpha2: 'DE',
      source: 'user',
    });
  });

  it('is not guessed for a region that is not known; the nearest are named', () => {
    const cloud = describeCloud({ cloudProvider: 'aws', cloudRegion: 'eu-wset-1' });
    const location = resolveLocation({ timeZone: 'UTC' }, cloud);
    expect(location.kind).toBe('absent');
    expect(location.detail).toMatch(/does not know where aws's region eu-wset-1 is\. Nearest: eu-west-1/);
  });
});
