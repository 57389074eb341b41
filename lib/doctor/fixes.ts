// SPDX-License-Identifier: MIT
//
// What makes a source readable on this machine, the narrowest first. Nothing is run: it is for the user to read.
import type { Status } from '../core/vocabulary.js';
import { containerFixes } from './container-fixes.js';
import type { Fix, MachineDiagnosis } from './diagnosis.js';
import type { Facts } from './facts.js';
import { hasRapl } from './machine.js';

export interface FixContext {
  facts: Facts;
  machine: MachineDiagnosis;
}

type FixesOf = (status: Status, context: FixContext) => Fix[];

const GROUP = 'power';
const RULE_FILE = '/etc/udev/rules.d/70-microjoule-rapl.rules';
/** CAP_PERFMON is there since this kernel; before it took CAP_SYS_ADMIN. */
const PERFMON_KERNEL = [5, 8] as const;

const NOT_ON_NODE =
  'Never give node itself a file capability (setcap): Node then ignores NODE_OPTIONS, and every script gets the power.';

function userOf({ userName, isRoot }: Facts): string {
  return userName === undefined || isRoot ? 'YOUR_USER' : userName;
}

/** Narrow, since it names who may read; it holds over module loads and restarts. */
export function groupRule({ facts, machine }: FixContext): Fix {
  const inside = machine.container.state !== 'none';
  return {
    title: `${inside ? 'On the host: let' : 'Let'} the group "${GROUP}" read the energy files, by a udev rule`,
    commands: [
      `sudo groupadd --system --force ${GROUP}`,
      `sudo usermod --append --groups ${GROUP} ${userOf(facts)}`,
      [
        `printf '%s\\n' 'SUBSYSTEM=="powercap", KERNEL=="intel-rapl*:*", \\' \\`,
        `  '  RUN+="/bin/chgrp ${GROUP} /sys/%p/energy_uj", \\' \\`,
        `  '  RUN+="/bin/chmod g+r /sys/%p/energy_uj"' |`,
        `  sudo tee ${RULE_FILE}`,
      ].join('\n'),
      'sudo udevadm control --reload',
      'sudo udevadm trigger --subsystem-match=powercap',
      `newgrp ${GROUP}    # or log in again`,
    ],
    why:
      'Fine-grained energy readings leak keys and other secrets of every process (PLATYPUS, CVE-2020-8694), which ' +
      'is why Linux keeps them from users since 5.10: name who may read, and never chmod a+r.',
    lasting: true,
  };
}

function loadModule(module: string, what: string): Fix {
  return {
    title: `Load the kernel's driver of ${what}`,
    commands: [
      `sudo modprobe ${module}`,
      `echo ${module} |\n  sudo tee /etc/modules-load.d/microjoule-${module}.conf`,
    ],
    why: 'It is not loaded, or this CPU is newer than the kernel; the second command loads it at every start.',
    lasting: true,
  };
}

function kernelLog(word: string): Fix {
  return {
    title: 'See what the kernel says of it',
    commands: [`sudo dmesg | grep -i ${word}`],
    why: 'The driver answers, but not with a usable count: the log names what it found.',
    lasting: false,
  };
}

function older(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = kernel.split(/[.-]/).map(Number);
  return haveMajor < major || (haveMajor === major && haveMinor < minor);
}

function sysctl(level: number, inside: boolean): Fix {
  return {
    title: `${inside ? 'Or, on the host: lower' : 'Lower'} kernel.perf_event_paranoid from ${level} to 0`,
    commands: [
      'sudo sysctl kernel.perf_event_paranoid=0',
      "echo 'kernel.perf_event_paranoid = 0' |\n  sudo tee /etc/sysctl.d/70-microjoule.conf",
    ],
    why:
      `Energy events count for a whole CPU, and level ${level} keeps those for the privileged. At 0 every user can ` +
      'read them, with what they leak (PLATYPUS): on a shared machine take the group rule of powercap, or a capability. ' +
      'The second command makes it last.',
    lasting: true,
  };
}

