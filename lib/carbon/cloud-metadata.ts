// SPDX-License-Identifier: MIT
//
// The metadata services of AWS, GCP and Azure: asked only where the user wants it by name. (Beside them only
// lib/tracker/endpoint.ts uses the network, likewise.)
import type { IncomingMessage } from 'node:http';
import {
  type CloudEvidence,
  type CloudPlaces,
  type DetectedCloud,
  detectLocalCloud,
} from './cloud-detect.js';
import { providerName, regionName } from './cloud-regions.js';

export interface MetadataOptions extends CloudPlaces {
  /** Ask the provider's metadata service where what lies on the machine names no region. Default: false. */
  metadata?: boolean | undefined;
  /** The provider, where it is known: its service alone is asked. Default: as what lies on the machine says, else all. */
  cloudProvider?: string | undefined;
  /** Stands for `http://169.254.169.254`, the same link-local address with all three, e.g. a proxy of it. */
  metadataEndpoint?: string | undefined;
}

/** As `createReport`, `planReport` and trackers take it among their options. */
export interface CloudPlace {
  /** What was found, and what told it. */
  cloud: DetectedCloud;
}

/** All questions to all services together. A service is a hop away and answers in milliseconds, or is not there. */
const BUDGET_MS = 1000;
const LARGEST_BYTES = 65_536;
const ENDPOINT = 'http://169.254.169.254';

type Ask = (path: string, headers: Record<string, string>, method?: 'GET' | 'PUT') => Promise<string>;
type RegionBy = (ask: Ask) => Promise<string | undefined>;

/** How to ask each provider for the region that the machine is in. */
const SERVICES: ReadonlyMap<string, RegionBy> = new Map(
  Object.entries<RegionBy>({
    // IMDSv2: a token first, which version 1 does without and many machines no longer answer.
    async aws(ask) {
      const token = await ask('/latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': '60' }, 'PUT');
      const text = await ask('/latest/dynamic/instance-identity/document', {
        'X-aws-ec2-metadata-token': token,
      });
      return textOf((JSON.parse(text) as { region?: unknown }).region);
    },
    async gcp(ask) {
      const zone = await ask('/computeMetadata/v1/instance/zone', { 'Metadata-Flavor': 'Google' });
      // projects/123/zones/us-central1-a
      return /^projects\/\d+\/zones\/([a-z]+-[a-z]+\d+)-[a-z]$/.exec(zone.trim())?.[1];
    },
    async azure(ask) {
      const path = '/metadata/instance/compute?api-version=2021-12-13&format=json';
      return textOf((JSON.parse(await ask(path, { Metadata: 'true' })) as { location?: unknown }).location);
    },
  }),
);

/**
 * Which cloud and region this machine is in, by environment, cloud-init and firmware, and with `metadata: true` by the
 * provider's metadata service: one try of at most a second in all. Without it nothing touches the network. A service that
 * does not tell is a `failure` of what comes back, and a warning of reports made with it. Never rejects.
 */
export async function detectCloud(options: MetadataOptions = {}): Promise<CloudPlace> {
  const local = detectLocalCloud(options);
  const given = options.cloudProvider?.trim();
  const provider = given === undefined ? local.evidence?.provider : providerName(given);
  const isKnown = local.evidence?.region !== undefined && local.evidence.provider === provider;
  if (options.metadata !== true || isKnown) return { cloud: local };
  const asked = await askServices(options.metadataEndpoint ?? ENDPOINT, provider);
  if (typeof asked === 'string') return { cloud: { ...local, failure: asked } };
  return { cloud: { evidence: asked, looked: true } };
}

/** The one provider that is known, or all three at once; the first that answers sensibly. In words: why there is none. */
async function askServices(endpoint: string, provider: string | undefined): Promise<CloudEvidence | string> {
  const services = [...SERVICES].filter(([name]) => provider === undefined || name === provider);
  const all = [...SERVICES.keys()].join(' or ');
  if (services.length === 0) return `the metadata service of ${provider} is not known, only that of ${all}`;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), BUDGET_MS);
  try {
    return await Promise.any(
      services.map(async ([name, regionBy]): Promise<CloudEvidence> => {
        const region = await regionBy((path, headers, method) =>
          ask(new URL(path, endpoint), headers, method ?? 'GET', stop.signal),
        );
        if (region === undefined) throw new Error('it told no region');
        const where = { provider: name, region: regionName(name, region) };
        return { ...where, source: 'metadata service', method: endpoint };
      }),
    );
  } catch (error) {
    const [first] = error instanceof AggregateError ? error.errors : [error];
    const why = stop.signal.aborted
      ? `no answer within ${BUDGET_MS / 1000} s`
      : first instanceof Error
        ? first.message
        : String(first);
    const whose = provider === undefined ? `of ${all}` : `of ${provider}`;
    return `the metadata service ${whose} told no region (${why})`;
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** One answer as text. Rejects on anything but success, on much of it, and when time is up. */
async function ask(
  url: URL,
  headers: Record<string, string>,
  method: 'GET' | 'PUT',
  signal: AbortSignal,
): Promise<string> {
  // Here, as it takes every start of the command some milliseconds.
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const take = (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST_BYTES) response.destroy(new Error('too much'));
      });
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      );
    };
    // No agent: a connection that is kept would keep the process.
    const sent = request(url, { method, headers, signal, agent: false }, take);
    sent.on('error', reject);
    sent.end();
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
