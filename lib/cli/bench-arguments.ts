// SPDX-License-Identifier: MIT
//
// Options of hyperfine's that commander has no words for: several values after one option, and a value only after `=`.

/** Between the values of one option. */
export const SEPARATOR = '\u0000';

const VALUE_COUNTS: Readonly<Record<string, [name: string, count: number]>> = {
  '-P': ['--parameter-scan', 3],
  '--parameter-scan': ['--parameter-scan', 3],
  '-L': ['--parameter-list', 2],
  '--parameter-list': ['--parameter-list', 2],
};

/** Those that take the next argument as their value, whatever it is. */
const WITH_VALUE =
  /^(?:-[wrmMpCscnDS]|--(?:warmup|runs|min-runs|max-runs|prepare|conclude|setup|cleanup|command-name|parameter-step-size|shell|input|output|reference|reference-name|timeout|order|idle|export-[a-z-]+|sysfs|dev|nvml-library|sources))$/;

const WITHOUT_VALUE = /^-[Ni]+$/;
const IGNORE_ALL = '--ignore-failure=all-non-zero';

/** The arguments of `microjoule bench` so that each option has one value. Others stay as they are. */
export function joinBenchArguments(argv: readonly string[]): string[] {
  // Node, the script, the command's own options, and then its name.
  let at = 2;
  while (argv[at]?.startsWith('-')) at += WITH_VALUE.test(argv[at] ?? '') ? 2 : 1;
  if (argv[at] !== 'bench') return [...argv];
  const joined = argv.slice(0, at + 1);
  for (let i = at + 1; i < argv.length; ++i) {
    const argument = argv[i] ?? '';
    if (argument === '--') return [...joined, ...argv.slice(i)];
    const several = VALUE_COUNTS[argument];
    if (several !== undefined) {
      const [name, count] = several;
      joined.push(`${name}=${argv.slice(i + 1, i + 1 + count).join(SEPARATOR)}`);
      i += count;
    } else if (argument === '--ignore-failure') {
      joined.push(IGNORE_ALL);
    } else if (WITHOUT_VALUE.test(argument)) {
      // Also several in one, as `-Ni`: what is behind takes no value.
      joined.push(...[...argument.slice(1)].map((flag) => (flag === 'i' ? IGNORE_ALL : `-${flag}`)));
    } else {
      joined.push(argument);
      if (WITH_VALUE.test(argument) && i + 1 < argv.length) joined.push(argv[++i] ?? '');
    }
  }
  return joined;
}
