/** Work on whole uploads, asked for from the thread that serves requests and done on another. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Examined, FolderWork, Swept } from './folder-work.ts';
import type { Delivery, Order, WorkerData } from './folder-worker.ts';

/** As `FolderWork`, with the present time filled in. */
export interface Folders {
  announce(body: Uint8Array): Promise<Uint8Array>;
  examine(manifest: string, path: string): Promise<Examined>;
  layOut(manifest: string, folder: string): Promise<void>;
  /** Removes blobs that none of these manifests has and nobody asked for in the last `idleMs`, unless it is a dry run. */
  sweep(manifests: readonly string[], idleMs: number, isDryRun?: boolean): Promise<Swept>;
  /** Ends the thread; what is under way fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}

type Waiting = PromiseWithResolvers<unknown>;

/** A thread holds some 25 MiB: between deploys, and between the hours of clean-up, there is none. */
const IDLE_MS = 15_000;

/** The thread is started with the first order, and again after it died or had nothing to do for a while. */
export function openFolders(blobs: string, clock: Clock): Folders {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastId = 0;
  let isClosed = false;
  const closing = new AbortController();

  async function endWhenIdle(started: Worker): Promise<void> {
    for (let upTo = -1; upTo !== lastId || waiting.size > 0; ) {
      upTo = lastId;
      await clock.sleep(IDLE_MS, closing.signal);
      if (isClosed || worker !== started) return;
    }
    worker = undefined;
    await started.terminate();
  }

  function failAll(error: BerthError): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(new URL('./folder-worker.ts', import.meta.url), {
      name: 'berth-folders',
      workerData: { blobs } satisfies WorkerData,
      // The flags of the main thread (an inspector, a test runner's loader) are not meant for it.
      execArgv: [],
      env: threadEnvironment(),
    });
    started.unref();
    void endWhenIdle(started);
    started.on('message', (delivery: Delivery) => {
      const asked = waiting.get(delivery.id);
      waiting.delete(delivery.id);
      if (delivery.kind === 'done') asked?.resolve(delivery.result);
      else asked?.reject(new BerthError(delivery.code, delivery));
    });
    started.on('error', (cause) =>
      failAll(new BerthError('INTERNAL', { detail: 'The thread for uploads stopped.', cause })),
    );
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    return started;
  }

  function ask<Verb extends keyof FolderWork>(
    verb: Verb,
    ...given: Parameters<FolderWork[Verb]>
  ): Promise<ReturnType<FolderWork[Verb]>> {
    if (isClosed) return Promise.reject(new BerthError('SHUTTING_DOWN'));
    worker ??= start();
    lastId += 1;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(lastId, asked);
    worker.postMessage({ id: lastId, verb, arguments: given } satisfies Order);
    return asked.promise as Promise<ReturnType<FolderWork[Verb]>>;
  }

  return {
    announce: (body) => ask('announce', body, clock.now()),
    examine: (manifest, path) => ask('examine', manifest, path, clock.now()),
    layOut: (manifest, folder) => ask('layOut', manifest, folder),
    sweep: (manifests, idleMs, isDryRun = false) =>
      ask('sweep', manifests, clock.now() - idleMs, isDryRun),
    async close() {
      isClosed = true;
      closing.abort();
      failAll(new BerthError('SHUTTING_DOWN'));
      await worker?.terminate();
    },
  };
}

/** Where compiled code is kept for this thread it is for that one, too: `main.ts` hides the variable from what we start. */
function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // Node names a folder of its version in the one it was told.
  return folder === undefined
    ? process.env
    : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}
