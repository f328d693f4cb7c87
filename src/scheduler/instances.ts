/** The instances of one deployment: does to them what the decisions say, and tells the pool what came of it. */
import { isBusy } from '../core/busy.ts';
import { choosePort, type PortHints } from '../core/choose-port.ts';
import type { BerthError } from '../core/errors.ts';
import type { Deployment, InstanceId, StartKind } from '../core/model.ts';
import {
  becameReady,
  hang,
  join,
  leave,
  type Phase,
  type Pool,
  type PoolInstance,
  startFailed,
  takeOver,
} from '../core/pool.ts';
import type { EngineInstance } from '../ports/engine.ts';
import { type Booted, type BootFailure, engineFailure, prepare, startPrepared } from './boot.ts';
import type { Context } from './context.ts';
import { Endings } from './endings.ts';
import type { Report } from './report.ts';
import { Resting } from './resting.ts';
import { watchHealth } from './health.ts';
import { Instance } from './instance.ts';

export interface InstancesOptions {
  readonly context: Context;
  readonly deployment: Deployment;
  readonly pool: Pool;
  /** The pool changed: decide again. */
  readonly changed: () => void;
  /** A start failed; a `changed` follows. */
  readonly failed: (error: BerthError) => void;
}

export class Instances {
  readonly #options: InstancesOptions;
  readonly #instances = new Map<InstanceId, Instance>();
  readonly #underWay = new Set<Promise<void>>();
  readonly endings: Endings;
  readonly resting: Resting;
  /** Set when a deployment listens on several ports, so that the right one is waited for. */
  #learnedPort: number | undefined;

  constructor(options: InstancesOptions) {
    this.#options = options;
    const { context, deployment, pool, changed } = options;
    const shared = {
      context,
      pool,
      changed,
      get: (id: InstanceId) => this.get(id),
      remove: (instance: Instance) => this.#remove(instance),
      run: (work: () => Promise<void>) => this.#run(work),
      report: (...said: Parameters<Report>) => this.#report(...said),
    };
    this.endings = new Endings(shared);
    this.resting = new Resting({
      ...shared,
      deployment,
      hold: () => this.#hold(),
      retire: (id, because) => this.endings.retire(id, because),
    });
  }

  get(id: InstanceId): Instance | undefined {
    return this.#instances.get(id);
  }

  /** Everything held, also what is being removed. */
  ids(): readonly InstanceId[] {
    return [...this.#instances.keys()];
  }

  /** The one with this IP address. */
  at(host: string): InstanceId | undefined {
    for (const instance of this.#instances.values()) {
      if (instance.host === host) return instance.id;
    }
    return undefined;
  }

  /** Remembers over restarts until when an instance is busy. */
  async keepBusy(instance: Instance, until: number): Promise<void> {
    // An app may say so with every answer. A second less is none: `limits.timeout`, never less, begins only then.
    if (Math.abs(until - instance.keptBusyUntil) < BUSY_SLACK_MS) return;
    instance.keptBusyUntil = until;
    try {
      await this.#options.context.store.recordBusy(instance.id, until);
    } catch (error) {
      this.#report('warn', 'instance.busy-not-kept', instance.id, { error: String(error) });
    }
  }

  /** An instance said that it is busy in words that nobody understands: told once. */
  misspoke(instance: Instance, said: string): void {
    if (instance.hasMisspoken) return;
    instance.hasMisspoken = true;
    this.#report('warn', 'instance.busy-unreadable', instance.id, { said: said.slice(0, 64) });
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** `frozen → ready`; the pool has it booting. */
  thaw(id: InstanceId): void {
    const instance = this.#instances.get(id);
    if (!instance) return;
    this.#run(async () => {
      const { engine, clock } = this.#options.context;
      const began = clock.now();
      try {
        await instance.inOrder(() => engine.thaw(id));
      } catch (error) {
        await this.#startFailed(instance, engineFailure(error));
        return;
      }
      instance.times = { bootMs: clock.now() - began, portMs: 0 };
      this.#ready(instance);
    });
  }

