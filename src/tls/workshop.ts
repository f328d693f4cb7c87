/** Certificates made on a thread of its own, which is started with the first job and ends when none came for a while. */
import { Worker } from 'node:worker_threads';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Challenges } from './challenges.ts';
import type { FromWorker, Job, Results, ToWorker } from './messages.ts';

/** Deploys and first visits come in bursts; in between the 40 MB are better used elsewhere. */
const IDLE_MS = 60_000;

export interface Workshop {
  /** Rejects with an Error in the library's or the ACME server's words, or SHUTTING_DOWN. */
  make<Kind extends Job['kind']>(job: Extract<Job, { kind: Kind }>): Promise<Results[Kind]>;
  /** Ends the thread; what is under way fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}

export interface WorkshopOptions {
  readonly clock: Clock;
  /** Where the proofs of orders under way are shown. */
  readonly challenges: Challenges;
}

export function openWorkshop({ clock, challenges }: WorkshopOptions): Workshop {
  const waiting = new Map<number, PromiseWithResolvers<never>>();
  let worker: Worker | undefined;
  let idle = new AbortController();
  let lastId = 0;
  let isClosed = false;

  function failAll(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function show({ id, challenge }: Extract<FromWorker, { kind: 'present' }>): void {
    try {
      challenges.present(challenge);
    } catch (error) {
      // The order goes on without it, and is refused.
      waiting.get(id)?.reject(error);
      waiting.delete(id);
    }
  }

  function start(): Worker {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      name: 'berth-certificates',
      // The flags of the main thread (an inspector, a test runner's loader) are not meant for it.
      execArgv: [],
    });
    started.unref();
    const tell = (message: ToWorker) => started.postMessage(message);
    started.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'present':
          show(message);
          tell({ kind: 'presented', id: message.id });
          return;
        case 'withdraw':
          challenges.withdraw(message.challenge);
          return;
        case 'done':
          waiting.get(message.id)?.resolve(message.result as never);
          break;
        case 'failed':
          waiting.get(message.id)?.reject(new Error(message.message));
          break;
      }
      waiting.delete(message.id);
      if (waiting.size === 0) void rest(started);
    });
    started.on('error', (error) =>
      failAll(error instanceof Error ? error : new Error(String(error))),
    );
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    return started;
  }

  async function rest(resting: Worker): Promise<void> {
    idle = new AbortController();
    const { signal } = idle;
    await clock.sleep(IDLE_MS, signal);
    if (signal.aborted || worker !== resting) return;
    worker = undefined;
    await resting.terminate();
  }

  return {
    make(job) {
      if (isClosed) return Promise.reject(new BerthError('SHUTTING_DOWN'));
      idle.abort();
      worker ??= start();
      lastId += 1;
      const asked = Promise.withResolvers<never>();
      waiting.set(lastId, asked);
      worker.postMessage({ kind: 'job', id: lastId, job } satisfies ToWorker);
      return asked.promise;
    },
    async close() {
      isClosed = true;
      idle.abort();
      failAll(new BerthError('SHUTTING_DOWN'));
      await worker?.terminate();
    },
  };
}
