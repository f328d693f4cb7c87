/** One world from a seed: deployments, traffic and faults around the real scheduler, then calm. */
import type { Deployment, DeploymentId, IdleRest } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import { createMemoryEngine, type MemoryEngine } from '../src/engines/memory/engine.ts';
import type { Acquired, Lease } from '../src/ports/fleet.ts';
import type { Logs } from '../src/ports/logs.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { MemoryStore } from '../src/stores/memory/store.ts';
import { VirtualClock } from './clock.ts';
import { drawFaults, type Faults, knobsFor, NO_FAULTS, storeWithFaults } from './faults.ts';
import { checkCalm, checkSafety, type Request } from './invariants.ts';
import { SeededRandom } from './random.ts';

export interface Outcome {
  readonly seed: number;
  readonly requests: number;
  readonly leased: number;
  readonly refused: number;
  readonly cancelled: number;
  readonly faults: Faults;
  /** What happened, in order: the same for the same seed. */
  readonly trace: readonly string[];
}

/** Of one process of Berth. */
interface Life {
  isOver: boolean;
}

/** What a process sees of a part: after its end, nothing is called any more and no answer arrives. */
function mortal<T extends object>(part: T, life: Life): T {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => {
        if (life.isOver) return name === 'now' ? 0 : new Promise(() => {});
        const result: unknown = Reflect.apply(member, target, args);
        if (!(result instanceof Promise)) return result;
        return new Promise((resolve, reject) => {
          result.then(
            (value) => !life.isOver && resolve(value),
            (error: unknown) => !life.isOver && reject(error as Error),
          );
        });
      };
    },
  });
}

