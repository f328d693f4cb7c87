/** One world from a seed: clients, apps and faults around the real router and scheduler, then calm. */
import type { Deployment, DeploymentId, IdleRest } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import { createMemoryEngine, type MemoryEngine } from '../src/engines/memory/engine.ts';
import type { InstanceSpec } from '../src/ports/engine.ts';
import type { Logs } from '../src/ports/logs.ts';
import { RouteTable } from '../src/core/route.ts';
import { createRouter, type Router } from '../src/router/router.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { MemoryStore } from '../src/stores/memory/store.ts';
import { Apps } from './app.ts';
import { Books } from './asking.ts';
import { Call } from './call.ts';
import { VirtualClock } from './clock.ts';
import { faultyEngine } from './faulty-engine.ts';
import { drawFaults, type Faults, knobsFor, NO_FAULTS, storeWithFaults } from './faults.ts';
import { checkCalm, checkSafety } from './invariants.ts';
import { Network } from './network.ts';
import { Releasing } from './releasing.ts';
import { SeededRandom } from './random.ts';

export interface Outcome {
  readonly seed: number;
  readonly requests: number;
  /** Answered by an app. */
  readonly served: number;
  /** Answered by the router, with a code. */
  readonly refused: number;
  readonly cut: number;
  readonly cancelled: number;
  /** WebSockets that were accepted. */
  readonly sockets: number;
  readonly leases: number;
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
  readonly network = new Network();
  readonly clock = new VirtualClock(this.network.activity);
  readonly faults: Faults;
  readonly apps: Apps;
  readonly engine: MemoryEngine;
  readonly store = new MemoryStore();
  readonly deployments: readonly Deployment[];
  readonly books: Books;
  readonly calls: Call[] = [];
  readonly trace: string[] = [];
  /** When the engine answered again after it had been down. */
  engineUpAt = 0;
  scheduler!: Scheduler;
  router!: Router;
  #routes!: RouteTable;
  readonly releasing: Releasing;
  readonly #seed: number;
  /** Draws what is newer than the seeds that are kept: those shall go on meaning what they did. */
  readonly #newer: SeededRandom;
  readonly #hasReleases: boolean;
  readonly #hasSwap: boolean;
  readonly #hasEngineTrouble: boolean;
  #life: Life = { isOver: false };

  /** `isOld`: only with what there was when the seeds that found a mistake were found. */
  constructor(seed: number, isOld = false) {
    this.#seed = seed;
    this.random = new SeededRandom(seed);
    this.#newer = new SeededRandom(~seed);
    this.#hasReleases = !isOld && this.#newer.chance(0.5);
    this.#hasSwap = this.random.chance(0.5);
    this.#hasEngineTrouble = this.random.chance(0.3);
    this.faults = drawFaults(this.random);
    const { clock, faults, network, random } = this;
    this.apps = new Apps({
      ...{ clock, faults, network, random },
      exit: (id, exit) => void this.engine.crash(id, exit),
    });
    this.books = new Books({
      clock,
      durationMs: (id) => this.#durationMs(id),
      isAlive: (id) => this.apps.isAlive(id),
      note: (text) => this.note(text),
    });
    this.engine = createMemoryEngine({
      clock,
      knobs: knobsFor(faults, random),
      run: (spec: InstanceSpec) => this.apps.run(spec),
    });
    this.deployments = Array.from({ length: random.between(1, 4) }, (_, index) =>
      this.#drawDeployment(index),
    );
    this.releasing = new Releasing({
      ...{ deployments: this.deployments, random: this.#newer, clock },
      note: (text) => this.note(text),
      onViolation: (text) => this.books.violations.push(text),
    });
    this.#createBerth();
  }

  /** Traffic and faults, safety checked after every step; then calm, and liveness. */
  async run(steps: number): Promise<Outcome> {
    try {
      await this.#start();
      for (let step = 0; step < steps; step += 1) {
        await this.#step();
        checkSafety(this);
      }
      await this.#calm();
      await checkCalm(this);
    } finally {
      this.router.server.close();
      this.apps.close();
    }
    const count = (test: (call: Call) => boolean) => this.calls.filter(test).length;
    return {
      seed: this.#seed,
      requests: this.calls.length,
      served: count((call) => call.outcome === 'answered' && call.error === ''),
      refused: count((call) => call.error !== ''),
      cut: count((call) => call.outcome === 'cut'),
      cancelled: count((call) => call.outcome === 'cancelled'),
      sockets: count((call) => call.status === 101),
      leases: this.books.askings.length,
      faults: this.faults,
      trace: this.trace,
    };
  }

  /** One request to each deployment, as nothing is wrong any more. */
  async askAll(): Promise<readonly Call[]> {
    const calls = this.deployments.map((deployment) => this.#call(deployment, true));
    const { host } = this.releasing;
    const [first] = this.deployments;
    if (host !== undefined && first) calls.push(this.#call(first, true, host));
    await this.clock.advance(60_000);
    return calls;
  }

  note(text: string): void {
    this.trace.push(`${this.clock.now()} ${text}`);
  }

  async #step(): Promise<void> {
    const { random } = this;
    if (this.#hasReleases) this.#stepReleases();
    const what = random.fraction();
    if (what < 0.5) this.#arrive(random.between(1, 3));
    else if (what < 0.55) this.#arrive(random.between(10, 60));
    else if (what < 0.6) this.#cancelOne();
    else if (what < 0.65) await this.#crashOne();
    else if (what < 0.67) await this.#vanishOne();
    else if (what < 0.69) this.engine.breakEvents();
    else if (what < 0.7) await this.#restart();
    else if (what < 0.71) await this.#removeAndAdd();
    else if (what < 0.72) await this.#freezeOne();
    else if (what < 0.73 && this.#hasEngineTrouble) await this.#engineDown();
    const pauses = [0, 1, 10, 100, 1_000, 10_000, 90_000];
    await this.clock.advance(pauses[random.between(0, pauses.length - 1)] ?? 0);
  }

  #stepReleases(): void {
    const { host } = this.releasing;
    const [first] = this.deployments;
    if (this.#newer.chance(0.1)) void this.releasing.release();
    if (host === undefined || !first || this.#newer.chance(0.6)) return;
    for (let count = this.#newer.between(1, 12); count > 0; count -= 1)
      this.#call(first, false, host);
  }

  #arrive(count: number): void {
    const deployment = this.#any(this.deployments);
    for (let index = 0; index < count; index += 1) this.#call(deployment);
  }

  #call(deployment: Deployment, isPlain = false, environment?: string): Call {
    const { clock, random, router } = this;
    const { activity } = this.network;
    const number = this.calls.length;
    const host = environment ?? `${deployment.id}.localhost`;
    const isOfEnvironment = environment !== undefined;
    const call = new Call({
      ...{ number, deployment, host, isOfEnvironment, router, clock, activity, isPlain },
      random: isOfEnvironment ? this.#newer : random,
    });
    this.calls.push(call);
    call.start();
    return call;
  }

  #cancelOne(): void {
    const open = this.calls.filter(({ outcome }) => outcome === 'open');
    if (open.length > 0) this.#any(open).cancel();
  }

  async #crashOne(): Promise<void> {
    const found = await this.#engineIds();
    if (found.length > 0)
      await this.engine.crash(this.#any(found), {
        code: 137,
        outOfMemory: this.random.chance(0.3),
      });
  }

  async #freezeOne(): Promise<void> {
    const found = await this.#engineIds();
    if (found.length > 0)
      void this.apps.freezeFromOutside(this.#any(found), this.random.between(1, 30_000));
  }

  async #engineDown(): Promise<void> {
    this.note('the engine is down');
    this.faults.engineDown = 1;
    await this.clock.advance(this.random.between(1, 20_000));
    this.faults.engineDown = 0;
    this.engineUpAt = this.clock.now();
  }

