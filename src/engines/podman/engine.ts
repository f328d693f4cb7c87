/** The Podman driver put together: its own service, a client to it, and one file per verb. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, EngineDescription } from '../../ports/engine.ts';
import { createClient, type PodmanClient } from './client.ts';
import { imageExports, imageImport } from './archives.ts';
import { type PodmanOptions, preparePodman } from './command.ts';
import type { Context, ResourceCaps } from './context.ts';
import { connections } from './connections.ts';
import { create } from './create.ts';
import { freeze, isFrozen, thaw } from './freeze.ts';
import { hasImage, image, removeImage } from './image.ts';
import { createImages } from './images.ts';
import { createInstances } from './instances.ts';
import { clearGone } from './leftovers.ts';
import { limitCpu } from './limit-cpu.ts';
import { list } from './list.ts';
import { createLook } from './look.ts';
import { memory } from './memory.ts';
import { createNetworks, type Ledger } from './network.ts';
import { park } from './park.ts';
import { reclaim } from './reclaim.ts';
import { remove } from './remove.ts';
import { createSecretFiles } from './secret-files.ts';
import { openService } from './service.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { watch } from './watch.ts';

export interface PodmanHost {
  readonly cgroupVersion: 1 | 2;
  /** Hard limits of this process; containers get no more. */
  readonly maxOpenFiles: number;
  readonly maxProcesses: number;
}

export interface PodmanEngineOptions extends PodmanOptions {
  readonly host: PodmanHost;
  readonly clock: Clock;
  /** Told of every network before it is made and after it is gone. */
  readonly ledger?: Ledger;
}

/** What Podman's builder asks of Podman's engine besides. */
export interface PodmanEngine extends Engine {
  /** Ids of the images with our ledger label. */
  ownImages(starts: readonly string[]): Promise<readonly string[]>;
}

/** The service answers when this resolves. Throws ENGINE_UNAVAILABLE, HOST_UNSUPPORTED. */
export async function openPodmanEngine(options: PodmanEngineOptions): Promise<PodmanEngine> {
  const { clock, ledgerId, host } = options;
  const command = preparePodman(options);
  const { folder } = command;
  const secretFiles = createSecretFiles(command.secretsFolder);
  // Whoever had this folder before may have been killed in the middle.
  secretFiles.clear();
  const service = await openService(command, clock);
  const client = createClient({ socketPath: service.socketPath, revive: () => service.ensure() });
  const context: Context = {
    client,
    clock,
    ledgerId,
    folder,
    secretFiles,
    instances: createInstances(client, ledgerId, folder),
    networks: createNetworks(client, ledgerId, options.ledger),
    caps: () => clip(host, service.pid),
  };
  const look = createLook();
  const images = createImages(client, ledgerId);
  const closed = new AbortController();

  return {
    powers: { park: true, freeze: true, boost: true, portDiscovery: true },
    describe: () => describe(client, host.cgroupVersion),
    create: (spec) => create(context, spec),
    park: (id) => park(context, id),
    start: (id) => start(context, id),
    look: (id) => look(context, id),
    limitCpu: (id) => limitCpu(context, id),
    freeze: (id) => freeze(context, id),
    thaw: (id) => thaw(context, id),
    reclaim: (id) => reclaim(context, id),
    isFrozen: (id) => isFrozen(context, id),
    connections: (id) => connections(context, id),
    stop: (id, graceMs) => stop(context, id, graceMs),
    remove: (id) => remove(context, id),
    list: () => list(context),
    watch: (onEvent, signal) => watch(context, onEvent, AbortSignal.any([signal, closed.signal])),
    memory: (ids) => memory(context, ids),
    image: (reference) => image(client, reference),
    hasImage: (imageId) => hasImage(client, imageId),
    images: () => images.list(),
    ownImages: (starts) => images.ownIds(starts),
    removeImage: (imageId) => removeImage(client, ledgerId, imageId),
    imageExports: (imageIds) => imageExports(client, command, imageIds),
    imageImport: () => imageImport(command),
    hostAddress: (project) => context.networks.gateway(project),
    removeNetwork: (project) => context.networks.remove(project),
    async close() {
      closed.abort();
      await clearGone(context);
      await client.close();
      await service.close();
      secretFiles.clear();
    },
  };
}

async function describe(
  client: PodmanClient,
  cgroupVersion: EngineDescription['cgroupVersion'],
): Promise<EngineDescription> {
  const info = (await client.request({ method: 'GET', path: '/info', lane: 'read' })) as {
    readonly version?: { readonly Version?: string };
    readonly host?: { readonly ociRuntime?: { readonly name?: string; readonly version?: string } };
  };
  const runtime = info.host?.ociRuntime;
  const version = /version:? (\S+)/.exec(runtime?.version ?? '')?.[1] ?? '';
  return {
    name: 'podman',
    version: info.version?.Version ?? '',
    runtime: `${runtime?.name ?? ''} ${version}`.trim(),
    cgroupVersion,
  };
}

/** What the kernel accepts at most, where the host sets no limit. */
const MOST_OPEN_FILES = 1_048_576;
const MOST_PROCESSES = 4_194_304;

/** Podman lowers its own limit of processes to the kernel's `pid_max`, and nobody can hand on more than he has. */
function clip(host: PodmanHost, servicePid: number | undefined): ResourceCaps {
  let text = '';
  try {
    text = readFileSync(`/proc/${servicePid}/limits`, 'latin1');
  } catch {
    // It died; what the host allows is the best guess.
  }
  const hardLimit = (name: string) =>
    Number(
      new RegExp(`^${name}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.POSITIVE_INFINITY,
    );
  return {
    openFiles: Math.min(hardLimit('Max open files'), host.maxOpenFiles, MOST_OPEN_FILES),
    processes: Math.min(hardLimit('Max processes'), host.maxProcesses, MOST_PROCESSES),
  };
}