const NO_LOGS: Logs = {
  fileFor: (deploymentId, instanceId) => Promise.resolve(`${deploymentId}/${instanceId}.log`),
  read: () => Promise.resolve([]),
  follow: () => Promise.resolve(),
  prune: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

export class World {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  readonly faults: Faults;
  readonly engine: MemoryEngine;
  readonly store = new MemoryStore();
  readonly deployments: readonly Deployment[];
  readonly requests: Request[] = [];
  readonly trace: string[] = [];
  scheduler: Scheduler;
  readonly #seed: number;
  readonly #hasSwap: boolean;
  #life: Life = { isOver: false };

  constructor(seed: number) {
    this.#seed = seed;
    this.random = new SeededRandom(seed);
    this.#hasSwap = this.random.chance(0.5);
    this.faults = drawFaults(this.random);
    const knobs = knobsFor(this.faults, this.random);
    this.engine = createMemoryEngine({ clock: this.clock, knobs });
    this.deployments = Array.from({ length: this.random.between(1, 4) }, (_, index) =>
      this.#drawDeployment(index),
    );
    this.scheduler = this.#createScheduler();
  }

  /** Traffic and faults, safety checked after every step; then calm, and liveness. */
  async run(steps: number): Promise<Outcome> {
    await this.#start();
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      checkSafety(this);
    }
    await this.#calm();
    await checkCalm(this);
    const count = (kind: Acquired['kind']) =>
      this.requests.filter((request) => request.result?.kind === kind).length;
    return {
      seed: this.#seed,
      requests: this.requests.length,
      leased: count('leased'),
      refused: count('refused'),
      cancelled: count('cancelled'),
      faults: this.faults,
      trace: this.trace,
    };
  }

  note(text: string): void {
    this.trace.push(`${this.clock.now()} ${text}`);
  }

  async #step(): Promise<void> {
    const { random } = this;
    const what = random.fraction();
    if (what < 0.5) this.#arrive(random.between(1, 3));
    else if (what < 0.55) this.#arrive(random.between(10, 60));
    else if (what < 0.6) this.#cancelOne();
    else if (what < 0.65) await this.#crashOne();
    else if (what < 0.67) await this.#vanishOne();
    else if (what < 0.69) this.engine.breakEvents();
    else if (what < 0.7) await this.#restart();
    else if (what < 0.71) await this.#removeAndAdd();
    const pauses = [0, 1, 10, 100, 1_000, 10_000, 90_000];
    await this.clock.advance(pauses[random.between(0, pauses.length - 1)] ?? 0);
  }

  #arrive(count: number): void {
    const deployment = this.#any(this.deployments);
    for (let index = 0; index < count; index += 1) this.#request(deployment);
  }

  #request(deployment: Deployment): void {
    const abort = new AbortController();
    const request: Request = {
      number: this.requests.length,
      deploymentId: deployment.id,
      abort,
      result: undefined,
      isHeld: false,
      scheduler: this.scheduler,
    };
    this.requests.push(request);
    const holdMs = this.random.between(0, 20_000);
    void this.scheduler.acquire(deployment.id, abort.signal).then(async (result) => {
      request.result = result;
      this.note(`${deployment.id} #${request.number} ${result.kind}`);
      if (result.kind === 'leased') await this.#hold(request, result.lease, holdMs);
    });
  }

  async #hold(request: Request, lease: Lease, holdMs: number): Promise<void> {
    request.isHeld = true;
    await this.clock.sleep(holdMs, lease.lost);
    request.isHeld = false;
    lease.end(lease.lost.aborted ? 'died' : this.random.chance(0.02) ? 'refused' : 'done');
  }

  #cancelOne(): void {
    const waiting = this.requests.filter((request) => !request.result);
    if (waiting.length > 0) this.#any(waiting).abort.abort();
  }

  async #crashOne(): Promise<void> {
    const found = await this.#engineIds();
    if (found.length > 0)
      await this.engine.crash(this.#any(found), { code: 137, outOfMemory: false });
  }

  async #vanishOne(): Promise<void> {
    const found = await this.#engineIds();
    if (found.length > 0) await this.engine.vanish(this.#any(found));
  }

  /** Berth is killed and started again: what waited or ran is cut off, instances go on. */
  async #restart(): Promise<void> {
    this.note('restart');
    this.#life.isOver = true;
    await this.clock.advance(60_000);
    this.scheduler = this.#createScheduler();
    await this.#start();
  }

  /** A deployment is removed while it is used and waited for, and deployed again. */
  async #removeAndAdd(): Promise<void> {
    const deployment = this.#any(this.deployments);
    this.note(`remove ${deployment.id}`);
    await this.#withTime(this.scheduler.remove(deployment.id));
    this.scheduler.add(deployment);
  }

  /** A start that the engine refuses is tried again, as an operator would. */
  async #start(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#withTime(this.scheduler.start(this.deployments));
        return;
      } catch (error) {
        if (tries > 50) throw error;
        this.scheduler.stop();
        this.scheduler = this.#createScheduler();
      }
    }
  }

  async #calm(): Promise<void> {
    this.note('calm');
    Object.assign(this.faults, NO_FAULTS);
    await this.clock.advance(600_000);
    this.engine.breakEvents();
    await this.clock.advance(4_000_000);
  }

  async #engineIds(): Promise<readonly string[]> {
    return this.#withTime(this.engine.list()).then(
      (found) => found.map((instance) => instance.id),
      () => [],
    );
  }

  /** Waits for a promise while virtual time passes. */
  async #withTime<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const done = () => {
      isOver = true;
    };
    promise.then(done, done);
    for (let round = 0; !isOver && round < 10_000; round += 1) await this.clock.advance(100);
    return promise;
  }

  #any<T>(list: readonly T[]): T {
    const one = list[this.random.between(0, list.length - 1)];
    if (one === undefined) throw new Error('an empty list has no element');
    return one;
  }

  #drawDeployment(index: number): Deployment {
    const { random } = this;
    const id: DeploymentId = `app${index}-00000000`;
    const rests: readonly IdleRest[] = ['freeze', 'freeze', 'freeze', 'stop', 'run'];
    return {
      id,
      project: `app${index}`,
      source: { kind: 'image', reference: 'any' },
      configuration: {
        slot: { cpus: 0.125, memoryMiB: 512 },
        limits: {
          maxConcurrentReqs: random.between(1, 10),
          durationMs: random.between(30_000, 300_000),
          timeoutMs: random.between(1_000, 60_000),
        },
        scale: { min: 0, max: random.between(1, 8) },
        idle: this.#any(rests),
        env: {},
        buildEnv: {},
      },
      state: 'ready',
      image: { id: 'sha256:any', bytes: 1, layers: [], exposedPorts: [] },
      createdAt: 0,
      createdBy: 'sim',
    };
  }

  #createScheduler(): Scheduler {
    this.#life.isOver = true;
    const life = { isOver: false };
    this.#life = life;
    return new Scheduler({
      engine: mortal<MemoryEngine>(this.engine, life),
      store: mortal(storeWithFaults(this.store, this.faults, this.random), life),
      logs: NO_LOGS,
      clock: mortal<Clock>(this.clock, life),
      random: this.random,
      probe: { status: () => Promise.resolve(200) },
      reporter: {
        report: (level, event, facts) => this.note(`${level} ${event} ${JSON.stringify(facts)}`),
      },
      hostMemory: {
        observe: () =>
          Promise.resolve({
            availableBytes: this.random.between(0, 4) * 100 * 1024 * 1024,
            hasSwap: this.#hasSwap,
          }),
      },
      reserveBytes: 100 * 1024 * 1024,
      memoryBudgetBytes: 40 * 1024 * 1024,
      bootCap: 4,
      bootTimeoutMs: 30_000,
      stopGraceMs: 10_000,
      bounds: { maxWaiting: 200, maxWaitMs: 60_000 },
      onUnroute: () => {},
    });
  }
}
