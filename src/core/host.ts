/** What Berth needs to know of the machine it runs on, and the decisions that depend on it alone. */
import type { SecretsFacts } from './doctor-secrets.ts';

/** `hybrid`: controllers are on version 1, with a version 2 tree mounted beside them. */
export type CgroupLayout = 'v2' | 'hybrid' | 'v1';

export interface OciRuntime {
  readonly name: 'crun' | 'runc';
  readonly version: string;
}

/** A soft and a hard limit; `Infinity` when unlimited. */
export interface HostLimit {
  readonly soft: number;
  readonly hard: number;
}

export interface HostDisk {
  /** What is kept there. */
  readonly what: 'data' | 'images';
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Everything as it was read, without any judgement; absent means that it is not there or could not be read. */
export interface HostFacts {
  /** For example `Debian GNU/Linux 12 (bookworm)`. */
  readonly distribution: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly isRoot: boolean;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly availableMemoryBytes: number;
  /** Total size of all swap; `isZram` when it is compressed memory. */
  readonly swap: { readonly bytes: number; readonly isZram: boolean };
  readonly cgroup: CgroupLayout;
  readonly controllers: readonly string[];
  readonly podmanVersion?: string;
  readonly runtimes: readonly OciRuntime[];
  readonly conmonVersion?: string;
  readonly netavarkVersion?: string;
  readonly hasNameServer: boolean;
  readonly iptablesVersion?: string;
  readonly openFiles: HostLimit;
  readonly processes: HostLimit;
  readonly pidMax: number;
  readonly isForwardingPackets: boolean;
  readonly disks: readonly HostDisk[];
  /** Absent: not looked at. */
  readonly secrets?: SecretsFacts;
  /** The address Berth is to listen on, and whether something else holds it. */
  readonly listen: { readonly address: string; readonly state: 'free' | 'berth' | 'taken' };
}

export type RuntimeChoice =
  | { readonly kind: 'chosen'; readonly runtime: OciRuntime; readonly because: string }
  | { readonly kind: 'none'; readonly wanted: OciRuntime['name']; readonly because: string };

/**
 * Which OCI runtime Podman is to be told to use. crun is the quicker one where controllers are on version 2 alone;
 * it refuses hybrid hosts ("cgroups in hybrid mode not supported"), and runc runs everywhere.
 *
 * | controllers | crun there | runc there | choice |
 * |---|---|---|---|
 * | v2 | yes | – | crun |
 * | v2 | no | yes | runc |
 * | hybrid, v1 | – | yes | runc |
 * | hybrid, v1 | – | no | none |
 */
export function chooseRuntime(facts: Pick<HostFacts, 'cgroup' | 'runtimes'>): RuntimeChoice {
  const crun = facts.runtimes.find((runtime) => runtime.name === 'crun');
  const runc = facts.runtimes.find((runtime) => runtime.name === 'runc');
  if (facts.cgroup === 'v2') {
    if (crun) return { kind: 'chosen', runtime: crun, because: 'cgroup v2' };
    if (runc) return { kind: 'chosen', runtime: runc, because: 'crun is not installed' };
    return { kind: 'none', wanted: 'crun', because: 'neither crun nor runc is installed' };
  }
  const layout = facts.cgroup === 'hybrid' ? 'hybrid cgroups' : 'cgroup v1';
  if (runc) return { kind: 'chosen', runtime: runc, because: `${layout}, which crun refuses` };
  return {
    kind: 'none',
    wanted: 'runc',
    because: `${layout}: only runc works, and is not installed`,
  };
}
