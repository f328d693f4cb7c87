/** Keeps one deployment as its pool, idle, recycle and drain decisions say: observe, decide, act, wait. */
import { isBusy, parseBusy, sayBusy } from '../core/busy.ts';
import { drainsDue } from '../core/drain.ts';
import { BerthError } from '../core/errors.ts';
import { type Demotion, firstResting, type Resting, restsDue } from '../core/idle.ts';
import type { Deployment, InstanceId, Scale, StartKind } from '../core/model.ts';
import { lackingRoom, plan } from '../core/plan.ts';
import {
  acquit,
  arrive,
  beyondMax,
  cancel,
  createPool,
  endLease,
  joinTeam,
  leave,
  type Pool,
  type RequestId,
  suspect,
  wakeAgain,
} from '../core/pool.ts';
import { recyclesDue } from '../core/recycle.ts';
import type { TeamUse } from '../core/quota.ts';
import type { Acquired, BusySaid, LeaseEnd } from '../ports/fleet.ts';
import type { Context } from './context.ts';
import { Alarm } from './alarm.ts';
import { HeldLease } from './held-lease.ts';
import { Instances } from './instances.ts';
import {
  ASLEEP,
  backingOff,
  noInstanceLeft,
  refuse,
  roomIsFull,
  tooManyRequests,
  waitedTooLong,
} from './refusals.ts';
import { Preparing } from './preparing.ts';

interface Waiter {
  readonly since: number;
  readonly use: TeamUse | undefined;
  readonly settle: (result: Acquired) => void;
}

export class Runner {
  readonly deployment: Deployment;
  readonly pool: Pool;
  readonly instances: Instances;
  readonly #context: Context;
  readonly #preparing: Preparing;
  readonly #waiters = new Map<RequestId, Waiter>();
  #requests = 0;
  /** Why the last start failed. */
  failure: BerthError | undefined;
  readonly #alarm: Alarm;
  #isClosed = false;
  #full: Acquired | undefined;

  constructor(deployment: Deployment, context: Context) {
    this.deployment = deployment;
    this.#context = context;
    this.#alarm = new Alarm(context.clock, () => this.react());
    const { limits, scale, idle } = deployment.configuration;
    // A minimum belongs to an environment, never to a bare deployment; `idle: run` is the deployment's own wish for one.
    this.pool = createPool(limits, { min: idle === 'run' ? 1 : 0, max: scale.max }, context.bounds);
    this.#preparing = new Preparing(this.pool);
    this.instances = new Instances({
      context,
      deployment,
      pool: this.pool,
      changed: () => this.react(),
      failed: (error) => {
        this.failure = error;
      },
    });
  }