  async #vanishOne(): Promise<void> {
    const found = await this.#engineIds();
    if (found.length > 0) await this.engine.vanish(this.#any(found));
  }

  /** Berth is killed and started again: what waited or ran is cut off, instances go on. */
  async #restart(): Promise<void> {
    this.note('restart');
    this.#life.isOver = true;
    this.router.server.close();
    for (const call of this.calls) if (call.outcome === 'open') call.cutOff();
    this.network.cutClients();
    await this.clock.advance(60_000);
    this.#createBerth();
    await this.#start();
  }

  /** A deployment is removed while it is used and waited for, and deployed again. */
  async #removeAndAdd(): Promise<void> {
    const deployment = this.#any(this.deployments);
    if (this.releasing.uses(deployment.id)) return;
    this.note(`remove ${deployment.id}`);
    await this.#withTime(this.scheduler.remove(deployment.id));
    this.note(`add ${deployment.id}`);
    this.scheduler.add(deployment);
  }

  /** A start that the engine refuses is tried again, as an operator would. */
  async #start(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#withTime(this.scheduler.start(this.deployments));
        this.releasing.follow(this.scheduler, this.#routes);
        return;
      } catch (error) {
        if (tries > 50) throw error;
        this.scheduler.stop();
        this.router.server.close();
        this.#createBerth();
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

  #durationMs(id: DeploymentId): number {
    return this.deployments.find((one) => one.id === id)?.configuration.limits.durationMs ?? 0;
  }

  /** A new process of Berth: what the one before held in memory is gone. */
  #createBerth(): void {
    this.#life.isOver = true;
    const life = { isOver: false };
    this.#life = life;
    this.scheduler = this.#createScheduler(life);
    this.#routes = new RouteTable({ domain: 'localhost' });
    for (const { id } of this.deployments) this.#routes.addDeployment(id);
    this.releasing.leave();
    this.router = createRouter({
      fleet: this.books.watch(this.scheduler),
      routes: this.#routes,
      platform: (_req, res) => res.end(),
      clock: mortal<Clock>(this.clock, life),
      random: this.random,
      version: '0',
      limits: { socketsPerClient: 100_000, upstreamKeepAliveMs: 3_600_000 },
      durationMs: (id) => this.#durationMs(id),
      connect: (to) => this.network.connect(to),
      onAccess: ({ deploymentId = '', method, status, error = '', retries, totalMs }) =>
        this.note(`${deploymentId} ${method} ${status} ${error} ${retries} ${totalMs}`),
    });
  }

  #createScheduler(life: Life): Scheduler {
    return new Scheduler({
      secrets: { reveal: () => Promise.resolve({}) },
      engine: mortal(faultyEngine(this.engine, this), life),
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
      onUnroute: (id) => this.router.forget(id),
    });
  }
}
