// SPDX-License-Identifier: MIT
//
// What must be installed: NVIDIA's driver, and what compiles the addon.
import { canHaveAddon } from '../meter/elsewhere.js';
import { containerFixes } from './container-fixes.js';
import type { Facts } from './facts.js';
import { commandLine, type FixesOf, isInside, quoted, userOf } from './fix-parts.js';

/** Of a distribution, by its names in /etc/os-release; those that are like another go before it. */
const PACKAGES: readonly [name: RegExp, compiler: string, nvidia: string[]][] = [
  [/ubuntu/, 'apt-get install g++ make python3', ['sudo ubuntu-drivers install']],
  [
    /debian/,
    'apt-get install g++ make python3',
    [
      '# it is in non-free: https://wiki.debian.org/NvidiaGraphicsDrivers',
      'sudo apt-get install nvidia-driver',
    ],
  ],
  [
    /rhel|centos/,
    'dnf install gcc-c++ make python3',
    ["# from NVIDIA's own repository: https://docs.nvidia.com/datacenter/tesla"],
  ],
  [
    /fedora/,
    'dnf install gcc-c++ make python3',
    ['# it is in RPM Fusion: https://rpmfusion.org/Configuration', 'sudo dnf install akmod-nvidia'],
  ],
  [/alpine/, 'apk add g++ make python3', ['# NVIDIA has no driver for Alpine']],
  [/arch/, 'pacman -S base-devel python', ['sudo pacman -S nvidia']],
  [/suse/, 'zypper install gcc-c++ make python3', ['sudo zypper install nvidia-open-driver-G06-signed']],
];

function packagesOf({ distribution }: Facts): (typeof PACKAGES)[number] | undefined {
  return PACKAGES.find(([name]) => name.test(distribution));
}

function compilerCommand(facts: Facts): string {
  const [, compiler] = packagesOf(facts) ?? [];
  if (compiler === undefined) return '# install a compiler (C++17), make and Python 3';
  // Containers often have root and no sudo.
  return facts.isRoot ? compiler : `sudo ${compiler}`;
}

export const nvml: FixesOf = (status, context) => {
  const { facts } = context;
  const gpus = facts.nvidiaGpus ?? [];
  // Without a GPU there is nothing to read.
  if (gpus.length === 0 && status === 'not-found') return [];
  const inside = isInside(context);
  if (status === 'not-found' || status === 'masked') {
    if (inside) return containerFixes('nvml', context);
    return [
      {
        title: `Install NVIDIA's driver${gpus.length === 0 ? '' : ` for ${gpus.join(', ')}`}`,
        commands: packagesOf(facts)?.[2] ?? ['# https://www.nvidia.com/drivers'],
        why: "Its library libnvidia-ml reads the GPU's energy without any right; if it is elsewhere, give --nvml-library.",
        holds: 'lasting',
      },
    ];
  }
  if (status === 'no-permission') {
    // Windows lets everybody read; who may not is told so by its administrator.
    if (facts.platform === 'win32') return [];
    if (inside) return containerFixes('nvml', context);
    return [
      {
        title: 'Let this user open the devices of the GPU',
        commands: ['ls -l /dev/nvidia*', `sudo usermod --append --groups video ${userOf(context)}`],
        why: 'They are open to all by default; where they are not, a group owns them, mostly "video".',
        holds: 'lasting',
      },
    ];
  }
  // Asleep: any other GPU that stands still has no remedy.
  if (status === 'stale' && facts.sleepingGpu) {
    return [
      {
        title: 'Read the GPU that sleeps, too',
        commands: ['microjoule --wake-gpus doctor'],
        why: 'It was not woken: asleep it draws next to nothing. Reading wakes it and keeps it awake.',
        holds: 'until-it-ends',
      },
    ];
  }
  if (status !== 'failed') return [];
  return [
    {
      title: 'See whether the driver works at all',
      commands: ['nvidia-smi'],
      why: 'After an update of the driver the machine, in a container the container, must be started again.',
      holds: 'changes-nothing',
    },
  ];
};

export const native: FixesOf = (_, { facts }) => {
  if (facts.noAddons !== undefined) {
    const given = facts.noAddons === 'arguments';
    return [
      {
        title: 'Start Node without --no-addons',
        commands: [given ? `node ${commandLine(facts)} doctor` : 'unset NODE_OPTIONS'],
        why: given
          ? 'Node was started with it, and it forbids native code.'
          : 'NODE_OPTIONS holds it, and it forbids native code; what else is in there can stay.',
        holds: 'until-it-ends',
      },
    ];
  }
  if (!canHaveAddon(facts.platform)) return [];
  // Wherever it is installed: npm rebuild looks in the current folder alone.
  const build = `${facts.packageWritable ? '' : 'sudo '}npx node-gyp-build`;
  return [
    {
      title: 'Compile the addon',
      commands: [
        ...(facts.platform === 'linux' ? [compilerCommand(facts)] : []),
        `(cd ${quoted(facts.packagePath.replace(/(?<=.)[\\/]$/, ''))} &&\n  ${build})`,
      ],
      why: `No prebuilt addon fits ${facts.platform}-${facts.architecture}, or it could not be loaded: the reason stands above.`,
      holds: 'lasting',
    },
  ];
};