  /** `parked → ready`; the pool has it booting. */
  startParked(id: InstanceId): void {
    const instance = this.#instances.get(id);
    if (!instance) return;
    this.#run(() =>
      this.#boot(instance, () =>
        startPrepared(this.#options.context, this.#options.deployment, instance, this.#hints()),
      ),
    );
  }

  /** `nothing → ready`, booting in the pool from now on. */
  create(because: string, replaces?: InstanceId): InstanceId {
    const instance = this.#add('booting', 'cold', because, replaces);
    const { context, deployment } = this.#options;
    this.#run(() =>
      this.#boot(instance, async () => {
        const began = context.clock.now();
        const preparing = await prepare(context, deployment, instance);
        const preparedMs = context.clock.now() - began;
        const booted = await startPrepared(context, deployment, instance, this.#hints());
        const { bootMs, portMs } = instance.times;
        if (booted.kind === 'ready')
          instance.times = { ...preparing, bootMs: bootMs + preparedMs, portMs };
        return booted;
      }),
    );
    return instance.id;
  }

  /** Takes over an instance that the engine still has from before; false when it is of no use. */
  async adopt(
    found: EngineInstance,
    createdAt: number | undefined,
    busyUntil = 0,
  ): Promise<boolean> {
    const phase = ADOPTED_PHASE[found.state];
    if (!phase) return false;
    const instance = new Instance(found.id);
    instance.host = found.host;
    const { context, pool } = this.#options;
    if (phase !== 'parked') {
      const look = await context.engine.look(found.id);
      const choice = look.kind === 'listening' ? choosePort(look.ports, this.#hints()) : undefined;
      if (choice?.kind !== 'found') return false;
      instance.port = choice.port;
    }
    this.#instances.set(found.id, instance);
    const joining = {
      id: found.id,
      phase,
      start: 'warm',
      because: 'was there when Berth started',
      jitter: context.random.fraction(),
    } as const;
    const now = context.clock.now();
    const joined = join(pool, createdAt === undefined ? joining : { ...joining, createdAt }, now);
    // The limit holds for a clock that was set back, too.
    if (phase === 'ready') {
      joined.busyUntil = Math.min(busyUntil, now + pool.limits.durationMs);
      instance.keptBusyUntil = busyUntil;
    }
    return true;
  }

  /** Looks once more at which ports a ready instance listens on; with several, the choice is kept for later boots. */
  async learnPort(id: InstanceId): Promise<void> {
    const instance = this.#instances.get(id);
    if (!instance) return;
    const look = await this.#options.context.engine.look(id);
    if (look.kind !== 'listening') return;
    const choice = choosePort(look.ports, this.#hints());
    if (choice.kind !== 'found') return;
    instance.port = choice.port;
    if (look.ports.filter((entry) => !entry.loopbackOnly).length > 1)
      this.#learnedPort = choice.port;
  }

  async #boot(instance: Instance, start: () => Promise<Booted>): Promise<void> {
    const { context, deployment, pool } = this.#options;
    const release = await context.permits.acquire(deployment.id);
    // The deployment may be removed while it waits or boots: then it is out of the pool.
    const isWanted = () => pool.instances.has(instance.id);
    let booted: Booted | undefined;
    try {
      if (isWanted()) booted = await start();
    } catch (error) {
      booted = engineFailure(error);
    } finally {
      release();
    }
    if (!isWanted()) await this.#remove(instance);
    else if (booted?.kind === 'ready') this.#ready(instance);
    else if (booted) await this.#startFailed(instance, booted);
  }

  #ready(instance: Instance): void {
    const { pool, context } = this.#options;
    const pooled = pool.instances.get(instance.id);
    if (!pooled) return;
    const now = context.clock.now();
    becameReady(pool, instance.id, now);
    this.#report('info', 'instance.ready', instance.id, {
      start: pooled.start,
      port: instance.port,
      ...instance.times,
    });
    const replaced =
      pooled.replaces === undefined ? undefined : pool.instances.get(pooled.replaces);
    if (replaced) this.#takeOver(pooled, replaced, now);
    this.#watchOver(instance);
    this.#options.changed();
  }

  /** Gives an instance up that runs but does not answer well; load that needs another one gets it at once. */
  #watchOver(instance: Instance): void {
    const { context, deployment, pool } = this.#options;
    const path = deployment.configuration.healthPath;
    if (path === undefined || pool.instances.get(instance.id)?.phase !== 'ready') return;
    const { protocol } = deployment.configuration;
    const at = { path, ...(protocol === undefined ? {} : { protocol }) };
    void watchHealth(context, instance, at, instance.beginSpan()).then((unwell) => {
      if (unwell === undefined) return;
      const { because, isHung } = unwell;
      this.#report('warn', 'instance.unwell', instance.id, { because, isHung });
      // What answers badly may still finish what it holds; what does not answer at all will not.
      if (isHung) hang(pool, instance.id, because, context.clock.now());
      else leave(pool, instance.id, because, context.clock.now());
      this.#options.changed();
    });
  }

  /** The fresh instance takes the place of the old one, at rest or at work. */
  #takeOver(fresh: PoolInstance, replaced: PoolInstance, now: number): void {
    const { pool } = this.#options;
    const isAtRest = replaced.phase === 'frozen';
    takeOver(pool, fresh, replaced, now);
    if (!isAtRest) return;
    this.endings.retire(replaced.id, fresh.because);
    if (pool.waiting.size === 0 && !isBusy(fresh, now))
      this.resting.freeze(fresh.id, 'fresh, in place of one that had run for limits.duration');
  }

  async #startFailed(instance: Instance, failure: BootFailure): Promise<void> {
    const { pool, context } = this.#options;
    this.#report('warn', 'instance.start-failed', instance.id, {
      code: failure.error.code,
      detail: failure.error.detail,
    });
    startFailed(pool, instance.id, failure.fault, context.clock.now());
    this.#options.failed(failure.error);
    this.#options.changed();
    await this.#remove(instance);
  }

  async #remove(instance: Instance): Promise<void> {
    const { context, deployment } = this.#options;
    const { engine, store, logs } = context;
    try {
      await instance.inOrder(() => engine.remove(instance.id));
      await store.forget('container', instance.id);
      if (instance.keptBusyUntil > 0) await store.forgetBusy(instance.id);
    } catch (error) {
      // It stays in the ledger, and a later look at what the engine has removes it.
      this.#report('warn', 'instance.not-removed', instance.id, { error: String(error) });
      this.#options.context.onLeftover();
    } finally {
      this.#instances.delete(instance.id);
    }
    await logs.prune(deployment.id, this.#instances.keys());
  }

  #add(
    phase: Phase,
    start: StartKind,
    because: string,
    replaces: InstanceId | undefined,
  ): Instance {
    const { pool, context } = this.#options;
    const instance = this.#hold();
    const joining = { id: instance.id, phase, start, because, jitter: context.random.fraction() };
    join(pool, replaces === undefined ? joining : { ...joining, replaces }, context.clock.now());
    return instance;
  }

  /** A new instance, of which there is nothing yet. */
  #hold(): Instance {
    const { context, deployment } = this.#options;
    const instance = new Instance(`${deployment.id}.${context.random.id(6)}`);
    this.#instances.set(instance.id, instance);
    return instance;
  }

  #hints(): PortHints {
    const { configuration, image } = this.#options.deployment;
    return {
      exposed: image?.exposedPorts ?? [],
      ...(configuration.port === undefined ? {} : { configured: configuration.port }),
      ...(this.#learnedPort === undefined ? {} : { learned: this.#learnedPort }),
    };
  }

  #run(work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        this.#options.context.reporter.report('error', 'scheduler.unexpected', {
          deployment: this.#options.deployment.id,
          error: error instanceof Error ? error.stack : String(error),
        });
      })
      .finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  #report(
    level: 'info' | 'warn',
    event: string,
    id: InstanceId,
    facts: Record<string, unknown>,
  ): void {
    this.#options.context.reporter.report(level, event, { instance: id, ...facts });
  }
}

/** Shorter than the shortest `limits.timeout`. */
const BUSY_SLACK_MS = 900;

const ADOPTED_PHASE: Partial<Record<EngineInstance['state'], Phase>> = {
  parked: 'parked',
  frozen: 'frozen',
  running: 'ready',
};
