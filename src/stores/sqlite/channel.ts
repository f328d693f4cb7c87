/** Asks the SQLite worker: questions out, answers in, and nobody left waiting when the worker ends. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BerthError } from '../../core/errors.ts';
import { sqliteError } from './failure.ts';
import type { Answer, Reply, Request, Value, WorkerData } from './messages.ts';

const YOUNG_MIB = 4;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BerthError) => void;
}

/** Starts the thread that owns one data file. */
export function startWorker(file: string): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'berth-sqlite',
    workerData: { file } satisfies WorkerData,
    // The flags of the main thread (an inspector, a test runner's loader) are not meant for it.
    execArgv: [],
    env: threadEnvironment(),
    // Rows pass through and are forgotten: room for more of them costs memory and saves nothing.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
}

/** Where compiled code is kept for this thread it is for that one, too: compiling TypeScript takes 30 MiB that stay. */
function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // Node names a folder of its version in the one it was told.
  return folder === undefined
    ? process.env
    : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}

/** One connection in one worker. Questions are answered in the order asked. */
export class WorkerChannel {
  readonly #worker: Worker;
  readonly #file: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #over: BerthError | undefined;

  private constructor(worker: Worker, file: string) {
    this.#worker = worker;
    this.#file = file;
    worker.on('message', (reply: Reply) => this.#take(reply));
    worker.on('error', (error) => this.#end(error));
    worker.on('exit', () => {
      this.#end();
      this.#ended.resolve();
    });
  }

  /** Resolves when the worker has the file open; otherwise throws DATA_FOLDER or DISK_FULL. */
  static async open(worker: Worker, file: string): Promise<WorkerChannel> {
    const channel = new WorkerChannel(worker, file);
    await channel.#opened.promise;
    return channel;
  }

  /** Runs one statement. Throws DISK_FULL, DATA_FOLDER, SHUTTING_DOWN once closed, INTERNAL when the worker died. */
  run(sql: string, parameters: readonly Value[]): Promise<Answer> {
    if (this.#over) return Promise.reject(this.#over);
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { resolve, reject });
    this.#ask({ kind: 'query', id, sql, parameters });
    return promise;
  }

  /** Answers what was asked, closes the file and ends the thread. Again, or after a crash: just waits for the end. */
  async close(): Promise<void> {
    if (!this.#over) {
      this.#over = new BerthError('SHUTTING_DOWN', { detail: 'The store is closed.' });
      this.#ask({ kind: 'close' });
    }
    await this.#ended.promise;
  }

  #ask(request: Request): void {
    this.#worker.postMessage(request);
  }

  #take(reply: Reply): void {
    switch (reply.kind) {
      case 'opened':
        this.#opened.resolve();
        return;
      case 'notOpened':
        this.#opened.reject(sqliteError(this.#file, reply.failure));
        return;
      case 'answered':
        this.#waiting.get(reply.id)?.resolve(reply.answer);
        break;
      case 'failed':
        this.#waiting.get(reply.id)?.reject(sqliteError(this.#file, reply.failure));
        break;
    }
    this.#waiting.delete(reply.id);
  }

  /** The worker ends or has ended: by `close`, or unasked for. */
  #end(cause?: unknown): void {
    const died = new BerthError('INTERNAL', {
      detail: `The thread that keeps ${this.#file} stopped. What it had confirmed is on disk: restart Berth.`,
      cause,
    });
    this.#over ??= died;
    // Does nothing when it had opened.
    this.#opened.reject(died);
    for (const { reject } of this.#waiting.values()) reject(died);
    this.#waiting.clear();
  }
}
