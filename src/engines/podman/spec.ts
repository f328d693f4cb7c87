/** An instance as libpod wants to be told about it: limits, isolation and labels in one place. */
import type { InstanceSpec } from '../../ports/engine.ts';
import type { ResourceCaps } from './context.ts';
import { containerName, INSTANCES_CGROUP, LABEL, slotLabel } from './names.ts';
import { SECRETS_ANNOTATION } from './secret-files.ts';

const MIB = 1024 * 1024;
/** Threads count too: a JVM or a browser takes a few hundred. */
const MAX_PIDS = 1024;
const LOG_BYTES = 10 * MIB;
const SHARES_PER_CPU = 1024;
const MIN_SHARES = 2;

/** What images need that start as root and drop their privileges themselves; not to make devices, raw packets or file capabilities. */
const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
];

/**
 * The body of libpod's create call; `placeholders` stand for the secret variables. There is no CPU quota (the boot is boosted until `limitCpu`), only shares. There is no
 * init process before the app: some images insist on being the first process (s6, systemd), and it would be an exec more
 * on every boot; what is forked and not reaped is bounded by the pids limit. There is no health check and no restart by
 * Podman: both would work against the scheduler.
 */
export function containerSpec(
  spec: InstanceSpec,
  placeholders: Readonly<Record<string, string>>,
  ledgerId: string,
  network: string,
  caps: ResourceCaps,
): object {
  const memoryBytes = spec.slot.memoryMiB * MIB;
  return {
    name: containerName(spec.id),
    image: spec.imageId,
    ...(spec.command ? { command: spec.command } : {}),
    env: { ...spec.env, ...placeholders },
    ...(Object.keys(placeholders).length > 0
      ? { annotations: { [SECRETS_ANNOTATION]: 'handed over by Berth' } }
      : {}),
    // The proxy of the host is the host's own matter.
    httpproxy: false,
    labels: {
      [LABEL.ledger]: ledgerId,
      [LABEL.instance]: spec.id,
      [LABEL.deployment]: spec.deploymentId,
      [LABEL.project]: spec.project,
      [LABEL.slot]: slotLabel(spec.slot),
    },
    netns: { nsmode: 'bridge' },
    Networks: { [network]: {} },
    log_configuration: { driver: 'k8s-file', path: spec.logFile, size: LOG_BYTES },
    cgroup_parent: INSTANCES_CGROUP,
    resource_limits: {
      // Equal to memory: nothing may be swapped out by the instance's own doing.
      memory: { limit: memoryBytes, swap: memoryBytes },
      cpu: { shares: Math.max(MIN_SHARES, Math.round(spec.slot.cpus * SHARES_PER_CPU)) },
      pids: { limit: MAX_PIDS },
    },
    r_limits: [
      { type: 'NOFILE', soft: caps.openFiles, hard: caps.openFiles },
      { type: 'NPROC', soft: caps.processes, hard: caps.processes },
    ],
    cap_drop: ['ALL'],
    cap_add: CAPABILITIES,
    no_new_privileges: true,
    // Apps that run as a user of their own may listen on port 80, as with Docker.
    sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
    // A VOLUME of the image is a folder of the instance: nothing is left behind when it goes.
    image_volume_mode: 'ignore',
    systemd: 'false',
    healthconfig: { Test: ['NONE'] },
    restart_policy: 'no',
  };
}
