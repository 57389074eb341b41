// SPDX-License-Identifier: MIT
//
// What lib/ relies on of the addon, run by Windows' own `node --test`: the file is MICROJOULE_ADDON.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { become } from './machines.mjs';

const addon = createRequire(import.meta.url)(process.env.MICROJOULE_ADDON);
const OPTIONS = { sysfs: 'C:\\none', dev: 'C:\\none', nvmlLibrary: 'C:\\none\\nvml.dll' };
const PICOWATT_HOUR_JOULES = 3.6e-9;

function open(sources = ['emi']) {
  const meter = new addon.NativeMeter({ ...OPTIONS, sources });
  const words = new BigUint64Array(new SharedArrayBuffer(meter.words * 8));
  const read = meter.bind(words);
  const at = (index) => {
    const from = addon.headerWords + index * addon.counterWords;
    return {
      ticks: words[from],
      timeNs: words[from + 1],
      status: addon.statuses[Number(words[from + 2] & 0xffffffffn)],
      breaks: Number(words[from + 2] >> 32n),
    };
  };
  return { meter, words, read, at };
}

test('the sources of Windows', () => {
  assert.deepEqual(addon.sourceNames, ['emi', 'emi-core', 'nvml', 'nvml-power']);
  assert.equal(addon.headerWords, 3);
  assert.equal(addon.counterWords, 3);
  assert.equal(addon.childUsage(), undefined);
});

test('counters are described, and their times are those of process.hrtime', () => {
  become('intel');
  const { meter, words, read, at } = open();
  const before = process.hrtime.bigint();
  read();
  const after = process.hrtime.bigint();
  assert.ok(before <= words[0] && words[0] <= words[1] && words[1] <= after);
  assert.ok(words[2] >= words[0] - 1_000_000n, 'boot time does not lag');
  const [source] = meter.sources();
  assert.equal(source.status, 'ok');
  assert.deepEqual(
    source.counters.map(({ id }) => id),
    ['emi:package:0', 'emi:core:0', 'emi:uncore:0', 'emi:dram:0'],
  );
  const [counter] = source.counters;
  assert.equal(counter.clock, 'device');
  assert.equal(counter.modulusTicks, 0n);
  assert.equal(counter.deviceName, 'Fake Meter');
  assert.match(counter.origin, /RAPL_Package0_PKG$/);
  assert.equal(Number(counter.scaleNumerator) / Number(counter.scaleDenominator), PICOWATT_HOUR_JOULES);
  assert.equal(at(0).status, 'ok');
  meter.close();
  assert.throws(() => read(), /closed/);
});

test('every power comes out by the own times of the device', async () => {
  become('intel');
  const { meter, read, at } = open();
  read();
  const start = [0, 1, 2, 3].map(at);
  await sleep(300);
  read();
  for (const [i, watts] of [15, 9, 1.5, 2].entries()) {
    const { ticks, timeNs, breaks } = at(i);
    const seconds = Number(timeNs - start[i].timeNs) / 1e9;
    const found = (Number(ticks - start[i].ticks) * PICOWATT_HOUR_JOULES) / seconds;
    assert.ok(Math.abs(found - watts) < watts * 1e-4, `${found} W instead of ${watts} W`);
    assert.ok(seconds > 0.25 && seconds < 5);
    assert.equal(breaks, 0);
  }
  meter.close();
});

test('a frozen time is the same sample', async () => {
  become('intel');
  const { meter, read, at } = open();
  become('intel', { mode: 'frozen' });
  read();
  const start = at(0);
  await sleep(50);
  read();
  assert.deepEqual(at(0), start);
  assert.equal(start.status, 'ok');
  meter.close();
});

test('a short answer fails for the channels that it lacks', () => {
  become('intel');
  const { meter, read, at } = open();
  become('intel', { mode: 'short' });
  read();
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => at(i).status),
    ['ok', 'ok', 'failed', 'failed'],
  );
  assert.match(meter.explain(3), /answers for 2 of 4 channels/);
  meter.close();
});

test('a failing device goes on from where it was', async () => {
  become('intel');
  const { meter, read, at } = open();
  read();
  const start = at(0);
  become('intel', { mode: 'broken' });
  read();
  assert.equal(at(0).status, 'failed');
  assert.equal(at(0).ticks, start.ticks);
  assert.match(meter.explain(0), /error 31/);
  become('intel');
  await sleep(20);
  read();
  assert.equal(at(0).status, 'ok');
  assert.equal(at(0).breaks, 0);
  assert.ok(at(0).ticks > start.ticks);
  meter.close();
});

test('a device that goes and comes back has a break and no energy', async () => {
  become('two-packages');
  const { meter, read, at } = open();
  read();
  const start = [at(0), at(2)];
  become('two-packages', { device: 0, mode: 'gone' });
  read();
  assert.equal(at(0).status, 'not-found');
  assert.match(meter.explain(0), /gone/);
  assert.equal(at(2).status, 'ok');
  read();
  assert.equal(at(0).status, 'not-found');
  become('two-packages', { device: 0, mode: 'back' });
  await sleep(1100);
  read();
  assert.equal(at(0).status, 'ok');
  assert.equal(at(0).breaks, 1);
  assert.equal(at(0).ticks, start[0].ticks);
  assert.equal(at(2).breaks, 0);
  assert.ok(at(2).ticks > start[1].ticks);
  meter.close();
});

test('a device that denies itself', () => {
  become('intel', { mode: 'denied' });
  const { meter } = open();
  const [source] = meter.sources();
  assert.equal(source.status, 'no-permission');
  assert.match(source.detail, /error 5/);
  meter.close();
});

test('workers share one meter', async () => {
  become('intel');
  const { meter, read, at } = open();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(workerData.file);
    const meter = new addon.NativeMeter(workerData.options);
    const words = new BigUint64Array(new SharedArrayBuffer(meter.words * 8));
    const read = meter.bind(words);
    for (let i = 0; i < 200; i++) read();
    meter.close();
    parentPort.postMessage(words[addon.headerWords]);`;
  const workerData = { file: process.env.MICROJOULE_ADDON, options: { ...OPTIONS, sources: ['emi'] } };
  const ticks = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true, workerData });
          worker.on('message', resolve);
          worker.on('error', reject);
        }),
    ),
  );
  read();
  for (const one of ticks) assert.ok(one > 0n && one <= at(0).ticks);
  meter.close();
});

test('the sampler sees updates', async () => {
  become('intel');
  const sampler = new addon.NativeSampler({ ...OPTIONS, sources: ['emi'], rateHz: 100, track: false });
  const counters = sampler.counters();
  assert.deepEqual([...new Set(counters.map(({ source }) => source))], ['emi']);
  sampler.start();
  await sleep(600);
  sampler.stop();
  assert.ok(sampler.counters()[0].seenCount > 10, `${sampler.counters()[0].seenCount} updates`);
  sampler.close();
});

test('bad arguments are refused', () => {
  become('intel');
  const { meter } = open();
  assert.throws(() => meter.bind(new Float64Array(99)), TypeError);
  assert.throws(() => meter.bind(new BigUint64Array(99)), TypeError);
  assert.throws(() => meter.bind(new BigUint64Array(new SharedArrayBuffer(8))), TypeError);
  meter.close();
});
