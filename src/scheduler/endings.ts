/**
 * How instances of one deployment come to their end: by themselves, at rest, or with requests that they have not answered.
 *
 * Before an instance is stopped that still holds leases, it is frozen and its sockets are read: what it has read nothing of
 * is sent elsewhere, whatever its method. From that proof on it must not run again. An app reads what waits in its sockets
 * as soon as it is thawed, even after the other end reset the connection (Linux hands out what had arrived before it says
 * so), and would carry out a second time what another instance was given. So it is killed where it stands; it gets SIGTERM
 * and its grace only when nothing was sent elsewhere.
 */
import type { InstanceId } from '../core/model.ts';
import { gone, leave, lookedAt, type Pool } from '../core/pool.ts';
import { isUnread, type PeerConnection } from '../core/unread.ts';
import type { Exit } from '../ports/engine.ts';
import type { Context } from './context.ts';
import type { HeldLease } from './held-lease.ts';
import type { Instance } from './instance.ts';
import type { Report } from './report.ts';

/** A little longer than the router gives a WebSocket to say goodbye, in ms. */
const GOODBYE_MS = 4_000;
const GOODBYE_LOOK_MS = 10;

export interface EndingsOptions {
  readonly context: Context;
  readonly pool: Pool;
  readonly get: (id: InstanceId) => Instance | undefined;
  /** Removes the container and forgets the instance. */
  readonly remove: (instance: Instance) => Promise<void>;
  readonly run: (work: () => Promise<void>) => void;
  readonly report: Report;
  /** The pool changed: decide again. */
  readonly changed: () => void;
}

export class Endings {
  readonly #options: EndingsOptions;
  /** Their end is under way, though they are in the pool until it is known what they have read. */
  readonly #ending = new Set<InstanceId>();

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Takes an instance that holds no lease any more out of the pool, stops and removes it. */
  retire(id: InstanceId, because: string): void {
    if (this.#ending.has(id)) return;
    const { context, get, run } = this.#options;
    const instance = get(id);
    this.#takeOut(id, because);
    if (!instance) return;
    run(async () => {
      await this.#quietly(instance, async () => {
        await this.#goodbyes(instance);
        await context.engine.stop(id, context.stopGraceMs);
      });
      await this.#removed(instance, because);
    });
  }

  /** The same for one whose leases are not waited for: those that it has read nothing of go elsewhere. */
  force(id: InstanceId, because: string): void {
    const { context, get, run } = this.#options;
    const instance = get(id);
    if (!instance || !this.#canProve()) {
      this.retire(id, because);
      return;
    }
    if (this.#ending.has(id)) return;
    this.#ending.add(id);
    run(async () => {
      await this.#quietly(instance, async () => {
        const unread = await this.#whatItHasNotRead(instance);
        this.#lose(instance, unread, because);
        if (unread.length === 0) await this.#goodbyes(instance);
        await context.engine.stop(id, unread.length > 0 ? 0 : context.stopGraceMs);
      });
      await this.#removed(instance, because);
    });
  }

  /** Ends a leaving instance now if it has read nothing of what it holds: waiting on would help nobody. */
  look(id: InstanceId): void {
    const { context, pool, get, run } = this.#options;
    const { engine, clock } = context;
    const instance = get(id);
    lookedAt(pool, id, clock.now());
    if (!instance || !this.#canProve() || this.#ending.has(id)) return;
    run(async () => {
      let because: string | undefined;
      await this.#quietly(instance, async () => {
        // Most read what they hold: those are seen to do so without being stopped for it.
        if (!this.#mayEnd(instance, await engine.connections?.(id))) return;
        await engine.freeze(id);
        try {
          if (!this.#mayEnd(instance, await engine.connections?.(id))) return;
          because = `${pool.instances.get(id)?.because ?? 'drained'}; it read none of its requests`;
          this.#ending.add(id);
          this.#lose(instance, instance.leases.list(), because);
          await engine.stop(id, 0);
        } finally {
          if (because === undefined) await engine.thaw(id);
        }
      });
      if (because !== undefined) await this.#removed(instance, because);
    });
  }

  /** The engine says that an instance ended by itself. A booting one is noticed by its own boot. */
  exited(id: InstanceId, exit: Exit | undefined): void {
    const { pool, get, remove, run, report, changed } = this.#options;
    const instance = get(id);
    const phase = pool.instances.get(id)?.phase;
    if (!instance || phase === undefined || phase === 'booting') return;
    this.#takeOut(id, undefined);
    report('warn', 'instance.died', id, { phase, exit });
    run(() => remove(instance));
    changed();
  }

  #canProve(): boolean {
    const { engine } = this.#options.context;
    return engine.powers.freeze && engine.connections !== undefined;
  }

  /** Leaves it frozen when there is any. */
  async #whatItHasNotRead(instance: Instance): Promise<readonly HeldLease[]> {
    const { engine } = this.#options.context;
    if (instance.leases.size === 0) return [];
    try {
      await engine.freeze(instance.id);
      const connections = (await engine.connections?.(instance.id)) ?? [];
      return instance.leases.list().filter((lease) => isUnread(lease.sent(), connections));
    } catch (error) {
      // Nothing is proven then; `stop` thaws it.
      this.#options.report('warn', 'instance.not-looked-at', instance.id, { error: String(error) });
      return [];
    }
  }

  /** WebSockets keep their leases until both of their sides are closed: so long the app has to run, within a bound. */
  async #goodbyes({ id, leases }: Instance): Promise<void> {
    if (leases.size === 0) return;
    const { engine, clock } = this.#options.context;
    await engine.thaw(id);
    const until = clock.now() + GOODBYE_MS;
    while (leases.size > 0 && clock.now() < until) await clock.sleep(GOODBYE_LOOK_MS);
  }

  #mayEnd(instance: Instance, connections: readonly PeerConnection[] | undefined): boolean {
    const isLeaving = this.#options.pool.instances.get(instance.id)?.phase === 'leaving';
    if (!isLeaving || instance.leases.size === 0 || connections === undefined) return false;
    return instance.leases.list().every((lease) => isUnread(lease.sent(), connections));
  }

  /** `unread` are sent elsewhere by those who hold them, within this call. */
  #lose(instance: Instance, unread: readonly HeldLease[], because: string): void {
    for (const lease of unread) lease.markUnread();
    const { report, changed } = this.#options;
    report('warn', 'instance.forced', instance.id, {
      because,
      unread: unread.length,
      lost: instance.leases.size - unread.length,
    });
    this.#takeOut(instance.id, because);
    changed();
  }

  #takeOut(id: InstanceId, because: string | undefined): void {
    const { context, pool, get } = this.#options;
    const now = context.clock.now();
    if (because !== undefined) leave(pool, id, because, now);
    gone(pool, id, now);
    get(id)?.lose();
    context.onUnroute(id);
  }

  async #quietly(instance: Instance, act: () => Promise<unknown>): Promise<void> {
    try {
      await instance.inOrder(act);
    } catch (error) {
      this.#options.report('warn', 'instance.not-stopped', instance.id, { error: String(error) });
    }
  }

  async #removed(instance: Instance, because: string): Promise<void> {
    await this.#options.remove(instance);
    this.#ending.delete(instance.id);
    this.#options.report('info', 'instance.stopped', instance.id, { because });
  }
}
