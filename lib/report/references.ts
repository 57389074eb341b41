// SPDX-License-Identifier: MIT
import type { CounterEnergy, Intensity, Reference } from '../core/report-types.js';

/** The works every report leans on, in the order in which its text cites them. */
const WORKS: readonly Reference[] = [
  {
    id: 'strubell-2019',
    text: 'Emma Strubell, Ananya Ganesh, Andrew McCallum. "Energy and Policy Considerations for Deep Learning in NLP". ACL 2019.',
    url: 'https://aclanthology.org/P19-1355/',
  },
  {
    id: 'hao-2019',
    text: 'Karen Hao. "Training a single AI model can emit as much carbon as five cars in their lifetimes". MIT Technology Review, 2019.',
    url: 'https://www.technologyreview.com/2019/06/06/239031/training-a-single-ai-model-can-emit-as-much-carbon-as-five-cars-in-their-lifetimes/',
  },
  {
    id: 'patterson-2021',
    text: 'David Patterson et al. "Carbon Emissions and Large Neural Network Training". 2021.',
    url: 'https://arxiv.org/abs/2104.10350',
  },
  {
    id: 'lacoste-2019',
    text: 'Alexandre Lacoste, Alexandra Luccioni, Victor Schmidt, Thomas Dandres. "Quantifying the Carbon Emissions of Machine Learning". NeurIPS 2019 workshop Tackling Climate Change with Machine Learning.',
    url: 'https://arxiv.org/abs/1910.09700',
  },
  {
    id: 'lottick-2019',
    text: 'Kadan Lottick, Silvia Susai, Sorelle A. Friedler, Jonathan P. Wilson. "Energy Usage Reports: Environmental awareness as part of algorithmic accountability". NeurIPS 2019 workshop Tackling Climate Change with Machine Learning.',
    url: 'https://arxiv.org/abs/1911.08354',
  },
  {
    id: 'schmidt-2021',
    text: 'Victor Schmidt et al. "CodeCarbon: Estimate and Track Carbon Emissions from Machine Learning Computing". 2021.',
    url: 'https://doi.org/10.5281/zenodo.4658424',
  },
];

const RAPL: readonly Reference[] = [
  {
    id: 'intel-sdm',
    text: 'Intel. "Intel 64 and IA-32 Architectures Software Developer\'s Manual", volume 3, on platform-specific power management support (RAPL).',
    url: 'https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html',
  },
  {
    id: 'linux-powercap',
    text: 'The Linux kernel documentation. "Power Capping Framework".',
    url: 'https://docs.kernel.org/power/powercap/powercap.html',
  },
];

const NVML: Reference = {
  id: 'nvml',
  text: 'NVIDIA. "NVML API Reference Guide", on device queries of energy and power.',
  url: 'https://docs.nvidia.com/deploy/nvml-api/',
};

const RAPL_DOMAINS: ReadonlySet<string> = new Set(['package', 'core', 'uncore', 'dram', 'psys']);

/**
 * The numbered references of a report: the literature, the credit of the intensity data in use, and the
 * documentation of the counter families that were in fact read.
 */
export function listReferences(intensity: Intensity, counters: readonly CounterEnergy[]): Reference[] {
  const references = [...WORKS];
  if (intensity.credit !== undefined && intensity.credit !== '') {
    references.push({ id: 'carbon-intensity', text: `Carbon intensity data: ${intensity.credit}` });
  }
  const read = counters.filter((counter) => counter.status === 'ok');
  if (read.some((counter) => RAPL_DOMAINS.has(counter.domain))) references.push(...RAPL);
  if (read.some(isNvml)) references.push(NVML);
  return references;
}

function isNvml(counter: CounterEnergy): boolean {
  // NVML names its boards by UUID (GPU-...), whatever the counter itself is called.
  return counter.domain.startsWith('gpu') && /nvml|GPU-[0-9a-f]/i.test(`${counter.id} ${counter.origin}`);
}
