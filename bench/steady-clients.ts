/** Clients that ask one request after the other, with a pause between, and know which release answered each and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Target } from './first-byte.ts';

export interface Crowd {
  readonly gets: number;
  readonly posts: number;
  /** Between an answer and the next request, in ms. */
  readonly pauseMs: number;
}

/** Times are those of `performance.now()`. */
interface Answered {
  readonly sentAt: number;
  readonly version: string;
}

interface Wait {
  readonly version: string;
  readonly since: number;
  readonly settle: (at: number) => void;
}

/** Answers looked at for late ones of an old release. */
const KEPT = 1_000;

export class SteadyClients {
  readonly #target: Target;
  readonly #crowd: Crowd;
  readonly #pool: Pool;
  readonly #recent: Answered[] = [];
  readonly #failures: string[] = [];
  #running: readonly Promise<void>[] = [];
  #wait: Wait | undefined;
  #answered = 0;
  #sent = 0;
  #isOver = false;

  constructor(target: Target, crowd: Crowd) {
    this.#target = target;
    this.#crowd = crowd;
    const connections = crowd.gets + crowd.posts;
    this.#pool = new Pool(`http://${target.host}:${target.port}`, { connections });
  }

  start(): void {
    const { gets, posts } = this.#crowd;
    const client = (method: 'GET' | 'POST', count: number) =>
      Array.from({ length: count }, () => this.#client(method));
    this.#running = [...client('GET', gets), ...client('POST', posts)];
  }

  /** When the first answer of this version comes to a request that was sent at `since` or later. */
  firstOf(version: string, since: number): Promise<number> {
    return new Promise((settle) => {
      this.#wait = { version, since, settle };
    });
  }

  /** How many of the latest answers came from another version to requests that were sent after `since`. */
  staleSince(version: string, since: number): number {
    return this.#recent.filter((one) => one.sentAt > since && one.version !== version).length;
  }

  /** May be called again. */
  async stop(): Promise<{ readonly answered: number; readonly failures: readonly string[] }> {
    this.#isOver = true;
    await Promise.all(this.#running);
    await this.#pool.destroy();
    return { answered: this.#answered, failures: this.#failures };
  }

  async #client(method: 'GET' | 'POST'): Promise<void> {
    while (!this.#isOver) {
      this.#sent += 1;
      await this.#ask(method, String(this.#sent));
      await sleep(this.#crowd.pauseMs);
    }
  }

  async #ask(method: 'GET' | 'POST', id: string): Promise<void> {
    const sentAt = performance.now();
    try {
      const headers = { host: this.#target.authority };
      const answer = await this.#pool.request({ method, path: `/?id=${id}`, headers });
      const body = await answer.body.text();
      const [version = '', ofWhom] = body.split(' ');
      if (answer.statusCode !== 200 || ofWhom !== id)
        throw new Error(`${answer.statusCode} ${body.slice(0, 200)}`);
      this.#answered += 1;
      this.#note({ sentAt, version });
    } catch (error) {
      this.#failures.push(`${method} ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #note(answered: Answered): void {
    this.#recent.push(answered);
    if (this.#recent.length > KEPT) this.#recent.shift();
    const wait = this.#wait;
    if (!wait || answered.version !== wait.version || answered.sentAt < wait.since) return;
    this.#wait = undefined;
    wait.settle(performance.now());
  }
}
