/** Backups of a running server: what belongs together is copied first, then a thread streams it. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { Store } from '../ports/store.ts';
import { badTrailer, FORMAT } from './format.ts';
import type { FromWorker, Order, ToWorker } from './needs.ts';
import { presentImages } from './present.ts';
import { keyParameters, LEAST_PASSPHRASE, SALT_BYTES } from './seal.ts';

export interface BackupRequest {
  readonly passphrase: string;
  /** Also the images that deployments run. */
  readonly hasImages: boolean;
}

export interface Backups {
  /**
   * The bytes of a backup of what is there now. A failure after this resolved is said in the stream's last line. Throws
   * INVALID_INPUT for a passphrase that is too short, DISK_FULL or DATA_FOLDER; the engine's own when it does not answer.
   */
  create(request: BackupRequest): Promise<Readable>;
}

export interface BackupNeeds {
  readonly store: Pick<Store, 'deployments' | 'setting'> & SnapshotStore;
  readonly engine: Pick<Engine, 'image' | 'imageExports'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes for keys. */
  readonly draw: (bytes: number) => Buffer;
  readonly reporter: Reporter;
  /** Of Berth. */
  readonly version: string;
  readonly keyFile: string;
  readonly blobs: string;
  readonly certificates: string;
  /** Aborts when the server stops: the last line of those under way says so. */
  readonly closing: AbortSignal;
  /** Copies are kept in it while they are streamed; made when it is needed. */
  readonly folder: string;
}

/** What an earlier server left in the middle is removed. */
export async function openBackups(needs: BackupNeeds): Promise<Backups> {
  const { store, engine, clock, folder, reporter } = needs;
  await rm(folder, { recursive: true, force: true });

  async function prepare(request: BackupRequest, database: string): Promise<Order> {
    const keysBefore = await readFile(needs.keyFile, 'utf8').catch(() => undefined);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await store.snapshot(database);
    // Asked after the copy was made: what the copy names is there, unless it was removed since.
    const wanted = new Set<string>();
    if (request.hasImages && engine.imageExports) {
      for (const { state, image } of await store.deployments()) {
        if (state === 'ready' && image) wanted.add(image.id);
      }
    }
    const there = await presentImages(engine, wanted);
    const imageIds = [...wanted].filter((id) => there.has(id));
    return {
      header: {
        kind: 'berth backup',
        format: FORMAT,
        form: store.form,
        version: needs.version,
        ledger: (await store.setting('ledger')) ?? '',
        createdAt: new Date(clock.now()).toISOString(),
        key: keyParameters(needs.draw(SALT_BYTES)),
      },
      passphrase: request.passphrase,
      database,
      keysBefore,
      keyFile: needs.keyFile,
      blobs: needs.blobs,
      certificates: needs.certificates,
      imageIds,
      missingImages: [...wanted].filter((id) => !there.has(id)),
      exports: (await engine.imageExports?.(imageIds)) ?? [],
    };
  }

  async function* stream(order: Order): AsyncGenerator<Uint8Array, void> {
    const began = clock.now();
    let bytes = 0;
    try {
      for await (const chunk of fromThread(order, needs.closing)) {
        bytes += chunk.length;
        yield chunk;
      }
    } finally {
      await rm(order.database, { force: true });
      reporter.report('info', 'backup.ended', { bytes, ms: Math.round(clock.now() - began) });
    }
  }

  return {
    async create(request) {
      if (request.passphrase.length < LEAST_PASSPHRASE) {
        throw new BerthError('INVALID_INPUT', {
          detail: `The passphrase has to have ${LEAST_PASSPHRASE} characters: who finds the file can try out shorter ones.`,
        });
      }
      const database = join(folder, `${needs.random.id(12)}.db`);
      try {
        const order = await prepare(request, database);
        return Readable.from(stream(order), { objectMode: false });
      } catch (error) {
        await rm(database, { force: true });
        throw error;
      }
    },
  };
}

/** Chunk by chunk, as they are asked for. */
async function* fromThread(order: Order, stopped: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'berth-backup',
    workerData: order,
    // The flags of the main thread (an inspector, a test runner's loader) are not meant for it.
    execArgv: [],
  });
  let next = Promise.withResolvers<FromWorker>();
  worker.on('message', (message: FromWorker) => next.resolve(message));
  worker.on('error', (error) => next.reject(error));
  worker.on('exit', () => next.reject(new BerthError('INTERNAL', { detail: 'The thread ended.' })));
  const leave = () =>
    next.reject(new BerthError('SHUTTING_DOWN', { detail: 'The server was stopped meanwhile.' }));
  stopped.addEventListener('abort', leave, { once: true });
  try {
    for (;;) {
      next = Promise.withResolvers();
      // An end that nobody waits for at that moment is no failure.
      next.promise.catch(() => undefined);
      if (stopped.aborted) leave();
      worker.postMessage({ kind: 'more' } satisfies ToWorker);
      const message = await next.promise;
      if (message.kind === 'end') return;
      yield message.bytes;
    }
  } catch (error) {
    const isKnown = error instanceof BerthError;
    yield Buffer.from(
      badTrailer({
        code: isKnown ? error.code : 'BACKUP_FAILED',
        detail: error instanceof Error ? error.message : String(error),
      }),
    );
  } finally {
    stopped.removeEventListener('abort', leave);
    await worker.terminate();
  }
}