/** Ambient: what a unit or setpriv gives is not a file capability, so Node keeps NODE_OPTIONS. */
function capability(name: string, user: string, why: string): Fix[] {
  const word = name.replace(/^CAP_/, '').toLowerCase();
  return [
    {
      title: `Give ${name} to one small service that reads, and to nothing else`,
      commands: [
        'sudo systemctl edit YOUR_SERVICE    # and add these lines:',
        `[Service]\nAmbientCapabilities=${name}\nCapabilityBoundingSet=${name}\nNoNewPrivileges=yes`,
      ],
      why: `${why} ${NOT_ON_NODE}`,
      lasting: true,
    },
    {
      title: `Give ${name} to one command`,
      commands: [
        [
          `sudo setpriv --reuid ${user} --regid ${user} --init-groups \\`,
          `  --inh-caps +${word} --ambient-caps +${word} \\`,
          '  "$(command -v node)" "$(command -v microjoule)" doctor',
        ].join('\n'),
      ],
      why: `To try it: the command and what it starts have ${name}, and nothing afterwards.`,
      lasting: false,
    },
  ];
}

const perf: FixesOf = (status, context) => {
  const { facts, machine } = context;
  if (status === 'no-permission') {
    const level = facts.perfEventParanoid;
    const inside = containerFixes('perf', context);
    const old = older(facts.kernelRelease, PERFMON_KERNEL);
    const name = old ? 'CAP_SYS_ADMIN' : 'CAP_PERFMON';
    const why = old
      ? 'Before Linux 5.8 there is no narrower capability for perf events.'
      : 'It lets a program read counters of the whole machine, and trace the kernel: no more than that, but not little.';
    const granted = machine.container.state === 'none' ? capability(name, userOf(facts), why) : [];
    // At 0 and below it was not the level that refused.
    return [
      ...inside,
      ...(level === undefined || level <= 0 ? [] : [sysctl(level, inside.length > 0)]),
      ...granted,
    ];
  }
  if (status === 'masked') return containerFixes('sysfs', context);
  if (status === 'not-found' && mayHave(context)) {
    if (machine.container.state !== 'none') return containerFixes('sysfs', context);
    return [loadModule('rapl', 'RAPL perf events')];
  }
  return status === 'failed' ? [kernelLog('rapl')] : [];
};

/** AMD's, and of recent kernels alone: where it is not, no module brings it. */
const ofCores =
  (of: FixesOf): FixesOf =>
  (status, context) => {
    const { vendor } = context.machine.cpu;
    const isAmd = vendor === 'AuthenticAMD' || vendor === 'HygonGenuine';
    return status === 'not-found' || !isAmd ? [] : of(status, context);
  };

const powercap: FixesOf = (status, context) => {
  const inside = context.machine.container.state !== 'none';
  if (status === 'no-permission') {
    return [groupRule(context), ...(inside ? containerFixes('group', context) : [])];
  }
  if (status === 'masked') return containerFixes('sysfs', context);
  if (status === 'not-found' && mayHave(context)) {
    return inside ? containerFixes('sysfs', context) : [loadModule('intel_rapl_msr', 'powercap')];
  }
  return status === 'failed' ? [kernelLog('rapl')] : [];
};

const msr: FixesOf = (status, context) => {
  const { facts, machine } = context;
  const inside = machine.container.state !== 'none';
  if (status === 'not-found' && mayHave(context)) {
    return inside ? containerFixes('msr', context) : [loadModule('msr', 'model-specific registers')];
  }
  if (status === 'masked') return containerFixes('msr', context);
  if (status === 'no-permission') {
    if (inside) return containerFixes('msr', context);
    // Lockdown is set by the firmware's Secure Boot or at the kernel's command line: nothing to type undoes it.
    if (machine.lockdown !== undefined && machine.lockdown !== 'none') return [];
    return [
      {
        title: 'Use msr-safe, whose allow-list names the registers a group may read',
        commands: [
          '# build and load it: https://github.com/LLNL/msr-safe',
          'sudo modprobe msr-safe',
          'sudo tee /dev/cpu/msr_allowlist < YOUR_ALLOWLIST',
        ],
        why: 'The kernel has no narrower right than all registers of all CPUs: msr-safe does.',
        lasting: false,
      },
      ...capability(
        'CAP_SYS_RAWIO',
        userOf(facts),
        'It reads every register and reaches raw hardware, as good as root: prefer perf or powercap. The node ' +
          '/dev/cpu/*/msr must be readable, too.',
      ),
    ];
  }
  return status === 'failed' ? [kernelLog("'msr\\|rapl'")] : [];
};

