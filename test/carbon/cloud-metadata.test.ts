// SPDX-License-Identifier: MIT
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { describeCloud } from '../../lib/carbon/cloud.js';
import { detectCloud } from '../../lib/carbon/cloud-metadata.js';
import { planReport } from '../../lib/reports.js';
import { serverMeasurement } from '../report/fixtures.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A service in place of 169.254.169.254, and what it was asked. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, metadataEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const nowhere = { sysfs: '/nonexistent', runFolder: '/nonexistent', metadata: true };

async function told(service: { metadataEndpoint: string }) {
  const { evidence } = (await detectCloud({ ...nowhere, ...service })).cloud;
  expect(evidence).toMatchObject({ source: 'metadata service', method: service.metadataEndpoint });
  return [evidence?.provider, evidence?.region];
}

async function expectNothing(service: { metadataEndpoint: string }) {
  const { cloud } = await detectCloud({ ...nowhere, ...service });
  expect(cloud).toEqual({
    looked: false,
    failure: expect.stringMatching(/^the metadata service of .*\(.+\)$/s),
  });
  return cloud.failure;
}

describe('the metadata services', () => {
  it('of AWS are asked by version 2, with a token', async () => {
    const service = await serve((request, response) => {
      const { method, url, headers } = request;
      if (
        method === 'PUT' &&
        url === '/latest/api/token' &&
        headers['x-aws-ec2-metadata-token-ttl-seconds']
      ) {
        response.end('TOKEN');
      } else if (
        headers['x-aws-ec2-metadata-token'] === 'TOKEN' &&
        url?.endsWith('/instance-identity/document')
      ) {
        response.end(JSON.stringify({ region: 'eu-north-1' }));
      } else response.writeHead(401).end();
    });
    expect(await told(service)).toEqual(['aws', 'eu-north-1']);
    expect(service.asked).toContain('PUT /latest/api/token');
  });

  it('of GCP and Azure are asked with their headers', async () => {
    const gcp = await serve((request, response) => {
      if (request.headers['metadata-flavor'] === 'Google') response.end('projects/42/zones/europe-west9-b');
      else response.writeHead(404).end();
    });
    expect(await told(gcp)).toEqual(['gcp', 'europe-west9']);
    const azure = await serve((request, response) => {
      if (request.headers.metadata === 'true') response.end('{"location":"WestEurope"}');
      else response.writeHead(400).end();
    });
    expect(await told(azure)).toEqual(['azure', 'westeurope']);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['an error', (response) => response.writeHead(500).end()],
    ['nonsense', (response) => response.end('<html>')],
    ['a region that is no text', (response) => response.end('{"region":5,"location":{}}')],
    ['too much', (response) => response.end('x'.repeat(1_000_000))],
    ['a connection that breaks', (response) => response.destroy()],
  ])('may answer with %s: then nothing is known, which is said', async (_, answer) => {
    const service = await serve((_request, response) => answer(response));
    await expectNothing(service);
  });

  it('that hang cost a second in all, whether silent or dripping', async () => {
    for (const drip of [false, true]) {
      const service = await serve((_request, response) => {
        if (drip) response.write('{"reg');
      });
      const startMs = performance.now();
      expect(await expectNothing(service)).toContain('no answer within 1 s');
      const tookMs = performance.now() - startMs;
      expect(tookMs).toBeGreaterThan(900);
      // The bound is a second; the rest is for a loaded machine to notice.
      expect(tookMs).toBeLessThan(5000);
    }
  });

  it('that are not there cost nothing', async () => {
    await expectNothing({ metadataEndpoint: 'http://127.0.0.1:1' });
  });

  it('are not asked unless told to', async () => {
    const service = await serve((_request, response) => response.end());
    expect(await detectCloud({ ...nowhere, ...service, metadata: false })).toEqual({
      cloud: { looked: false },
    });
    expect(service.asked).toEqual([]);
  });
});

describe('a report of a cloud that its service told', () => {
  const aws = (request: IncomingMessage, response: ServerResponse) =>
    response.end(request.method === 'PUT' ? 'TOKEN' : '{"region":"eu-north-1"}');

  it('names the service and not the user', async () => {
    const service = await serve(aws);
    const report = planReport(await detectCloud({ ...nowhere, ...service })).report(serverMeasurement);
    expect(report.cloud).toMatchObject({
      onCloud: true,
      provider: 'aws',
      region: 'eu-north-1',
      kind: 'estimated',
      source: 'metadata service',
      method: service.metadataEndpoint,
    });
    expect(report.location).toMatchObject({ countryAlpha2: 'SE', kind: 'estimated' });
    expect(report.location.detail).toContain('known from metadata service');
    for (const { detail } of [report.cloud, report.location]) expect(detail).not.toContain('user');
    expect(report.warnings).toEqual(serverMeasurement.warnings);
  });

  it('asks the one that the user named, and tells apart who said what', async () => {
    const service = await serve(aws);
    const place = await detectCloud({ ...nowhere, ...service, cloudProvider: ' Amazon' });
    expect(service.asked).toHaveLength(2);
    const cloud = describeCloud({ cloudProvider: 'aws', ...place });
    expect(cloud).toMatchObject({ provider: 'aws', region: 'eu-north-1', source: 'metadata service' });
    expect(cloud.detail).toMatch(/^The user gave the cloud provider aws .* the metadata service at http/);
    expect(describeCloud({ cloudProvider: 'aws', cloudRegion: 'eu-west-1', ...place })).toMatchObject({
      region: 'eu-west-1',
      source: 'user',
    });
    expect(describeCloud({ cloudProvider: 'gcp', ...place })).not.toHaveProperty('region');
  });

  it('warns that it was asked and told nothing', async () => {
    const place = await detectCloud({
      ...nowhere,
      metadataEndpoint: 'http://127.0.0.1:1',
      cloudProvider: 'azure',
    });
    const report = planReport({ cloudProvider: 'azure', country: 'FR', ...place }).report(serverMeasurement);
    expect(report.cloud).toMatchObject({ provider: 'azure', source: 'user' });
    expect(report.warnings.at(-1)).toMatchObject({
      code: 'cloud-metadata-failed',
      message: expect.stringContaining('the metadata service of azure told no region'),
      hint: expect.any(String),
    });
  });

  it('says of a provider without a service that is known that there is none', async () => {
    const service = await serve(aws);
    const { cloud } = await detectCloud({ ...nowhere, ...service, cloudProvider: 'constructor' });
    expect(cloud.failure).toContain('of constructor is not known');
    expect(service.asked).toEqual([]);
  });
});
