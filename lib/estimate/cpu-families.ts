// SPDX-License-Identifier: MIT
import {
  basis,
  type CpuFamily,
  type CpuFamilyMatch,
  type CpuidModels,
  row,
  SPECPOWER,
  tdp,
  turbo,
} from './cpu-family.js';

type NameTell = { named: RegExp } | { notNamed: RegExp };

const intel = (models: CpuidModels, tell?: NameTell): CpuFamilyMatch => ({
  cpuid: { vendor: 'GenuineIntel', family: 6, models, ...tell },
});
const amd = (family: number, models: CpuidModels, tell?: NameTell): CpuFamilyMatch => ({
  cpuid: { vendor: 'AuthenticAMD', family, models, ...tell },
});
const arm = (...parts: number[]): CpuFamilyMatch => ({ arm: { implementer: 0x41, parts } });

const CASCADE_LAKE =
  /Xeon (?:Platinum|Gold|Silver|Bronze) \d2\d\d|Cascadelake|Xeon W-[23]2\d\d|Core i9-109\d\dX/i;
const ALTRA = tdp('Ampere Altra Q80-30', 210, 80);
const NAPLES = tdp('EPYC 7601', 180, 64, SPECPOWER.zen);

/**
 * Package power per hardware thread by CPU family: the rated power of a large part of the family over its threads.
 * CPUID numbers as in the Linux kernel's headers; rated powers from the vendors' data sheets.
 */
