/** Who wants instances of a deployment ready before requests come, and how many that makes. */
import type { BerthError } from '../core/errors.ts';
import type { Scale } from '../core/model.ts';
import type { Pool } from '../core/pool.ts';

interface Hold {
  readonly count: number;
  /** Absent once so many were ready. */
  settle?: (failure: BerthError | undefined) => void;
}

/** The scale of a deployment: its own, what environments ask for, and what is being prepared. */
export class Preparing {
  readonly #pool: Pool;
  /** What a bare deployment has. */
  readonly #own: Scale;
  readonly #holds = new Set<Hold>();
  #asked: Scale | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#own = pool.scale;
  }

  /** What environments ask for; undefined when none runs it. */
  setScale(scale: Scale | undefined): void {
    this.#asked = scale;
    this.#apply();
  }

  /**
   * Resolves with what lets go of them when so many instances are ready; undefined when `signal` aborted first.
   * Rejects with the failure when starts fail. The caller decides anew after each call.
   */
  async hold(count: number, signal: AbortSignal): Promise<(() => void) | undefined> {
    const hold: Hold = { count };
    const letGo = () => {
      this.#holds.delete(hold);
      this.#apply();
    };
    const { promise, resolve } = Promise.withResolvers<BerthError | undefined>();
    hold.settle = resolve;
    const stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    this.#holds.add(hold);
    this.#apply();
    const failure = await promise;
    signal.removeEventListener('abort', stop);
    if (!failure && !signal.aborted) return letGo;
    letGo();
    if (failure) throw failure;
    return undefined;
  }

  /** After each decision: who waits may have what was asked for, or `failure` keeps it from ever coming. */
  look(failure: BerthError | undefined): void {
    if (this.#holds.size === 0) return;
    let ready = 0;
    for (const { phase } of this.#pool.instances.values()) if (phase === 'ready') ready += 1;
    for (const hold of this.#holds) {
      if (!hold.settle) continue;
      const isReady = ready >= Math.min(hold.count, this.#pool.scale.max);
      if (!isReady && !failure) continue;
      hold.settle(isReady ? undefined : failure);
      delete hold.settle;
    }
  }

  #apply(): void {
    this.#pool.isPreparing = this.#holds.size > 0;
    const { min, max } = this.#asked ?? this.#own;
    const counts = [...this.#holds].map(({ count }) => count);
    // `idle: run` is the deployment's own wish, whatever environments say.
    const lasting = Math.max(min, this.#own.min);
    const wanted = Math.max(lasting, ...counts);
    this.#pool.lastingMin = Math.min(lasting, max);
    this.#pool.scale = { min: Math.min(wanted, max), max };
  }
}
