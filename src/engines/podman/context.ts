/** What every verb of the driver works with. */
import type { Clock } from '../../ports/clock.ts';
import type { PodmanClient } from './client.ts';
import type { Instances } from './instances.ts';
import type { Networks } from './network.ts';
import type { SecretFiles } from './secret-files.ts';

/** What the host allows, so that no container asks for more: Podman's own defaults are refused on small hosts. */
export interface ResourceCaps {
  /** RLIMIT_NOFILE. */
  readonly openFiles: number;
  /** RLIMIT_NPROC; it counts all processes of a user on the host, so the pids limit is what bounds an instance. */
  readonly processes: number;
}

export interface Context {
  readonly client: PodmanClient;
  readonly clock: Clock;
  readonly ledgerId: string;
  /** Berth's folder for Podman's own matters. */
  readonly folder: string;
  readonly secretFiles: SecretFiles;
  readonly instances: Instances;
  readonly networks: Networks;
  caps(): ResourceCaps;
}