export const CPU_FAMILIES: readonly CpuFamily[] = [
  row('Sandy Bridge', intel([0x2a]), tdp('Core i7-2600K', 95, 8)),
  row('Sandy Bridge-EP', intel([0x2d]), tdp('Xeon E5-2690', 135, 16)),
  row('Ivy Bridge', intel([0x3a]), tdp('Core i7-3770K', 77, 8)),
  row('Ivy Bridge-EP', intel([0x3e]), tdp('Xeon E5-2697 v2', 130, 24), /Xeon (?:CPU )?E5-\d{4}L? v2/),
  row('Haswell', intel([0x3c, 0x46]), tdp('Core i7-4770K', 84, 8)),
  row('Haswell-U', intel([0x45]), tdp('Core i7-4600U', 15, 4)),
  row('Haswell-EP', intel([0x3f]), tdp('Xeon E5-2699 v3', 145, 36), /Xeon (?:CPU )?E5-\d{4}L? v3/),
  row('Broadwell-U', intel([0x3d]), tdp('Core i7-5600U', 15, 4)),
  row('Broadwell-H', intel([0x47]), tdp('Core i7-5775C', 65, 8)),
  row('Broadwell-EP', intel([0x4f]), tdp('Xeon E5-2699 v4', 145, 44), /Xeon (?:CPU )?E5-\d{4}L? v4/),
  row('Broadwell-DE', intel([0x56]), tdp('Xeon D-1541', 45, 16)),
  row('Skylake-U', intel([0x4e]), tdp('Core i7-6600U', 15, 4)),
  row('Skylake-S/H', intel([0x5e]), tdp('Core i7-6700K', 91, 8)),
  // Both are 6/0x55. Names that cloud hosts blank out fall to Skylake-SP; the two differ by one point of idle share.
  row(
    'Skylake-SP',
    intel([0x55], { notNamed: CASCADE_LAKE }),
    tdp('Xeon Platinum 8180', 205, 56, SPECPOWER.skylakeSp),
    /Xeon (?:Platinum|Gold|Silver|Bronze) \d1\d\d/i,
  ),
  row(
    'Cascade Lake',
    intel([0x55], { named: CASCADE_LAKE }),
    tdp('Xeon Platinum 8280', 205, 56, SPECPOWER.cascadeLake),
    CASCADE_LAKE,
  ),
  row(
    'Kaby/Whiskey/Comet Lake-U',
    intel([0x8e]),
    tdp('Core i7-8565U', 15, 8),
    /Core i[357]-(?:[78]\d{2}[05]|10[1-5]10)U\b/,
  ),
  row(
    'Kaby/Coffee Lake-S/H',
    intel([0x9e]),
    tdp('Xeon E-2288G', 95, 16, SPECPOWER.coffeeLake),
    /Core i[3579]-[89]\d{3}(?:[BFKH]|KF|KS|HK)?\b/,
  ),
  row('Comet Lake-S/H', intel([0xa5]), tdp('Core i9-10900K', 125, 20)),
  row('Comet Lake-U (6 cores)', intel([0xa6]), tdp('Core i7-10710U', 15, 12)),
  row('Ice Lake client', intel([0x7d, 0x7e]), tdp('Core i7-1065G7', 15, 8), /Core i[357]-10\d\dG[147]\b/),
  // Cooper Lake shares the third generation's digits; its names end in H or HL.
  row(
    'Ice Lake-SP',
    intel([0x6a, 0x6c]),
    tdp('Xeon Platinum 8380', 270, 80, SPECPOWER.iceLakeSp),
    /Xeon (?:Platinum|Gold|Silver|Bronze) \d3\d\d(?!H)/i,
  ),
  row('Tiger Lake-U', intel([0x8c]), tdp('Core i7-1165G7', 28, 8), /Core i[3579]-11\d\dG[147]\b/),
  row('Tiger Lake-H', intel([0x8d]), tdp('Core i7-11800H', 45, 16)),
  row('Rocket Lake', intel([0xa7]), tdp('Core i9-11900K', 125, 16)),
  row('Alder Lake-S', intel([0x97]), turbo('Core i9-12900K', 241, 24), /Core i[3579]-12\d00(?:K|KF|KS|F)?\b/),
  row('Alder Lake-P/H', intel([0x9a]), tdp('Core i9-12900HK', 45, 20)),
  row(
    'Raptor Lake-S',
    intel([0xb7, 0xbf]),
    turbo('Core i9-13900K', 253, 32),
    /Core i[3579]-1[34]\d00(?:K|KF|KS|F)?\b/,
  ),
  row('Raptor Lake-P/H', intel([0xba]), tdp('Core i9-13900H', 45, 20)),
  row('Meteor Lake', intel([0xaa, 0xac]), tdp('Core Ultra 9 185H', 45, 22)),
  // Memory sits on this package and its rated power includes it.
  row('Lunar Lake', intel([0xbd]), tdp('Core Ultra 9 288V', 30, 8)),
  row('Arrow Lake-H', intel([0xc5]), tdp('Core Ultra 9 285H', 45, 16)),
  row('Arrow Lake-S', intel([0xc6]), turbo('Core Ultra 9 285K', 250, 24)),
  row(
    'Sapphire Rapids',
    intel([0x8f]),
    tdp('Xeon Platinum 8490H', 350, 120),
    /Xeon (?:(?:Platinum|Gold|Silver|Bronze) \d4|(?:CPU )?Max 94)\d\d/i,
  ),
  row(
    'Emerald Rapids',
    intel([0xcf]),
    tdp('Xeon Platinum 8592+', 350, 128),
    /Xeon (?:Platinum|Gold|Silver|Bronze) \d5\d\d/i,
  ),
  row('Granite Rapids', intel([0xad]), tdp('Xeon 6980P', 500, 256), /Xeon (?:6 )?6\d{3}P/),
  row('Sierra Forest', intel([0xaf]), tdp('Xeon 6780E', 330, 144), /Xeon (?:6 )?6\d{3}E/),

  // Ryzen 1000 and Threadripper 1000 share EPYC 7001's CPUID.
  row(
    'Zen EPYC',
    amd(
      0x17,
      [
        [0x00, 0x07],
        [0x09, 0x0f],
      ],
      { notNamed: /Ryzen/ },
    ),
    NAPLES,
    /EPYC 7[\dA-Z]{2}1/,
  ),
  row(
    'Zen Ryzen',
    amd(
      0x17,
      [
        [0x00, 0x07],
        [0x09, 0x0f],
      ],
      { named: /Ryzen/ },
    ),
    tdp('Ryzen 7 1800X', 95, 16),
  ),
  row('Zen+ Ryzen', amd(0x17, [0x08]), tdp('Ryzen 7 2700X', 105, 16)),
  row('Zen and Zen+ APU', amd(0x17, [0x11, 0x18]), tdp('Ryzen 7 3700U', 15, 8)),
  row('Zen 2 EPYC', amd(0x17, [0x31]), tdp('EPYC 7742', 225, 128, SPECPOWER.zen2), /EPYC 7[\dA-Z]{2}2/),
  row('Zen 2 Ryzen desktop', amd(0x17, [0x71]), tdp('Ryzen 9 3950X', 105, 32)),
  row('Zen 2 Renoir, Lucienne', amd(0x17, [0x60, 0x68]), tdp('Ryzen 7 4800H', 45, 16)),
  row('Hygon Dhyana', { cpuid: { vendor: 'HygonGenuine', family: 0x18, models: [[0x00, 0x0f]] } }, NAPLES),
  row(
    'Zen 3 EPYC',
    amd(0x19, [[0x00, 0x0f]]),
    tdp('EPYC 7763', 280, 128, SPECPOWER.zen3),
    /EPYC 7[\dA-Z]{2}3/,
  ),
  row('Zen 3 Ryzen desktop', amd(0x19, [0x21]), tdp('Ryzen 9 5950X', 105, 32)),
  row('Zen 3 Cezanne', amd(0x19, [0x50]), tdp('Ryzen 7 5800H', 45, 16)),
  row('Zen 3+ Rembrandt', amd(0x19, [0x44]), tdp('Ryzen 7 6800H', 45, 16)),
  row('Zen 4 EPYC', amd(0x19, [[0x10, 0x1f]]), tdp('EPYC 9654', 360, 192), /EPYC 9(?!7[35]4)[\dA-Z]{2}4/),
  row('Zen 4c EPYC', amd(0x19, [[0xa0, 0xaf]]), tdp('EPYC 9754', 360, 256), /EPYC (?:97[35]4|8\d{2}4)/),
  row('Zen 4 Ryzen desktop', amd(0x19, [0x61]), tdp('Ryzen 9 7950X', 170, 32)),
  row('Zen 4 Phoenix, Hawk Point', amd(0x19, [0x74, 0x75, 0x78]), tdp('Ryzen 7 7840U', 28, 16)),
  row(
    'Zen 5 EPYC',
    amd(0x1a, [[0x00, 0x0f]]),
    tdp('EPYC 9755', 500, 256),
    /EPYC 9(?!(?:96|84|82|74|64)5)[\dA-Z]{2}5/,
  ),
  row('Zen 5c EPYC', amd(0x1a, [[0x10, 0x1f]]), tdp('EPYC 9965', 500, 384), /EPYC 9(?:96|84|82|74|64)5/),
  row('Zen 5 Ryzen desktop', amd(0x1a, [0x44]), tdp('Ryzen 9 9950X', 170, 32)),
  row('Zen 5 Strix Point', amd(0x1a, [0x24]), tdp('Ryzen AI 9 HX 370', 28, 24)),
  row('Zen 5 Strix Halo', amd(0x1a, [0x70]), tdp('Ryzen AI Max+ 395', 55, 32)),

  row('Arm Neoverse N1', arm(0xd0c), ALTRA, /Neoverse-N1/),
  // Cloud providers publish no rated power for their V1 and N2 chips.
  row(
    'Arm Neoverse V1',
    arm(0xd40),
    { ...ALTRA, published: 'vendor data sheet of an N1 part, borrowed' },
    /Neoverse-V1/,
  ),
  row(
    'Arm Neoverse N2',
    arm(0xd49),
    { ...ALTRA, published: 'vendor data sheet of an N1 part, borrowed' },
    /Neoverse-N2/,
  ),
  row(
    'Arm Neoverse V2',
    arm(0xd4f),
    {
      ...tdp('NVIDIA Grace CPU Superchip', 500, 144),
      published: 'vendor data sheet; its LPDDR5X memory included',
    },
    /Neoverse-V2/,
  ),
  // Apple rates no chip. Its support pages give what a whole Mac mini draws: 6.8 W idle, 39 W at most.
  row(
    'Apple silicon',
    {},
    {
      ...basis('maximum draw of the whole computer', 'Mac mini (M1, 2020)', 39, 8, 6.8 / 39),
      published: 'vendor support page; memory and power supply included',
      idleSource: 'idle share from the same page',
    },
    /^Apple M[1-4]\b/,
  ),
];

