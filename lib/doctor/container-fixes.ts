// SPDX-License-Identifier: MIT
//
// How a container must be started for what it lacks.
import { LOWER, perfCapability, WHY_LOWER } from './capability-fixes.js';
import type { Fix } from './diagnosis.js';
import { type FixContext, GROUP } from './fix-parts.js';

type Lacking = 'sysfs' | 'group' | 'perf' | 'msr' | 'nvml';

interface Lines {
  title: string;
  /** Of `docker run`. */
  docker: string[];
  /** The whole command, where podman's differs. */
  podman?: string[];
  /** For a Kubernetes pod. */
  pod: string;
  /** For LXC, nspawn and others, whose settings are not known here. */
  words: string[];
  why: string;
}

function start(command: string, flags: readonly string[]): string {
  return [command, ...flags, 'YOUR_IMAGE'].join(' \\\n  ');
}

/** Engines hand capabilities and root's devices to root alone. */
function asRoot({ facts, machine }: FixContext): string {
  if (facts.isRoot) return '';
  const how = {
    none: '',
    docker: ': add --user 0',
    podman: ': add --user 0',
    kubernetes: ': add runAsUser: 0',
    other: '',
  }[machine.container.state];
  return ` The capability reaches the container's root alone, and this user is not root${how}.`;
}

const sysfs: Lines = {
  title: "Mount the host's /sys read-only at another place, and say where",
  docker: ['-v /sys:/host/sys:ro', '-e MICROJOULE_SYSFS=/host/sys'],
  pod: [
    '# in the pod:',
    'volumes: [{ name: sys, hostPath: { path: /sys } }]',
    '# in the container:',
    'volumeMounts: [{ name: sys, mountPath: /host/sys, readOnly: true }]',
    'env: [{ name: MICROJOULE_SYSFS, value: /host/sys }]',
  ].join('\n'),
  words: [
    "# in the container's settings: bind the host's /sys to\n# /host/sys, read-only",
    'export MICROJOULE_SYSFS=/host/sys    # inside',
  ],
  why:
    'Container engines mask /sys/devices/virtual/powercap since 2023, for PLATYPUS (CVE-2020-8694): the mask ' +
    'covers /sys, not another mount of it. The files stay readable for root, or a group of the host, alone.',
};

const group: Lines = {
  title: 'Start the container with the group that may read the energy files',
  docker: [`--group-add "$(getent group ${GROUP} | cut -d: -f3)"`],
  podman: ['# as a user of the host who is in that group:', start('podman run', ['--group-add keep-groups'])],
  pod: `# in the pod; the number is that of: getent group ${GROUP}\nsecurityContext: { supplementalGroups: [GID] }`,
  words: [`# in the container's settings: hand on the number of the host's\n# group "${GROUP}"`],
  why: 'A group of the host is a number in the container: its name may be unknown there.',
};

const KEEP_GROUPS =
  'Rootless Podman gives groups numbers of its own: keep-groups hands on those of the user who starts it.';

function perf(context: FixContext): Lines {
  const { name, mustLower } = perfCapability(context);
  const word = name.replace(/^CAP_/, '');
  const flag = `--cap-add ${word}`;
  const isPodman = context.machine.container.state === 'podman';
  const about = isPodman
    ? "Rootless Podman gives capabilities of its own user namespace, and perf events ask for the machine's: hence sudo. "
    : '';
  return {
    title: `Give the container ${name}`,
    docker: [flag],
    podman: [
      start('sudo podman run', [flag]),
      `# Podman's filter of before late 2025 wants CAP_SYS_ADMIN, too; instead:\n${start('sudo podman run', [
        flag,
        '--security-opt seccomp=unconfined',
      ])}`,
    ],
    pod: `# in the container:\nsecurityContext: { capabilities: { add: [${word}] } }`,
    words: [`# in the container's settings: allow perf_event_open, and keep ${name}`],
    why:
      `${mustLower ? `${WHY_LOWER} ` : ''}${about}Energy events count for a whole CPU: a container needs this ` +
      "capability for them, and so does the engine's filter of system calls. It can then also trace the kernel: not " +
      `for containers you do not trust.${asRoot(context)}`,
  };
}

function msr(context: FixContext): Lines {
  const cpus = context.facts.packageCpus ?? ['0'];
  const flags = [
    '--cap-add SYS_RAWIO',
    ...cpus.map((cpu) => `--device /dev/cpu/${cpu}/msr:/dev/cpu/${cpu}/msr:r`),
  ];
  const engine = context.machine.container.state;
  const isPod = engine === 'kubernetes';
  const devices = isPod
    ? 'Without a device plugin Kubernetes lets none but privileged containers open devices. '
    : 'One --device a socket. ';
  return {
    title: "Give the container the host's registers",
    docker: flags,
    podman: [start('sudo podman run', flags)],
    pod: [
      '# in the pod:',
      'volumes: [{ name: cpu, hostPath: { path: /dev/cpu } }]',
      '# in the container:',
      'volumeMounts: [{ name: cpu, mountPath: /dev/cpu, readOnly: true }]',
      'securityContext: { privileged: true }',
    ].join('\n'),
    words: [
      "# in the container's settings: CAP_SYS_RAWIO, and of the host's devices",
      ...cpus.map((cpu) => `# /dev/cpu/${cpu}/msr`),
    ],
    why:
      'It reads every register and is as good as root: prefer perf or powercap. ' +
      (engine === 'other' ? '' : devices) +
      `The host needs sudo modprobe msr.${isPod ? '' : asRoot(context)}`,
  };
}

const nvml: Lines = {
  title: 'Give the container the GPUs',
  docker: ['--gpus all'],
  podman: [
    '# on the host, once:\nsudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
    start('podman run', ['--device nvidia.com/gpu=all']),
  ],
  pod: '# in the container:\nresources: { limits: { nvidia.com/gpu: 1 } }',
  words: ["# in the container's settings: pass /dev/nvidia* and libnvidia-ml.so.1"],
  why: "The NVIDIA Container Toolkit brings the driver's library and devices into the container; reading needs no right.",
};

function linesOf(lacking: Lacking, context: FixContext): Lines {
  if (lacking === 'perf') return perf(context);
  return lacking === 'msr' ? msr(context) : { sysfs, group, nvml }[lacking];
}

/** How the container must be started for what it lacks. */
export function containerFixes(lacking: Lacking, context: FixContext): Fix[] {
  const engine = context.machine.container.state;
  // Masked, and yet no mark of a container: whatever it is, docker's flags show what to look for.
  if (engine === 'none' && lacking !== 'sysfs') return [];
  const { title, docker, podman, pod, words, why } = linesOf(lacking, context);
  const commands = {
    none: [start('docker run', docker)],
    docker: [start('docker run', docker)],
    podman: podman ?? [start('podman run', docker)],
    kubernetes: [pod],
    other: words,
  }[engine];
  const mustLower = lacking === 'perf' && perfCapability(context).mustLower;
  const isPodmanGroup = lacking === 'group' && engine === 'podman';
  return [
    {
      title,
      commands: mustLower ? [`# on the host:\n${LOWER}`, ...commands] : commands,
      why: isPodmanGroup ? KEEP_GROUPS : why,
      holds: engine === 'kubernetes' || engine === 'other' ? 'lasting' : 'until-it-ends',
    },
  ];
}
