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
  /** `environment`, `cloud-init`, `DMI`, `hypervisor` or `metadata service`. */
  source: string;
  /** What says so, e.g. `AWS_EXECUTION_ENV`. Of a metadata service the address. */
  method: string;
}

export interface DetectedCloud {
  /** Absent when nothing names a cloud. */
  evidence?: CloudEvidence;
  /** True when the firmware could be asked, so that finding nothing means something. */
  looked: boolean;
  /** Why no metadata service told the region, though it should. */
  failure?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that a provider's own services set, with the variable of the region where there is one. `AWS_REGION` alone
 * proves nothing: people set it on their laptops. Nor does `K_SERVICE`: Knative sets it on anybody's cluster.
 */
const VARIABLES: readonly (readonly [variable: string, provider: string, regions: readonly string[]])[] = [
  ['AWS_LAMBDA_FUNCTION_NAME', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['AWS_EXECUTION_ENV', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['ECS_CONTAINER_METADATA_URI_V4', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['AWS_BATCH_JOB_ID', 'aws', ['AWS_REGION', 'AWS_DEFAULT_REGION']],
  ['CLOUD_ML_JOB_ID', 'gcp', ['CLOUD_ML_REGION']],
  ['CLOUD_RUN_JOB', 'gcp', []],
  ['COLAB_RELEASE_TAG', 'gcp', []],
  ['WEBSITE_INSTANCE_ID', 'azure', ['REGION_NAME']],
  ['AZUREML_RUN_ID', 'azure', []],
];

/** Azure's own asset tag, the same on every virtual machine of it. */
const AZURE_ASSET_TAG = '7783-7084-3265-9085-8269-3286-77';

const DMI = 'class/dmi/id';

/** What firmware and hypervisors of virtual machines say, as cloud-init's ds-identify reads it. */
const FIRMWARE: readonly (readonly [file: string, text: RegExp, provider: string])[] = [
  [`${DMI}/sys_vendor`, /^Amazon EC2$/, 'aws'],
  [`${DMI}/bios_vendor`, /^Amazon EC2$/, 'aws'],
  ['hypervisor/uuid', /^ec2/i, 'aws'],
  [`${DMI}/product_name`, /^Google Compute Engine$/, 'gcp'],
  [`${DMI}/chassis_asset_tag`, new RegExp(`^${AZURE_ASSET_TAG}$`), 'azure'],
  [`${DMI}/product_name`, /^Alibaba Cloud ECS$/, 'alibaba'],
  [`${DMI}/sys_vendor`, /^Hetzner$/, 'hetzner'],
  [`${DMI}/sys_vendor`, /^DigitalOcean$/, 'digitalocean'],
  [`${DMI}/sys_vendor`, /^Scaleway$/, 'scaleway'],
  [`${DMI}/sys_vendor`, /^Vultr$/, 'vultr'],
  [`${DMI}/sys_vendor`, /^(Linode|Akamai)$/, 'linode'],
  [`${DMI}/sys_vendor`, /^UpCloud$/, 'upcloud'],
  [`${DMI}/chassis_asset_tag`, /^OracleCloud\.com$/, 'oracle'],
];

/** What cloud-init calls a machine that no cloud started, or none that has a name. */
const NO_CLOUD = new Set([
  '',
  'none',
  'nocloud',
  'unknown',
  'configdrive',
  'lxd',
  'vmware',
  'maas',
  'openstack',
  'wsl',
]);

/**
 * Looks at environment, cloud-init and firmware, in this order. Variables are inherited and imitated: where the firmware
 * names another provider, they count for nothing. Never throws.
 */
export function detectLocalCloud(
  places: CloudPlaces = {},
  environment: Environment = process.env,
): DetectedCloud {
  const sysfs = places.sysfs ?? (environment.MICROJOULE_SYSFS || '/sys');
  const runFolder = places.runFolder ?? (environment.MICROJOULE_RUN || '/run');
  const firmware = fromFirmware(sysfs);
  const named = fromEnvironment(environment);
  const refuted = firmware.evidence !== undefined && firmware.evidence.provider !== named?.provider;
  const found = [
    refuted ? undefined : named,
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
    if (!environment[variable] || (provider === 'aws' && isAwsElsewhere(environment))) continue;
    const region = regions
      .map((name) => environment[name])
      .find((value) => value !== undefined && value !== '');
    return evidence(provider, region, 'environment', variable);
  }
  return undefined;
}

/** AWS' variables on other people's machines: `sam local` imitates Lambda there, and ECS Anywhere runs containers. */
function isAwsElsewhere({ AWS_SAM_LOCAL, AWS_EXECUTION_ENV }: Environment): boolean {
  return Boolean(AWS_SAM_LOCAL) || (AWS_EXECUTION_ENV ?? '').endsWith('_EXTERNAL');
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
  const texts = new Map<string, string>();
  for (const [file] of FIRMWARE) {
    const text = readText(join(sysfs, file));
    if (text !== undefined) texts.set(file, text.trim());
  }
  const match = FIRMWARE.find(([file, text]) => text.test(texts.get(file) ?? ''));
  const looked = texts.size > 0;
  if (match === undefined) return { looked };
  const [file, , provider] = match;
  const source = file.startsWith(DMI) ? 'DMI' : 'hypervisor';
  return { evidence: evidence(provider, undefined, source, join(sysfs, file)), looked };
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
