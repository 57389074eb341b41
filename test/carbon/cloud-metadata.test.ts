// SPDX-License-Identifier: MIT
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { detectCloud } from '../../lib/carbon/cloud-metadata.js';

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
    expect(await detectCloud({ ...nowhere, ...service })).toEqual({
      cloudProvider: 'aws',
      cloudRegion: 'eu-north-1',
    });
    expect(service.asked).toContain('PUT /latest/api/token');
  });

  it('of GCP and Azure are asked with their headers', async () => {
    const gcp = await serve((request, response) => {
      if (request.headers['metadata-flavor'] === 'Google') response.end('projects/42/zones/europe-west9-b');
      else response.writeHead(404).end();
    });
    expect(await detectCloud({ ...nowhere, ...gcp })).toEqual({
      cloudProvider: 'gcp',
      cloudRegion: 'europe-west9',
    });
    const azure = await serve((request, response) => {
      if (request.headers.metadata === 'true') response.end('{"location":"WestEurope"}');
      else response.writeHead(400).end();
    });
    expect(await detectCloud({ ...nowhere, ...azure })).toEqual({
      cloudProvider: 'azure',
      cloudRegion: 'westeurope',
    });
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['an error', (response) => response.writeHead(500).end()],
    ['nonsense', (response) => response.end('<html>')],
    ['a region that is no text', (response) => response.end('{"region":5,"location":{}}')],
    ['too much', (response) => response.end('x'.repeat(1_000_000))],
    ['a connection that breaks', (response) => response.destroy()],
  ])('may answer with %s: then nothing is known', async (_, answer) => {
    const service = await serve((_request, response) => answer(response));
    expect(await detectCloud({ ...nowhere, ...service })).toEqual({});
  });

  it('that hang cost a second in all, whether silent or dripping', async () => {
    for (const drip of [false, true]) {
      const service = await serve((_request, response) => {
        if (drip) response.write('{"reg');
      });
      const startMs = performance.now();
      expect(await detectCloud({ ...nowhere, ...service })).toEqual({});
      const tookMs = performance.now() - startMs;
      expect(tookMs).toBeGreaterThan(900);
      // The bound is a second; the rest is for a loaded machine to notice.
      expect(tookMs).toBeLessThan(5000);
    }
  });

  it('that are not there cost nothing', async () => {
    expect(await detectCloud({ ...nowhere, metadataEndpoint: 'http://127.0.0.1:1' })).toEqual({});
  });

  it('are not asked unless told to', async () => {
    const service = await serve((_request, response) => response.end());
    expect(await detectCloud({ ...nowhere, ...service, metadata: false })).toEqual({});
    expect(service.asked).toEqual([]);
  });
});