const nvml: FixesOf = (status, context) => {
  const { facts, machine } = context;
  const gpus = facts.nvidiaGpus ?? [];
  // Without a GPU there is nothing to read.
  if (gpus.length === 0 && status === 'not-found') return [];
  const inside = machine.container.state !== 'none';
  if (status === 'not-found' || status === 'masked') {
    if (inside) return containerFixes('nvml', context);
    return [
      {
        title: `Install NVIDIA's driver${gpus.length === 0 ? '' : ` for ${gpus.join(', ')}`}`,
        commands: [installCommand(facts, 'nvidia')],
        why: "Its library libnvidia-ml reads the GPU's energy without any right; if it is elsewhere, give --nvml-library.",
        lasting: true,
      },
    ];
  }
  if (status === 'no-permission') {
    if (inside) return containerFixes('nvml', context);
    return [
      {
        title: 'Let this user open the devices of the GPU',
        commands: ['ls -l /dev/nvidia*', `sudo usermod --append --groups video ${userOf(facts)}`],
        why: 'They are open to all by default; where they are not, a group owns them, mostly "video".',
        lasting: true,
      },
    ];
  }
  if (status !== 'failed') return [];
  return [
    {
      title: 'See whether the driver works at all',
      commands: ['nvidia-smi'],
      why: 'After an update of the driver the machine, in a container the container, must be started again.',
      lasting: false,
    },
  ];
};

/** Commands of the distribution's package manager. */
function installCommand({ distribution }: Facts, what: 'compiler' | 'nvidia'): string {
  const compiler = what === 'compiler';
  if (/debian|ubuntu/.test(distribution)) {
    return `sudo apt-get install ${compiler ? 'g++ make python3' : 'nvidia-driver'}`;
  }
  if (/fedora|rhel|centos/.test(distribution)) {
    return `sudo dnf install ${compiler ? 'gcc-c++ make python3' : 'akmod-nvidia'}`;
  }
  if (/alpine/.test(distribution)) {
    return compiler ? 'sudo apk add g++ make python3' : '# NVIDIA has no driver for Alpine';
  }
  if (/arch/.test(distribution)) return `sudo pacman -S ${compiler ? 'base-devel python' : 'nvidia'}`;
  if (/suse/.test(distribution)) {
    return `sudo zypper install ${compiler ? 'gcc-c++ make python3' : 'nvidia-open-driver-G06-signed'}`;
  }
  return compiler ? '# install a compiler (C++17), make and Python 3' : '# https://www.nvidia.com/drivers';
}

const native: FixesOf = (_, { facts }) => {
  const why = `No prebuilt addon fits ${facts.platform}-${facts.architecture}, or it could not be loaded: the reason stands above.`;
  if (facts.noAddons) {
    const title = 'Start Node without --no-addons';
    return [{ title, commands: ['unset NODE_OPTIONS'], why: 'It forbids native code.', lasting: false }];
  }
  const installed = /[\\/]node_modules[\\/]/.test(facts.packagePath);
  const build = installed ? 'npm rebuild microjoule' : `npm --prefix '${facts.packagePath}' run build:native`;
  return [
    {
      title: 'Compile the addon',
      commands: [
        ...(facts.platform === 'linux' ? [installCommand(facts, 'compiler')] : []),
        installed ? `${build} --ignore-scripts=false` : build,
      ],
      why,
      lasting: true,
    },
  ];
};

/** Whether the machine could have what was not found. A virtual machine has what its hypervisor gives, and no more. */
function mayHave({ facts, machine }: FixContext): boolean {
  return machine.hardware.state !== 'virtual-machine' && hasRapl(facts) !== false;
}

const FIXES: Readonly<Record<string, FixesOf>> = {
  perf,
  'perf-core': ofCores(perf),
  powercap,
  msr,
  'msr-core': ofCores(msr),
  nvml,
  native,
};

/** What can be done about a source that is not `ok`, the narrowest first. None for a source not known here. */
export function fixesFor(source: string, status: Status, context: FixContext): Fix[] {
  return status === 'ok' ? [] : (FIXES[source]?.(status, context) ?? []);
}