/** A CPU model name without trade marks and repeated blanks, as the patterns of {@link CPU_FAMILIES} expect it. */
export function plainModelName(modelName: string): string {
  return modelName
    .replace(/\((?:R|TM|C)\)|[®™]/gi, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The family of an x86 CPU by CPUID vendor string, display family and display model. */
export function cpuFamilyByCpuid(
  vendor: string,
  family: number,
  model: number,
  modelName = '',
): CpuFamily | undefined {
  const name = plainModelName(modelName);
  return CPU_FAMILIES.find(({ match: { cpuid } }) => {
    if (cpuid === undefined || cpuid.vendor !== vendor || cpuid.family !== family) return false;
    if (cpuid.named?.test(name) === false || cpuid.notNamed?.test(name) === true) return false;
    return cpuid.models.some((entry) =>
      typeof entry === 'number' ? entry === model : entry[0] <= model && model <= entry[1],
    );
  });
}

/** The family of an Arm CPU by the implementer and part number of its main ID register. */
export function cpuFamilyByArmPart(implementer: number, part: number): CpuFamily | undefined {
  return CPU_FAMILIES.find(
    ({ match }) => match.arm?.implementer === implementer && match.arm.parts.includes(part),
  );
}

/** The family of a CPU by the name the operating system gives it: the last resort. */
export function cpuFamilyByModelName(modelName: string): CpuFamily | undefined {
  const name = plainModelName(modelName);
  return CPU_FAMILIES.find(({ match }) => match.modelName?.test(name) === true);
}
