/** The engine and its builder, as the options want them and the host allows. */
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { chooseRuntime } from '../core/host.ts';
import { runMemoryApp } from '../engines/memory/app.ts';
import { createMemoryBuilder } from '../engines/memory/builder.ts';
import { createMemoryEngine } from '../engines/memory/engine.ts';
import { createPodmanBuilder } from '../engines/podman/builder.ts';
import type { PodmanOptions } from '../engines/podman/command.ts';
import { openPodmanEngine } from '../engines/podman/engine.ts';
import type { Builder } from '../ports/builder.ts';
import type { Engine } from '../ports/engine.ts';
import type { Store } from '../ports/store.ts';
import { systemClock as clock } from '../system/clock.ts';
import { claimIdentity } from '../system/data-folder.ts';
import { readHost } from '../system/host.ts';
import { systemRandom as random } from '../system/random.ts';
import type { ServerOptions } from './options.ts';

const MIB = 1024 * 1024;
/** A build leaves a core and half of the memory to what is served meanwhile. */
const BUILD_LIMITS = {
  cpus: Math.max(1, availableParallelism() - 1),
  memoryMiB: Math.floor(totalmem() / MIB / 2),
};

interface Driver {
  readonly engine: Engine;
  readonly builder: Builder;
}

/** The engine that the ledger of this store belongs to. Throws HOST_UNSUPPORTED or ENGINE_UNAVAILABLE. */
export async function openDriver(
  options: Pick<ServerOptions, 'data' | 'engine' | 'storage' | 'listen'>,
  store: Store,
  onNetworkGone: (project: string) => Promise<void>,
): Promise<Driver> {
  if (options.engine === 'memory') {
    const engine = createMemoryEngine({ clock, run: runMemoryApp });
    return { engine, builder: createMemoryBuilder() };
  }
  const host = await readHost({
    dataFolder: options.data,
    storageFolder: options.storage ?? podmanStorage(),
    listen: options.listen,
    isBerthListening: false,
  });
  const choice = chooseRuntime(host);
  if (choice.kind === 'none') throw new BerthError('HOST_UNSUPPORTED', { detail: choice.because });
  // The label by which this data folder knows what it made.
  const ledgerId = await store.settingOr('ledger', random.id(12));
  await using opened = new AsyncDisposableStack();
  opened.defer(await claimIdentity(ledgerId));
  const podman: PodmanOptions = {
    dataFolder: options.data,
    ledgerId,
    runtime: choice.runtime.name,
    ...(options.storage === undefined ? {} : { storageRoot: options.storage }),
  };
  const engine = await openPodmanEngine({
    ...podman,
    clock,
    host: {
      cgroupVersion: host.cgroup === 'v2' ? 2 : 1,
      maxOpenFiles: host.openFiles.hard,
      maxProcesses: host.processes.hard,
    },
    ledger: {
      record: (kind, id, project) => store.record({ kind, id, project, createdAt: clock.now() }),
      forget: async (kind, id, project) => {
        await onNetworkGone(project);
        await store.forget(kind, id);
      },
    },
  });
  const builder = createPodmanBuilder({
    ...podman,
    clock,
    limits: BUILD_LIMITS,
    image: (reference) => engine.image(reference),
    layers: {
      ownImages: (starts) => engine.ownImages(starts),
      record(deploymentId, id) {
        const now = clock.now();
        return store.record({ kind: 'layer', id, deploymentId, createdAt: now, usedAt: now });
      },
    },
  });
  const identity = opened.move();
  const close = async () => {
    await engine.close();
    await identity.disposeAsync();
  };
  return { engine: { ...engine, close }, builder };
}

/** Where Podman keeps images when nothing else is said. */
export function podmanStorage(): string {
  const isRoot = process.getuid?.() === 0;
  return isRoot
    ? '/var/lib/containers/storage'
    : join(homedir(), '.local/share/containers/storage');
}
