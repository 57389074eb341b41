// SPDX-License-Identifier: MIT
import type { Fix } from './diagnosis.js';
import type { FixContext } from './fixes.js';

/** What the container lacks. */
type Lacking = 'sysfs' | 'group' | 'perf' | 'msr' | 'nvml';

interface Lines {
  title: string;
  /** For docker and podman, whose flags are the same. */
  flags: string[];
  /** For a Kubernetes pod. */
  pod: string;
  why: string;
}

const LINES: Readonly<Record<Lacking, Lines>> = {
  sysfs: {
    title: "Mount the host's /sys read-only at another place, and say where",
    flags: ['-v /sys:/host/sys:ro', '-e MICROJOULE_SYSFS=/host/sys'],
    pod: [
      '# in the pod:',
      'volumes: [{ name: sys, hostPath: { path: /sys } }]',
      '# in the container:',
      'volumeMounts: [{ name: sys, mountPath: /host/sys, readOnly: true }]',
      'env: [{ name: MICROJOULE_SYSFS, value: /host/sys }]',
    ].join('\n'),
    why:
      'Container engines mask /sys/devices/virtual/powercap since 2023, for PLATYPUS (CVE-2020-8694): the mask ' +
      'covers /sys, not another mount of it. The files stay readable for root, or a group of the host, alone.',
  },
  group: {
    title: 'Start the container with the group that may read the energy files',
    flags: ['--group-add "$(getent group power | cut -d: -f3)"'],
    pod: '# in the pod; the number is that of: getent group power\nsecurityContext: { supplementalGroups: [GID] }',
    why: 'A group of the host is a number in the container: its name may be unknown there.',
  },
  perf: {
    title: 'Give the container CAP_PERFMON',
    flags: ['--cap-add PERFMON'],
    pod: '# in the container:\nsecurityContext: { capabilities: { add: [PERFMON] } }',
    why:
      "Energy events count for a whole CPU; a container needs this capability for them, and so does the engine's " +
      'filter of system calls. It can then also trace the kernel: not for containers you do not trust.',
  },
  msr: {
    title: "Give the container the host's registers",
    flags: [
      '--cap-add SYS_RAWIO',
      '-v /dev/cpu:/host/dev/cpu:ro',
      '-e MICROJOULE_DEV=/host/dev',
      '--privileged',
    ],
    pod: '# in the container, with /dev/cpu of the host mounted:\nsecurityContext: { privileged: true }',
    why:
      'Devices are closed to containers but for privileged ones, which are as good as root on the host: prefer ' +
      'perf or powercap. The host needs sudo modprobe msr.',
  },
  nvml: {
    title: 'Give the container the GPUs, with the NVIDIA Container Toolkit',
    flags: ['--gpus all'],
    pod: '# in the container:\nresources: { limits: { nvidia.com/gpu: 1 } }',
    why: "The toolkit brings the driver's library and devices into the container; reading needs no right.",
  },
};

/** How the container must be started for what it lacks. */
export function containerFixes(lacking: Lacking, { machine }: FixContext): Fix[] {
  const { title, flags, pod, why } = LINES[lacking];
  const engine = machine.container.state;
  if (engine === 'kubernetes') return [{ title, commands: [pod], why, lasting: true }];
  // Masked, and yet no mark of a container: whatever it is, the flags show what to look for.
  const command = engine === 'podman' ? 'podman' : 'docker';
  const started = [`${command} run`, ...flags].join(' \\\n  ');
  return engine === 'none' && lacking !== 'sysfs'
    ? []
    : [{ title, commands: [`${started} \\\n  YOUR_IMAGE`], why, lasting: false }];
}
