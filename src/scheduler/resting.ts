/** How instances of one deployment come to rest: frozen, with their pages given up, or parked. */
import type { Deployment, InstanceId } from '../core/model.ts';
import { gaveUpPages, join, type Pool, rest } from '../core/pool.ts';
import { prepare } from './boot.ts';
import type { Context } from './context.ts';
import type { Instance } from './instance.ts';
import type { Report } from './report.ts';

export interface RestingOptions {
  readonly context: Context;
  readonly deployment: Deployment;
  readonly pool: Pool;
  readonly get: (id: InstanceId) => Instance | undefined;
  /** A new instance, of which there is nothing yet. */
  readonly hold: () => Instance;
  readonly retire: (id: InstanceId, because: string) => void;
  /** Removes the container and forgets the instance. */
  readonly remove: (instance: Instance) => Promise<void>;
  readonly run: (work: () => Promise<void>) => void;
  readonly report: Report;
  /** The pool changed: decide again. */
  readonly changed: () => void;
}

export class Resting {
  readonly #options: RestingOptions;

  constructor(options: RestingOptions) {
    this.#options = options;
  }

  /** `ready → frozen`; no lease may be held. */
  freeze(id: InstanceId, because: string): void {
    const instance = this.#options.get(id);
    if (!instance) return;
    const { context, pool } = this.#options;
    rest(pool, id, because, context.clock.now());
    instance.endSpan();
    context.onUnroute(id);
    this.#options.run(async () => {
      try {
        await instance.inOrder(() => context.engine.freeze(id));
        context.onRest();
      } catch (error) {
        this.#options.report('warn', 'instance.not-frozen', id, { error: String(error) });
        if (pool.instances.get(id)?.phase === 'frozen')
          this.#options.retire(id, 'could not be frozen');
      }
    });
  }

  /** Gives up the pages of a frozen instance; the engine has that power. */
  reclaim(id: InstanceId, because: string): void {
    const instance = this.#options.get(id);
    const { context, pool } = this.#options;
    if (!instance || !context.engine.reclaim) return;
    this.#options.run(async () => {
      try {
        await instance.inOrder(async () => {
          // It may have been woken while it waited for its turn.
          if (pool.instances.get(id)?.phase !== 'frozen') return;
          await context.engine.reclaim?.(id);
          gaveUpPages(pool, id, because);
        });
        context.onRest();
      } catch (error) {
        this.#options.report('warn', 'instance.not-reclaimed', id, { error: String(error) });
      }
    });
  }

  /** Puts a parked spare beside the others; with `lastUsedAt` it takes that one's place in the order of use. */
  park(because: string, lastUsedAt?: number): void {
    const { context, deployment, pool } = this.#options;
    const instance = this.#options.hold();
    this.#options.run(async () => {
      try {
        const times = await prepare(context, deployment, instance);
        this.#options.report('info', 'instance.parked', instance.id, { because, ...times });
      } catch (error) {
        this.#options.report('warn', 'instance.not-parked', instance.id, { error: String(error) });
        await this.#options.remove(instance);
        return;
      }
      const jitter = context.random.fraction();
      const joined = join(
        pool,
        { id: instance.id, phase: 'parked', start: 'parked', because, jitter },
        context.clock.now(),
      );
      if (lastUsedAt !== undefined) joined.idleSince = lastUsedAt;
      context.onRest();
      this.#options.changed();
    });
  }
}