  /** From now on it counts for its team; what a deploy verifies before is the platform's. */
  joinTeam(): void {
    const use = this.#context.quotas?.of(this.deployment.project);
    if (!use || use === this.pool.use) return;
    joinTeam(this.pool, use);
    use.offer(this.#giveRoom);
  }

  /** A lease, in strict order of arrival; without `mayWake` now or not at all. */
  acquire(signal: AbortSignal, mayWake = true): Promise<Acquired> | Acquired {
    const { use } = this.pool;
    if (use && !use.admit()) return tooManyRequests(use);
    const acquired = this.#acquire(signal, mayWake, use);
    if (!(acquired instanceof Promise) && acquired.kind !== 'leased') use?.done();
    return acquired;
  }

  /** `use` has admitted the request: it is over when its lease ends, or when it gets none. */
  #acquire(
    signal: AbortSignal,
    mayWake: boolean,
    use: TeamUse | undefined,
  ): Promise<Acquired> | Acquired {
    if (signal.aborted) return { kind: 'cancelled' };
    if (this.#isClosed)
      return refuse(new BerthError('NOT_FOUND', { detail: `${this.deployment.id} was removed.` }));
    const now = this.#context.clock.now();
    this.#requests += 1;
    const requestId = this.#requests;
    const arrival = arrive(this.pool, requestId, now, mayWake);
    switch (arrival.kind) {
      case 'leased':
        return this.#lease(arrival.instanceId, 'warm', 0, use);
      case 'waiting':
        return this.#wait(requestId, now, signal, use);
      case 'asleep':
        return ASLEEP;
      case 'queueFull':
        return (this.#full ??= roomIsFull(this.pool, this.deployment.id));
    }
  }

  /** As `setScale`, while what the engine still has is being taken over: nothing is decided yet. */
  noteScale(scale: Scale | undefined): void {
    this.#preparing.setScale(scale);
  }

  /** What environments ask for; undefined when none runs it. Instances beyond the maximum leave. */
  setScale(scale: Scale | undefined): void {
    const { pool } = this;
    this.noteScale(scale);
    const now = this.#context.clock.now();
    for (const id of beyondMax(pool)) leave(pool, id, 'beyond scale.max', now);
    this.react();
  }

  /** As `Scaling.prepare`. */
  async prepare(count: number, signal: AbortSignal): Promise<() => void> {
    const holding = this.#preparing.hold(count, signal);
    this.react();
    const letGo = await holding;
    if (!letGo) throw new BerthError('SHUTTING_DOWN');
    return () => {
      letGo();
      this.react();
    };
  }

  /** @returns undefined when there is no such instance that runs. */
  async sayBusy(instanceId: InstanceId, said: string): Promise<BusySaid | undefined> {
    const instance = this.instances.get(instanceId);
    const { clock } = this.#context;
    const forMs = parseBusy(said);
    if (forMs === undefined) {
      if (instance) this.instances.misspoke(instance, said);
      return { kind: 'unreadable' };
    }
    const granted = sayBusy(this.pool, instanceId, forMs, clock.now());
    if (!instance || !granted) return undefined;
    // Said before it was frozen, and read after: it is to be awake.
    if (forMs > 0 && wakeAgain(this.pool, instanceId)) this.instances.thaw(instanceId);
    this.react();
    await this.instances.keepBusy(instance, granted.until);
    return { kind: 'granted', ...granted };
  }

  /** Asks all decisions and does what they say, until the next change or the time they name. */
  react(): void {
    if (this.#isClosed) return;
    const now = this.#context.clock.now();
    const { use } = this.pool;
    const short = lackingRoom(this.pool);
    if (short > 0) use?.makeRoom(use.room() + short, this.#giveRoom);
    const next = plan(this.pool, now);
    if (next.lacking > 0) use?.awaitRoom(this.#reactSoon);
    for (const requestId of next.overQuota)
      this.#take(requestId)?.settle(refuse(noInstanceLeft(use)));
    for (const { requestId, instanceId, start } of next.dispatch) {
      const waiter = this.#take(requestId);
      if (waiter) waiter.settle(this.#lease(instanceId, start, now - waiter.since, waiter.use));
      else endLease(this.pool, instanceId, false, now);
    }
    for (const requestId of next.timedOut)
      this.#take(requestId)?.settle(refuse(waitedTooLong(this.pool)));
    for (const requestId of next.refused)
      this.#take(requestId)?.settle(refuse(backingOff(this.pool, this.failure, now)));
    for (const id of next.thaw) this.instances.thaw(id);
    for (const id of next.start) this.instances.startParked(id);
    for (let count = 0; count < next.create; count += 1) this.instances.create(next.because);
    this.#alarm.set([next.lookAgainAt, ...this.#tend(now)]);
    this.#preparing.look(
      now < this.pool.backoffUntil ? backingOff(this.pool, this.failure, now) : undefined,
    );
  }

  /** What the decisions about time say; when they want to be asked again. */
  #tend(now: number): readonly (number | undefined)[] {
    const { pool, instances } = this;
    const recycles = recyclesDue(pool, now);
    for (const { instanceId, how, because } of recycles.recycles) {
      if (how === 'replace' && pool.use?.room() === 0)
        this.#recycleWithoutRoom(instanceId, because);
      else if (how === 'replace') instances.create(because, instanceId);
      else if (how === 'leave') leave(pool, instanceId, because, now);
      else this.#parkInstead(instanceId, because);
    }
    const rests = restsDue(pool, this.deployment.configuration.idle, now);
    for (const { instanceId, how, because } of rests.rests) {
      if (how === 'freeze' && this.#context.engine.powers.freeze)
        instances.resting.freeze(instanceId, because);
      else this.#stopToRest(instanceId, because);
    }
    const drains = drainsDue(pool, now);
    const why = (id: InstanceId) => pool.instances.get(id)?.because ?? 'drained';
    for (const id of drains.stop) instances.endings.retire(id, why(id));
    for (const id of drains.force) instances.endings.force(id, why(id));
    for (const id of drains.look) instances.endings.look(id);
    return [recycles.lookAgainAt, rests.lookAgainAt, drains.lookAgainAt];
  }

  /** Without room for both the old one goes first, as soon as it holds nothing; until then it serves on. */
  #recycleWithoutRoom(id: InstanceId, because: string): void {
    const { pool } = this;
    pool.use?.awaitRoom(this.#reactSoon);
    const instance = pool.instances.get(id);
    if (instance?.phase === 'ready' && instance.inFlight === 0)
      leave(pool, id, because, this.#context.clock.now());
  }

  /** Another deployment of the team needs an instance, and the plan allows no more: an idle one gives way. */
  readonly #giveRoom = (): boolean => {
    const { pool } = this;
    if (this.#isClosed || pool.isPreparing || pool.waiting.size > 0) return false;
    const ready = [...pool.instances.values()].filter(({ phase }) => phase === 'ready');
    if (ready.length <= pool.scale.min) return false;
    const now = this.#context.clock.now();
    const idle = ready.find((one) => one.inFlight === 0 && !one.isSuspect && !isBusy(one, now));
    if (!idle) return false;
    const because = 'idle, and another deployment of the team needs an instance';
    if (this.#context.engine.powers.freeze) this.instances.resting.freeze(idle.id, because);
    else this.#stopToRest(idle.id, because);
    return true;
  };

  /** Not at once: whoever makes room is in the middle of a decision of its own. */
  readonly #reactSoon = (): void => {
    void Promise.resolve().then(() => this.react());
  };

  /** Brings a deployment that was just verified to its rest. */
  restNow(id: InstanceId): void {
    const { idle } = this.deployment.configuration;
    const because = 'verified by its deploy, no request yet';
    const instance = this.pool.instances.get(id);
    if (idle === 'run' || instance?.inFlight !== 0) return;
    if (isBusy(instance, this.#context.clock.now())) return;
    if (idle === 'freeze' && this.#context.engine.powers.freeze)
      this.instances.resting.freeze(id, because);
    else this.#stopToRest(id, because);
  }

  /** Resting instances for the memory budget. */
  resting(): readonly Omit<Resting, 'heldBytes'>[] {
    const kept = firstResting(this.pool);
    const resting: Omit<Resting, 'heldBytes'>[] = [];
    for (const instance of this.pool.instances.values()) {
      if (instance.phase !== 'frozen' && instance.phase !== 'parked') continue;
      resting.push({
        instanceId: instance.id,
        deploymentId: this.deployment.id,
        tier: instance.isReclaimed ? 'reclaimed' : instance.phase,
        lastUsedAt: instance.idleSince,
        isExtra: instance !== kept,
      });
    }
    return resting;
  }

  /** Steps a resting instance down; one that was woken meanwhile is left alone. */
  demote({ instanceId, to, because }: Demotion): void {
    const phase = this.pool.instances.get(instanceId)?.phase;
    if (phase !== 'frozen' && phase !== 'parked') return;
    this.#context.reporter.report('info', 'instance.demoted', {
      instance: instanceId,
      to,
      because,
    });
    if (to === 'reclaimed') this.instances.resting.reclaim(instanceId, because);
    else if (to === 'parked') this.#parkInstead(instanceId, because);
    else this.instances.endings.retire(instanceId, because);
  }

  /** Takes no more requests; resolves when all instances are drained and removed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.pool.use?.withdraw(this.#giveRoom);
    this.#alarm.close();
    this.#preparing.look(
      new BerthError('DEPLOYMENT_NOT_FOUND', { detail: `${this.deployment.id} was removed.` }),
    );
    const removed = refuse(
      new BerthError('NOT_FOUND', { detail: `${this.deployment.id} was removed.` }),
    );
    for (const requestId of [...this.#waiters.keys()]) {
      cancel(this.pool, requestId);
      this.#take(requestId)?.settle(removed);
    }
    // A spare that is just being parked joins the pool afterwards, and leaves in the next round.
    do {
      const now = this.#context.clock.now();
      for (const id of this.pool.instances.keys()) leave(this.pool, id, REMOVED, now);
      await this.#drained();
      await this.instances.settled();
    } while (this.pool.instances.size > 0);
  }

  /** Lets go without touching any instance: they outlive the control plane. */
  release(): void {
    this.#isClosed = true;
    this.#alarm.close();
    const stopping = refuse(new BerthError('SHUTTING_DOWN', { retryAfterSeconds: 1 }));
    for (const requestId of [...this.#waiters.keys()]) this.#take(requestId)?.settle(stopping);
  }

  async #drained(): Promise<void> {
    for (;;) {
      const now = this.#context.clock.now();
      const drains = drainsDue(this.pool, now);
      for (const id of drains.stop) this.instances.endings.retire(id, REMOVED);
      for (const id of drains.force) this.instances.endings.force(id, REMOVED);
      if (this.pool.instances.size === 0) return;
      await this.#context.clock.sleep(DRAIN_LOOK_MS);
    }
  }

  #wait(
    requestId: RequestId,
    since: number,
    signal: AbortSignal,
    use: TeamUse | undefined,
  ): Promise<Acquired> {
    return new Promise((resolve) => {
      const onAbort = () => {
        cancel(this.pool, requestId);
        this.#take(requestId)?.settle({ kind: 'cancelled' });
      };
      const settle = (result: Acquired) => {
        signal.removeEventListener('abort', onAbort);
        if (result.kind !== 'leased') use?.done();
        resolve(result);
      };
      this.#waiters.set(requestId, { since, use, settle });
      signal.addEventListener('abort', onAbort, { once: true });
      this.react();
    });
  }

  #take(requestId: RequestId): Waiter | undefined {
    const waiter = this.#waiters.get(requestId);
    this.#waiters.delete(requestId);
    return waiter;
  }

  #lease(
    instanceId: InstanceId,
    start: StartKind,
    waitMs: number,
    use: TeamUse | undefined,
  ): Acquired {
    const instance = this.instances.get(instanceId);
    if (instance?.host === undefined || instance.port === undefined) {
      throw new Error(`instance ${instanceId} is ready but has no address`);
    }
    const { host, port } = instance;
    const times = start === 'warm' ? AT_ONCE : instance.times;
    const lease = new HeldLease(instance, { host, port }, { start, waitMs, times }, (how) => {
      use?.done();
      this.#endLease(instanceId, how);
    });
    return { kind: 'leased', lease };
  }

  #endLease(instanceId: InstanceId, how: LeaseEnd): void {
    const now = this.#context.clock.now();
    endLease(this.pool, instanceId, how === 'done', now);
    if (how === 'refused') leave(this.pool, instanceId, 'it refused a connection', now);
    if (how === 'died') this.#lookAfter(instanceId);
    const instance = this.pool.instances.get(instanceId);
    if (this.pool.waiting.size > 0 || instance?.phase === 'leaving') this.react();
    else if (instance?.inFlight === 0)
      this.#alarm.set([now + this.pool.limits.timeoutMs, this.#alarm.at]);
  }

  /** A connection broke: the instance may have ended before the engine's event arrives. */
  #lookAfter(instanceId: InstanceId): void {
    if (!suspect(this.pool, instanceId)) return;
    this.#context.engine.look(instanceId).then(
      (look) => {
        if (look.kind === 'exited') {
          this.instances.endings.exited(instanceId, look.exit);
          return;
        }
        acquit(this.pool, instanceId);
        this.react();
      },
      (error: unknown) => void this.#notSeen(instanceId, error),
    );
  }

  /** An engine that does not answer says nothing about the instance: others' requests on it go on. */
  async #notSeen(instanceId: InstanceId, error: unknown): Promise<void> {
    if (!(error instanceof BerthError && error.code === 'ENGINE_UNAVAILABLE')) {
      this.instances.endings.exited(instanceId, undefined);
      return;
    }
    await this.#context.clock.sleep(LOOK_AGAIN_MS);
    acquit(this.pool, instanceId);
    if (!this.#isClosed) this.#lookAfter(instanceId);
  }

  #stopToRest(instanceId: InstanceId, because: string): void {
    if (this.#context.engine.powers.park) this.#parkInstead(instanceId, because);
    else this.instances.endings.retire(instanceId, because);
  }

  #parkInstead(instanceId: InstanceId, because: string): void {
    const lastUsedAt = this.pool.instances.get(instanceId)?.idleSince;
    this.instances.endings.retire(instanceId, because);
    this.instances.resting.park(because, lastUsedAt);
  }
}

/** How soon a suspect is looked at again when the engine did not answer, in ms. */
const LOOK_AGAIN_MS = 1_000;

const AT_ONCE = { bootMs: 0, portMs: 0 };

const REMOVED = 'the deployment is being removed';

/** How often a deployment that is being removed is looked at while requests run, in ms. */
const DRAIN_LOOK_MS = 20;
