// SPDX-License-Identifier: MIT
//
// What Linux tells of the CPU in one line that anyone may read.

export interface CpuFacts {
  /** As CPUID spells it, where it is one of the known ones. */
  vendor?: string;
  /** Display family and model. */
  family?: number;
  model?: number;
  /** Linux' feature numbers; undefined where the kernel lists none. */
  features?: ReadonlySet<number>;
}

/** X86_VENDOR_* of Linux' arch/x86/include/asm/processor.h. */
const VENDORS: Readonly<Record<number, string>> = {
  0: 'GenuineIntel',
  2: 'AuthenticAMD',
  5: 'CentaurHauls',
  9: 'HygonGenuine',
  10: 'Zhaoxin',
};
/** X86_FEATURE_HYPERVISOR and X86_FEATURE_SGX, word * 32 + bit, of Linux' cpufeatures.h. */
export const FEATURE_HYPERVISOR = 0x9f;
export const FEATURE_SGX = 0x122;

/** What the modalias of the CPU bus says: `cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,...`. */
export function parseModalias(modalias: string): CpuFacts {
  const match = /^cpu:type:x86,ven([0-9A-F]{4})fam([0-9A-F]{4})mod([0-9A-F]{4}):feature:(.*)/.exec(modalias);
  if (match === null) return {};
  const [, vendor = '', family = '', model = '', features = ''] = match;
  const name = VENDORS[Number.parseInt(vendor, 16)];
  return {
    ...(name === undefined ? {} : { vendor: name }),
    family: Number.parseInt(family, 16),
    model: Number.parseInt(model, 16),
    features: new Set(
      features
        .split(',')
        .filter((word) => /^[0-9A-F]+$/i.test(word))
        .map((word) => Number.parseInt(word, 16)),
    ),
  };
}
