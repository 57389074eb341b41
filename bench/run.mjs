// SPDX-License-Identifier: MIT
//
// node bench/run.mjs [--markdown] [--rounds N] [command] [import] [size] [read-cost] [marks] [overhead]
import os from 'node:os';
import { parseArgs } from 'node:util';

const ALL = ['command', 'import', 'size', 'read-cost', 'marks', 'overhead'];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { markdown: { type: 'boolean' }, rounds: { type: 'string', default: '15' } },
});
const wanted = positionals.length > 0 ? positionals : ALL;
const unknown = wanted.filter((name) => !ALL.includes(name));
const rounds = Number(flags.rounds);
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number; measurements are ${ALL.join(', ')}`);
  process.exit(2);
}

function number(value) {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function cells({ name, unit, median, min, max, ratio, more, interval, best }) {
  return [
    name,
    `${number(median)} ${unit}`,
    min === max ? '' : `${number(min)} to ${number(max)}`,
    ratio === undefined ? '' : `${number(ratio)} x`,
    more === undefined ? '' : `${more < 0 ? '' : '+'}${number(more)} ${unit}`,
    interval === undefined ? '' : `${number(interval[0])} to ${number(interval[1])}`,
    best === undefined ? '' : `${number(best)} ${unit}`,
  ];
}

function print({ title, rows, goal }) {
  const table = [['', 'median', 'range', 'ratio', 'more', '95 %', 'best'], ...rows.map(cells)];
  const plain = (text) => (flags.markdown ? text : text.replaceAll('`', ''));
  const used = table[0].map(
    (_, column) => column === 0 || table.slice(1).some((line) => line[column] !== ''),
  );
  const lines = table.map((line) => line.filter((_, column) => used[column]).map(plain));
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const aligned = lines.map((line) =>
    line.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))),
  );
  console.log(flags.markdown ? `### ${title}\n` : title);
  if (flags.markdown) {
    const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
    const [head, ...body] = aligned;
    console.log([head, rule, ...body].map((line) => `| ${line.join(' | ')} |`).join('\n'));
  } else {
    console.log(aligned.map((line) => `  ${line.join('   ')}`.trimEnd()).join('\n'));
  }
  if (goal !== undefined) {
    console.log(
      `\n${flags.markdown ? '' : '  '}Goal: ${goal.text}. ${goal.value}: ${goal.reached ? 'reached' : 'MISSED'}.`,
    );
  }
  console.log('');
}

const cpus = os.cpus();
const load = os.loadavg()[0]?.toFixed(1);
console.log(
  `${cpus[0]?.model.trim()}, ${cpus.length} threads, load ${load}; Node ${process.versions.node}, ` +
    `${os.type()} ${os.release()}; ${rounds} rounds, in an order that alternates\n`,
);
let missed = false;
for (const name of wanted) {
  const { measure } = await import(`./${name}.mjs`);
  for (const result of [await measure({ rounds })].flat()) {
    print(result);
    missed ||= result.goal?.reached === false;
  }
}
process.exitCode = missed ? 1 : 0;
