// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CODECARBON_COLUMNS } from '../../lib/format/codecarbon-csv.js';
import { codecarbonRow, sendReport } from '../../lib/formats.js';
import { EmissionsTracker } from '../../lib/index.js';
import { parseReport, useWorkplace, zone } from '../cli/fixtures.js';
import { goldenReport } from '../report/fixtures.js';
import { runCli } from '../support/run-cli.js';

const place = useWorkplace();
const INDEX = new URL('../../dist/index.js', import.meta.url).href;

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  row: Record<string, unknown>;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  vi.restoreAllMocks();
});

/** A server on this machine that answers as told, and what came. */
async function serve(
  answer: (response: ServerResponse) => void,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, row: text === '' ? {} : JSON.parse(text) });
      answer(response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}
const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end('{}');

function tracked(emissionsEndpoint: string, output: string | string[] = []) {
  const machine = place.machine(zone('intel-rapl:0', 'package-0'));
  return new EmissionsTracker({
    sysfs: machine.root,
    nvmlLibrary: `${machine.root}/no-nvml`,
    output,
    emissionsEndpoint,
  });
}

describe('sendReport', () => {
  it.each([200, 201, 204])("posts CodeCarbon's row as JSON, and takes %d for an answer", async (code) => {
    const { url, received } = await serve(status(code));
    const report = goldenReport();
    expect(await sendReport(report, `${url}/emissions?team=a`)).toBeUndefined();
    expect(received).toEqual([
      {
        method: 'POST',
        url: '/emissions?team=a',
        headers: expect.objectContaining({ 'content-type': 'application/json' }),
        row: codecarbonRow(report),
      },
    ]);
    expect(Object.keys(received[0]?.row ?? {})).toEqual([...CODECARBON_COLUMNS]);
  });

  it('sends user and password of the URL as such, and tells nobody of them', async () => {
    const { url, received } = await serve(status(403));
    const warning = await sendReport(
      goldenReport(),
      url.replace('//', '//me:s%20cret@').concat('/x?key=k3y'),
    );
    expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:s cret').toString('base64')}`);
    expect(JSON.stringify(warning)).not.toMatch(/cret|k3y/);
    expect(warning?.message).toContain(`${url}/x: it answered 403 Forbidden`);
  });

  it.each([
    ['50%', '50%'],
    ['%', '%'],
    ['50%25', '50%'],
    ['5%é%zz%40', '5%é%zz@'],
    ['%ff', '%ff'],
    ['%E8%A8%93%C3', '%E8%A8%93%C3'],
  ])('takes %s for the password %s', async (written, meant) => {
    const { url, received } = await serve(status(200));
    expect(await sendReport(goldenReport(), url.replace('//', `//me:${written}@`))).toBeUndefined();
    expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`me:${meant}`).toString('base64')}`);
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['fails', status(500), /answered 500/],
    [
      'sends the row elsewhere',
      (response) => response.writeHead(307, { location: '/other' }).end(),
      /redirect/,
    ],
    ['breaks the connection', (response) => response.destroy(), /closed|hang up|RESET|SOCKET/i],
  ])('makes a warning of it when the server %s', async (_, answer, message) => {
    const { url, received } = await serve(answer);
    const warning = await sendReport(goldenReport(), url);
    expect(warning).toMatchObject({ code: 'endpoint-failed', hint: expect.stringContaining('sendReport()') });
    expect(warning?.message).toMatch(message);
    expect(received).toHaveLength(1);
  });

  it('makes a warning of it when there is no server', async () => {
    const { url } = await serve(status(200));
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    expect((await sendReport(goldenReport(), url))?.message).toContain('ECONNREFUSED');
  });

  it('waits five seconds for a server that hangs, before its answer or in it, and no longer', async () => {
    const silent = await serve(() => {});
    const endless = await serve((response) => response.writeHead(200).write('{'));
    const [warning, accepted] = await Promise.all([
      sendReport(goldenReport(), silent.url),
      sendReport(goldenReport(), endless.url),
    ]);
    expect(warning?.message).toContain('no answer within 5 s');
    // It has said yes; what else it would say does not matter.
    expect(accepted).toBeUndefined();
  }, 30_000);

  it.each([
    '',
    'example.org/x',
    'ftp://example.org',
    'file:///etc/passwd',
    undefined,
  ])('refuses %j', async (url) => {
    await expect(sendReport(goldenReport(), url as string)).rejects.toMatchObject({ code: 'ERR_BAD_OPTION' });
  });
});

describe('a tracker with a server', () => {
  it('sends at flush and at stop, once each', async () => {
    const { url, received } = await serve(status(201));
    const tracker = tracked(url);
    tracker.start();
    await tracker.flush();
    const report = await tracker.stop();
    await tracker.stop();
    await tracker[Symbol.asyncDispose]();
    expect(received.map(({ row }) => row.run_id)).toEqual([report.runId, report.runId]);
    expect(received[1]?.row).toEqual(codecarbonRow(report));
    expect(report.warnings.map(({ code }) => code)).not.toContain('endpoint-failed');
  });

  it('has its files written, and its report given, when the server fails', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { url } = await serve(status(503));
    const folder = place.newFolder();
    const tracker = tracked(url, [folder.file('r.json'), folder.file('emissions.csv')]);
    tracker.start();
    const report = await tracker.stop();
    expect(report.warnings.at(-1)?.code).toBe('endpoint-failed');
    expect(parseReport(folder.read('r.json')).runId).toBe(report.runId);
    expect(folder.read('emissions.csv')).toContain(report.runId);
    expect(warned.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining('answered 503')]);
  });

  it('tells a URL that is none before the work', () => {
    expect(() => tracked('not a URL')).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  });

  it('says that nothing was sent when the process ends before stop()', async () => {
    const { url, received } = await serve(status(201));
    const folder = place.newFolder();
    const script = `
      import { EmissionsTracker } from ${JSON.stringify(INDEX)};
      new EmissionsTracker({ output: 'r.json', emissionsEndpoint: ${JSON.stringify(url)} }).start();
      setTimeout(() => process.exit(), 20);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('was not sent');
    const codes = parseReport(folder.read('r.json')).warnings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['ended-early', 'endpoint-failed']));
    expect(received).toEqual([]);
  });
});

describe('the command with a server', () => {
  it('sends the row, and fails nothing when the server does', async () => {
    const folder = place.newFolder();
    const good = await serve(status(200));
    const bad = await serve(status(500));
    const args = (url: string) => [
      'run',
      '-q',
      '-o',
      'emissions.csv',
      '--emissions-endpoint',
      url,
      '--',
      'true',
    ];
    expect((await runCli(args(good.url), { cwd: folder.path })).exitCode).toBe(0);
    expect(good.received).toHaveLength(1);
    const { exitCode, stderr } = await runCli(args(bad.url), { cwd: folder.path });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('answered 500');
    expect(folder.read('emissions.csv').trimEnd().split('\n')).toHaveLength(3);
  });
});
