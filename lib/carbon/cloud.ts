// SPDX-License-Identifier: MIT
import { MicrojouleError } from '../core/errors.js';
import type { Cloud } from '../core/report-types.js';
import type { Warning } from '../core/vocabulary.js';
import { type CloudPlaces, type DetectedCloud, detectLocalCloud } from './cloud-detect.js';
import { providerName, regionName } from './cloud-regions.js';
import { requireText } from './place-key.js';

export interface CloudOptions extends CloudPlaces {
  /** As the user names it, e.g. `aws`. */
  cloudProvider?: string | undefined;
  /** The provider's own name of the region, e.g. `sa-east-1`. Only together with a provider. */
  cloudRegion?: string | undefined;
  /** What `detectCloud()` found. Default: what lies on the machine. */
  cloud?: DetectedCloud | undefined;
}

/**
 * What the report says about the cloud: what the user gave, else what lies on the machine (environment, cloud-init,
 * firmware). No metadata service is asked: what one told `detectCloud()` is taken over, and named as its word.
 * Throws `ERR_BAD_OPTION` for a region without a provider and for empty text.
 */
export function describeCloud(options: CloudOptions = {}): Cloud {
  const provider = optionalText('cloudProvider', options.cloudProvider);
  const region = optionalText('cloudRegion', options.cloudRegion);
  if (provider === undefined) {
    if (region !== undefined) {
      throw new MicrojouleError(
        'ERR_BAD_OPTION',
        `Cloud region ${JSON.stringify(region)} was given without a cloud provider.`,
        { hint: 'Give the provider as well, for example aws, or leave the cloud region out.' },
      );
    }
    return found(options);
  }
  return (region === undefined ? toldRegion(provider, options.cloud) : undefined) ?? given(provider, region);
}

/** The region that the given provider's own service told. */
function toldRegion(provider: string, cloud: DetectedCloud | undefined): Cloud | undefined {
  const evidence = cloud?.evidence;
  if (evidence?.region === undefined || evidence.provider !== providerName(provider)) return undefined;
  const { region, source, method } = evidence;
  const detail = `The user gave the cloud provider ${provider} and no cloud region; the ${source} at ${method} tells ${region}.`;
  return { onCloud: true, provider, region, kind: 'estimated', source, method, detail };
}

function given(provider: string, region: string | undefined): Cloud {
  return {
    onCloud: true,
    provider,
    ...(region === undefined ? {} : { region: regionName(provider, region) }),
    kind: 'assumed',
    source: 'user',
    method: 'given',
    detail: `The user gave the cloud provider ${provider}${region === undefined ? ' and no cloud region' : ` and the cloud region ${region}`}.`,
  };
}

/** What was asked for and not told. */
export function cloudWarnings({ cloud }: CloudOptions): Warning[] {
  if (cloud?.failure === undefined) return [];
  return [
    {
      code: 'cloud-metadata-failed',
      message: `The cloud region is not known: ${cloud.failure}.`,
      hint: 'Give it with --cloud-provider and --cloud-region, or the country with --country.',
    },
  ];
}

function found(options: CloudOptions): Cloud {
  const { evidence, looked, failure } = options.cloud ?? detectLocalCloud(options);
  if (evidence !== undefined) {
    const { provider, region, source, method } = evidence;
    const ask = failure === undefined ? ', or ask with --cloud-metadata' : '';
    const where = region === undefined ? `no region: pass --cloud-region${ask}` : region;
    const teller = source === 'metadata service' ? `the ${source} at ${method}` : method;
    return {
      onCloud: true,
      provider,
      ...(region === undefined ? {} : { region }),
      kind: 'estimated',
      source,
      method,
      detail: `No cloud provider was given; ${teller} tells ${provider}, and ${where}.`,
    };
  }
  const method = 'environment, cloud-init, DMI';
  if (looked) {
    return {
      onCloud: false,
      kind: 'estimated',
      source: 'DMI',
      method,
      detail: 'No cloud provider was given, and none of these names one that is known.',
    };
  }
  return {
    onCloud: false,
    kind: 'absent',
    source: 'DMI',
    method,
    detail:
      'No cloud provider was given, none of these names one, and the firmware tells no names: it may still be one.',
  };
}

function optionalText(option: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  requireText(option, value);
  const text = value.trim();
  if (text === '')
    throw new MicrojouleError('ERR_BAD_OPTION', `Option ${option} must not be empty.`, {
      hint: `Give its name, for example aws, or leave ${option} out.`,
    });
  return text;
}
