// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CPU_FAMILIES,
  cpuFamilyByArmPart,
  cpuFamilyByCpuid,
  cpuFamilyByModelName,
  plainModelName,
} from '../../lib/estimate/cpu-families.js';

const perThread = (watts: number) => watts.toFixed(2);

describe('the family table', () => {
  it.each(
    CPU_FAMILIES.map((family) => [family.name, family] as const),
  )('%s is plausible', (_name, family) => {
    expect(family.idleWattsPerThread).toBeGreaterThan(0);
    expect(family.idleWattsPerThread).toBeLessThan(family.fullWattsPerThread);
    expect(family.fullWattsPerThread).toBeLessThan(40);
    expect(family.source).toMatch(/ \d+ W \/ \d+ threads \(vendor .+\); \d+ % .*idle share/);
    expect(Object.keys(family.match)).not.toEqual([]);
  });

  it('has no name twice', () => {
    expect(new Set(CPU_FAMILIES.map(({ name }) => name)).size).toBe(CPU_FAMILIES.length);
  });

  it('matches no CPUID with two rows, whatever the name', () => {
    const names = [
      '',
      'AMD EPYC',
      'AMD Ryzen 7 1800X',
      'Intel Xeon Platinum 8280',
      'Intel Xeon Platinum 8180',
    ];
    for (const { match } of CPU_FAMILIES) {
      for (const entry of match.cpuid?.models ?? []) {
        const [first, last] = typeof entry === 'number' ? [entry, entry] : entry;
        for (let model = first; model <= last; model += 1) {
          for (const name of names) {
            const rows = CPU_FAMILIES.filter(({ match: { cpuid } }) => {
              if (cpuid?.vendor !== match.cpuid?.vendor || cpuid?.family !== match.cpuid?.family)
                return false;
              if (cpuid?.named?.test(name) === false || cpuid?.notNamed?.test(name) === true) return false;
              return cpuid?.models.some((other) =>
                typeof other === 'number' ? other === model : other[0] <= model && model <= other[1],
              );
            });
            expect(rows.map((row) => row.name)).toHaveLength(1);
          }
        }
      }
    }
  });

  it('matches no Arm part with two rows', () => {
    const ids = CPU_FAMILIES.flatMap(({ match: { arm } }) =>
      (arm?.parts ?? []).map((part) => `${arm?.implementer}:${part}`),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('stands in the documentation as it is here', () => {
    const page = readFileSync(new URL('../../docs/estimates.md', import.meta.url), 'utf8');
    const inPage = page
      .split('\n')
      .filter((line) => / \d+ threads \(/.test(line))
      .map((line) => line.replace(/\s+/g, ' ').trim());
    const expected = CPU_FAMILIES.map(
      ({ name, idleWattsPerThread: idle, fullWattsPerThread: full, source }) =>
        `| ${name} | ${perThread(idle)} | ${perThread(full)} | ${source} |`,
    );
    expect(inPage).toEqual(expected);
  });
});

describe('cpuFamilyByCpuid', () => {
  it.each([
    ['GenuineIntel', 6, 0x2d, '', 'Sandy Bridge-EP'],
    ['GenuineIntel', 6, 0x3e, '', 'Ivy Bridge-EP'],
    ['GenuineIntel', 6, 0x4f, '', 'Broadwell-EP'],
    ['GenuineIntel', 6, 0x55, 'Intel(R) Xeon(R) Platinum 8175M CPU @ 2.50GHz', 'Skylake-SP'],
    ['GenuineIntel', 6, 0x55, 'Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz', 'Cascade Lake'],
    ['GenuineIntel', 6, 0x55, 'Intel(R) Xeon(R) CPU @ 2.00GHz', 'Skylake-SP'],
    ['GenuineIntel', 6, 0x6a, '', 'Ice Lake-SP'],
    ['GenuineIntel', 6, 140, '11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz', 'Tiger Lake-U'],
    ['GenuineIntel', 6, 0x8f, '', 'Sapphire Rapids'],
    ['GenuineIntel', 6, 0xbd, '', 'Lunar Lake'],
    ['AuthenticAMD', 23, 1, 'AMD EPYC 7571', 'Zen EPYC'],
    ['AuthenticAMD', 23, 1, 'AMD Ryzen Threadripper 1950X 16-Core Processor', 'Zen Ryzen'],
    ['AuthenticAMD', 23, 8, 'AMD Ryzen 7 2700X Eight-Core Processor', 'Zen+ Ryzen'],
    ['AuthenticAMD', 23, 0x31, '', 'Zen 2 EPYC'],
    ['AuthenticAMD', 25, 1, 'AMD EPYC', 'Zen 3 EPYC'],
    ['AuthenticAMD', 25, 0x11, '', 'Zen 4 EPYC'],
    ['AuthenticAMD', 25, 0xa0, '', 'Zen 4c EPYC'],
    ['AuthenticAMD', 26, 2, '', 'Zen 5 EPYC'],
    ['AuthenticAMD', 26, 0x44, '', 'Zen 5 Ryzen desktop'],
    ['HygonGenuine', 24, 0, '', 'Hygon Dhyana'],
  ])('%s %i/%i %s is %s', (vendor, family, model, modelName, expected) => {
    expect(cpuFamilyByCpuid(vendor, family, model, modelName)?.name).toBe(expected);
  });

  it('knows nothing of a model of another vendor or family', () => {
    expect(cpuFamilyByCpuid('AuthenticAMD', 6, 0x8c)).toBeUndefined();
    expect(cpuFamilyByCpuid('GenuineIntel', 15, 0x8c)).toBeUndefined();
    expect(cpuFamilyByCpuid('GenuineIntel', 6, 0xff)).toBeUndefined();
  });
});

describe('cpuFamilyByArmPart', () => {
  it('finds Neoverse N1, and nothing of another implementer', () => {
    expect(cpuFamilyByArmPart(0x41, 0xd0c)?.name).toBe('Arm Neoverse N1');
    expect(cpuFamilyByArmPart(0x51, 0xd0c)).toBeUndefined();
  });
});

const NAMES: [modelName: string, expected: string | undefined][] = [
  ['11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz', 'Tiger Lake-U'],
  ['Intel(R) Core(TM) i7-1065G7 CPU @ 1.30GHz', 'Ice Lake client'],
  ['Intel(R) Core(TM) i7-8565U CPU @ 1.80GHz', 'Kaby/Whiskey/Comet Lake-U'],
  ['Intel(R) Core(TM) i7-10510U CPU @ 1.80GHz', 'Kaby/Whiskey/Comet Lake-U'],
  ['Intel(R) Core(TM) i7-10710U CPU @ 1.10GHz', undefined],
  ['Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz', 'Kaby/Coffee Lake-S/H'],
  ['Intel(R) Core(TM) i9-9900K CPU @ 3.60GHz', 'Kaby/Coffee Lake-S/H'],
  ['Intel(R) Core(TM) i7-8709G CPU @ 3.10GHz', undefined],
  ['12th Gen Intel(R) Core(TM) i9-12900K', 'Alder Lake-S'],
  ['12th Gen Intel(R) Core(TM) i7-12700H', undefined],
  ['Intel(R) Core(TM) i9-14900KF', 'Raptor Lake-S'],
  ['Intel(R) Xeon(R) CPU E5-2690 0 @ 2.90GHz', undefined],
  ['Intel(R) Xeon(R) CPU E5-2676 v3 @ 2.40GHz', 'Haswell-EP'],
  ['Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz', 'Broadwell-EP'],
  ['Intel(R) Xeon(R) Platinum 8175M CPU @ 2.50GHz', 'Skylake-SP'],
  ['Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz', 'Cascade Lake'],
  ['Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz', 'Ice Lake-SP'],
  ['Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz', undefined],
  ['Intel(R) Xeon(R) Platinum 8488C', 'Sapphire Rapids'],
  ['Intel(R) Xeon(R) CPU Max 9480', 'Sapphire Rapids'],
  ['INTEL(R) XEON(R) PLATINUM 8592+', 'Emerald Rapids'],
  ['Intel(R) Xeon(R) 6980P', 'Granite Rapids'],
  ['Intel(R) Xeon(R) 6780E', 'Sierra Forest'],
  ['AMD EPYC 7571', 'Zen EPYC'],
  ['AMD EPYC 7551P 32-Core Processor', 'Zen EPYC'],
  ['AMD EPYC 7B12', 'Zen 2 EPYC'],
  ['AMD EPYC 7F52 16-Core Processor', 'Zen 2 EPYC'],
  ['AMD EPYC 7R13 Processor', 'Zen 3 EPYC'],
  ['AMD EPYC 75F3 32-Core Processor', 'Zen 3 EPYC'],
  ['AMD EPYC 9R14', 'Zen 4 EPYC'],
  ['AMD EPYC 9754 128-Core Processor', 'Zen 4c EPYC'],
  ['AMD EPYC 8534P 64-Core Processor', 'Zen 4c EPYC'],
  ['AMD EPYC 9755 128-Core Processor', 'Zen 5 EPYC'],
  ['AMD EPYC 9965 192-Core Processor', 'Zen 5c EPYC'],
  ['AMD EPYC', undefined],
  ['Neoverse-N1', 'Arm Neoverse N1'],
  ['Apple M1 Pro', 'Apple silicon'],
  ['Apple M4', 'Apple silicon'],
  ['unknown', undefined],
];

describe('cpuFamilyByModelName', () => {
  it.each(NAMES)('%s is %s', (modelName, expected) => {
    expect(cpuFamilyByModelName(modelName)?.name).toBe(expected);
  });

  it('never has a choice to make', () => {
    for (const [modelName] of NAMES) {
      const plain = plainModelName(modelName);
      const rows = CPU_FAMILIES.filter(({ match }) => match.modelName?.test(plain));
      expect(rows.length).toBeLessThanOrEqual(1);
    }
  });
});
