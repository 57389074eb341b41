// SPDX-License-Identifier: MIT
//
// Which cloud this machine is in, by what lies on it: environment, cloud-init, firmware. Nothing here asks the network.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { providerName, regionName } from './cloud-regions.js';

export interface CloudPlaces {
  /** Stands for `/sys`: the firmware's names are in `class/dmi/id`. Default: `MICROJOULE_SYSFS`, else `/sys`. */
  sysfs?: string;
  /** Stands for `/run`, where cloud-init leaves `cloud-init/instance-data.json`. Default: `MICROJOULE_RUN`, else `/run`. */
  runFolder?: string | undefined;
}

/** One piece of evidence. */
export interface CloudEvidence {
  provider: string;
  region?: string;
  /** `environment`, `cloud-init` or `DMI`. */
  source: string;
  /** What says so, e.g. `AWS_EXECUTION_ENV`. */
  method: string;
}

export interface DetectedCloud {
  /** Absent when nothing names a cloud. */
  evidence?: CloudEvidence;
  /** True when the firmware could be asked, so that finding nothing means something. */
  looked: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that a provider's own services set, with the variable of the region where there is one. `AWS_REGION` alone
 * proves nothing: people set it on their laptops.
 */
const VARIABLES: readonly (readonly [variable: string, provider: string, regions: readonly string[]])[] = [
  ['AWS_LAMBDA_FUNCTION_NAME', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['AWS_EXECUTION_ENV', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['ECS_CONTAINER_METADATA_URI_V4', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['AWS_BATCH_JOB_ID', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['CLOUD_ML_JOB_ID', 'gcp', ['CLOUD_ML_REGION']],
  ['K_SERVICE', 'gcp', ['FUNCTION_REGION']],
  ['CLOUD_RUN_JOB', 'gcp', []],
  ['COLAB_RELEASE_TAG', 'gcp', []],
  ['WEBSITE_INSTANCE_ID', 'azure', ['REGION_NAME']],
  ['AZUREML_RUN_ID', 'azure', []],
];

/** Azure's own asset tag, the same on every virtual machine of it. */
const AZURE_ASSET_TAG = '7783-7084-3265-9085-8269-3286-77';

/** What firmware of virtual machines says, as cloud-init's ds-identify reads it. */
const FIRMWARE: readonly (readonly [file: string, text: RegExp, provider: string])[] = [
  ['sys_vendor', /^Amazon EC2$/, 'aws'],
  ['bios_vendor', /^Amazon EC2$/, 'aws'],
  ['product_name', /^Google Compute Engine$/, 'gcp'],
  ['chassis_asset_tag', new RegExp(`^${AZURE_ASSET_TAG}$`), 'azure'],
  ['product_name', /^Alibaba Cloud ECS$/, 'alibaba'],
  ['sys_vendor', /^Hetzner$/, 'hetzner'],
  ['sys_vendor', /^DigitalOcean$/, 'digitalocean'],
  ['sys_vendor', /^Scaleway$/, 'scaleway'],
  ['sys_vendor', /^Vultr$/, 'vultr'],
  ['sys_vendor', /^(Linode|Akamai)$/, 'linode'],
  ['sys_vendor', /^UpCloud$/, 'upcloud'],
  ['chassis_asset_tag', /^OracleCloud\.com$/, 'oracle'],
];

/** What cloud-init calls a machine that no cloud started. */
const NO_CLOUD = new Set(['', 'none', 'nocloud', 'unknown', 'configdrive', 'lxd', 'vmware']);

/** Looks at environment, cloud-init and firmware, in this order. Never throws. */
export function detectLocalCloud(
  places: CloudPlaces = {},
  environment: Environment = process.env,
): DetectedCloud {
  const sysfs = places.sysfs ?? (environment.MICROJOULE_SYSFS || '/sys');
  const runFolder = places.runFolder ?? (environment.MICROJOULE_RUN || '/run');
  const firmware = fromFirmware(sysfs);
  const found = [
    fromEnvironment(environment),
    fromCloudInit(join(runFolder, 'cloud-init/instance-data.json')),
    firmware.evidence,
  ].flatMap((evidence) => evidence ?? []);
  const [first] = found;
  if (first === undefined) return { looked: firmware.looked };
  // The first may know no region where a later one of the same provider does.
  const region = found.find((one) => one.provider === first.provider && one.region !== undefined)?.region;
  const evidence = region === undefined ? first : { ...first, region };
  return { evidence, looked: true };
}

function fromEnvironment(environment: Environment): CloudEvidence | undefined {
  for (const [variable, provider, regions] of VARIABLES) {
    if (!environment[variable]) continue;
    const region = regions
      .map((name) => environment[name])
      .find((value) => value !== undefined && value !== '');
    return evidence(provider, region, 'environment', variable);
  }
  return undefined;
}

function fromCloudInit(file: string): CloudEvidence | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    const { v1 } = JSON.parse(text) as { v1?: Record<string, unknown> };
    const name = typeof v1?.cloud_name === 'string' ? v1.cloud_name.toLowerCase() : '';
    if (NO_CLOUD.has(name)) return undefined;
    const region = typeof v1?.region === 'string' && v1.region !== '' ? v1.region : undefined;
    return evidence(name, region, 'cloud-init', file);
  } catch {
    // Half written, or of another shape: it tells nothing.
    return undefined;
  }
}

function fromFirmware(sysfs: string): { evidence?: CloudEvidence; looked: boolean } {
  const folder = join(sysfs, 'class/dmi/id');
  const texts = new Map<string, string>();
  for (const [file] of FIRMWARE) {
    const text = readText(join(folder, file));
    if (text !== undefined) texts.set(file, text.trim());
  }
  const match = FIRMWARE.find(([file, text]) => text.test(texts.get(file) ?? ''));
  const looked = texts.size > 0;
  if (match === undefined) return { looked };
  return { evidence: evidence(match[2], undefined, 'DMI', join(folder, match[0])), looked };
}

function evidence(
  provider: string,
  region: string | undefined,
  source: string,
  method: string,
): CloudEvidence {
  const name = providerName(provider);
  return {
    provider: name,
    ...(region === undefined ? {} : { region: regionName(name, region) }),
    source,
    method,
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
