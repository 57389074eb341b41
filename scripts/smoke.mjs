// SPDX-License-Identifier: MIT
//
// Loads the prebuilt addon of this platform as the package would, and opens a meter with it.
//   node scripts/smoke.mjs [TARGET]   TARGET, where given, must be this platform
//   node scripts/smoke.mjs --all      also refuses where the addon of any published platform is missing
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PUBLISHED } from './targets.mjs';

const PREBUILDS = fileURLToPath(new URL('../prebuilds', import.meta.url));
const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true });
const platform = `${process.platform}-${process.arch}`;
const missing = values.all ? PUBLISHED.filter((name) => !existsSync(path.join(PREBUILDS, name))) : [];
if (missing.length > 0) {
  console.error(`missing: ${missing.join(', ')}`);
  process.exitCode = 1;
} else if (positionals.some((target) => target !== platform)) {
  console.error(`this is ${platform}, not ${positionals.join(', ')}`);
  process.exitCode = 1;
} else {
  smoke();
}

function smoke() {
  // What was compiled here would go before it.
  process.env.PREBUILDS_ONLY = '1';
  const require = createRequire(import.meta.url);
  const load = require('node-gyp-build');
  const root = path.dirname(PREBUILDS);
  const addon = load(root);
  const name = path.relative(PREBUILDS, load.path(root)).replaceAll(path.sep, '/');
  // By another name the check of a release would miss it.
  if (!PUBLISHED.includes(name)) throw new Error(`${name} is not among what is published`);
  const meter = new addon.NativeMeter({ sysfs: '/sys', dev: '/dev', nvmlLibrary: '', sources: undefined });
  const words = new BigUint64Array(new SharedArrayBuffer(meter.words * 8));
  meter.bind(words)();
  const around = process.hrtime.bigint() - words[0];
  meter.close();
  if (around < 0n || around > 10_000_000_000n) throw new Error(`its clock is ${around} ns off`);
  console.log(`${load.path(root)}: sources ${addon.sourceNames.join(', ')}`);
}
