/** One world from a seed: clients, apps and faults around the real router and scheduler, then calm. */
import type { Deployment, DeploymentId } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import { createMemoryEngine, type MemoryEngine } from '../src/engines/memory/engine.ts';
import type { InstanceSpec } from '../src/ports/engine.ts';
import type { Logs } from '../src/ports/logs.ts';
import { RouteTable } from '../src/core/route.ts';
import { createRouter, type Router } from '../src/router/router.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { MemoryStore } from '../src/stores/memory/store.ts';
import { Apps, drawBusy } from './app.ts';
import { Books } from './asking.ts';
import { Attempts } from './attempts.ts';
import { Call, type CallOptions } from './call.ts';
import { VirtualClock } from './clock.ts';
import { drawDeployment, drawMore, drawQuiet } from './deployments.ts';
import { faultyEngine } from './faulty-engine.ts';
import {
  drawFaults,
  drawNewerFaults,
  type Faults,
  knobsFor,
  NO_FAULTS,
  storeWithFaults,
} from './faults.ts';
import { checkCalm, checkSafety } from './invariants.ts';
import { KeptConnection } from './kept-connections.ts';
import { Network } from './network.ts';
import { Promises } from './promises.ts';
import { Releasing } from './releasing.ts';
import { SeededRandom } from './random.ts';
import { Team } from './team.ts';

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
  /** Requests of which it was proven that an app had read nothing. */
  readonly proofs: number;
  /** Promises to let an instance be busy. */
  readonly busy: number;
  /** Scanners that were told that nobody is awake. */
  readonly asleep: number;
  /** Requests that a team's plan had no room for. */
  readonly overQuota: number;
  /** Requests that came on a connection that had carried another one. */
  readonly reused: number;
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
  /** All that there are. */
  readonly deployments: readonly Deployment[];
  /** Those that are asked and released at will. */
  readonly #open: readonly Deployment[];
  /** Asked by scanners only; absent in worlds of before. */
  readonly quiet: Deployment | undefined;
  readonly team: Team | undefined;
  readonly attempts: Attempts;
  readonly promises: Promises;
  readonly books: Books;
  readonly calls: Call[] = [];
  readonly trace: string[] = [];
  /** When the engine answered again after it had been down. */
  engineUpAt = 0;
  /** Nothing is wrong any more, and everybody is asked. */
  isCalm = false;
  scheduler!: Scheduler;
  router!: Router;
  #routes!: RouteTable;
  readonly releasing: Releasing;
  readonly #seed: number;
  /** Draws what is newer than the seeds that are kept: those shall go on meaning what they did. */
  readonly #newer: SeededRandom;
  readonly #isOld: boolean;
  readonly #hasReleases: boolean;
  readonly #hasSwap: boolean;
  readonly #hasEngineTrouble: boolean;
  #life: Life = { isOver: false };
  /** Clients that keep their connections. */
  #kept: readonly KeptConnection[] = [];

  /** `isOld`: only with what there was when the seeds that found a mistake were found. */
  constructor(seed: number, isOld = false) {
    this.#seed = seed;
    this.#isOld = isOld;
    this.random = new SeededRandom(seed);
    this.#newer = new SeededRandom(~seed);
    this.#hasReleases = !isOld && this.#newer.chance(0.5);
    this.#hasSwap = this.random.chance(0.5);
    this.#hasEngineTrouble = this.random.chance(0.3);
    this.faults = drawFaults(this.random);
    if (!isOld) drawNewerFaults(this.faults, this.#newer);
    const { clock, faults, network, random } = this;
    const onViolation = (text: string) => void this.books.violations.push(text);
    this.attempts = new Attempts(onViolation);
    const durationMs = (id: DeploymentId) => this.#durationMs(id);
    const note = (text: string) => this.note(text);
    const onRunsOn = () => this.team?.allowMore();
    this.promises = new Promises({ clock, durationMs, note, onRunsOn, onViolation });
    this.apps = new Apps({
      ...{ clock, faults, network, random, onViolation },
      attempts: this.attempts,
      newer: isOld ? undefined : this.#newer,
      exit: (id, exit) => void this.engine.crash(id, exit),
    });
    this.books = new Books({
      clock,
      durationMs,
      isAlive: (id) => this.apps.isAlive(id),
      onProof: (id, sent) => {
        const number = sent && this.apps.numberFrom(id, sent.localPort);
        this.note(`${id} read nothing of ${number === undefined ? 'what comes' : `#${number}`}`);
        this.attempts.provenUnread(number, id);
      },
      promises: this.promises,
      note,
    });
    this.engine = createMemoryEngine({
      clock,
      knobs: knobsFor(faults, random, (id) => this.apps.connections(id)),
      run: (spec: InstanceSpec) => this.apps.run(spec),
    });
    const drawn = Array.from({ length: random.between(1, 4) }, (_, index) =>
      drawDeployment(random, `app${index}`),
    );
    this.#open = isOld ? drawn : drawn.map((one) => drawMore(one, this.#newer));
    const newer = isOld ? undefined : this.#newer;
    this.quiet = newer?.chance(0.5) ? drawQuiet(newer) : undefined;
    this.team = newer?.chance(0.5) ? new Team(newer) : undefined;
    const quiet = this.quiet ? [this.quiet] : [];
    this.deployments = [...this.#open, ...quiet, ...(this.team?.deployments ?? [])];
    this.releasing = new Releasing({
      ...{ deployments: this.#open, random: this.#newer, clock, note, onViolation },
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
      this.network.end();
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
      proofs: this.attempts.proofs,
      busy: this.promises.made,
      asleep: count((call) => call.error === 'ASLEEP'),
      overQuota: count((call) => call.error.startsWith('QUOTA_')),
      reused: count((call) => call.isReused),
      faults: this.faults,
      trace: this.trace,
    };
  }

  /** One request to each deployment, as nothing is wrong any more. */
  async askAll(): Promise<readonly Call[]> {
    const isPlain = true;
    const calls = this.deployments
      .filter(({ id }) => !this.team?.has(id))
      .map((deployment) => this.#call(deployment, { isPlain }));
    const { host } = this.releasing;
    const [first] = this.#open;
    if (host !== undefined && first) calls.push(this.#call(first, { isPlain, host }));
    await this.clock.advance(60_000);
    // One after the other: a team with room for one instance can still serve them all.
    for (const deployment of this.team?.deployments ?? []) {
      calls.push(this.#call(deployment, { isPlain }));
      await this.clock.advance(60_000);
    }
    return calls;
  }

  note(text: string): void {
    this.trace.push(`${this.clock.now()} ${text}`);
  }

  async #step(): Promise<void> {
    const { random } = this;
    if (this.#hasReleases) this.#stepReleases();
    if (!this.#isOld) this.#stepNewer();
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
    const [first] = this.#open;
    if (this.#newer.chance(0.1)) void this.releasing.release();
    if (host === undefined || !first || this.#newer.chance(0.6)) return;
    for (let count = this.#newer.between(1, 12); count > 0; count -= 1) this.#call(first, { host });
  }

  /** A small team at work, scanners, and instances that say of themselves that they are busy. */
  #stepNewer(): void {
    const { team } = this;
    const random = this.#newer;
    if (team && random.chance(0.2)) {
      const deployment = random.any(team.deployments);
      const count = random.chance(0.2) ? random.between(10, 30) : random.between(1, 4);
      for (let index = 0; index < count; index += 1) this.#call(deployment, { random });
    }
    const scanned = this.deployments.filter(({ configuration }) => configuration.wake);
    if (scanned.length > 0 && random.chance(0.2))
      this.#call(random.any(scanned), { random, isPlain: true, isProbe: true });
    if (random.chance(0.1)) this.#sayBusy();
  }

  /** As the door in a project's network passes it on. */
  #sayBusy(): void {
    const awake = this.scheduler.instances().filter(({ id }) => this.apps.isRunning(id));
    if (awake.length === 0) return;
    const { id } = this.#newer.any(awake);
    void this.promises.watch(this.scheduler, id, drawBusy(this.#newer));
  }

  #arrive(count: number): void {
    const deployment = this.#any(this.#open);
    for (let index = 0; index < count; index += 1) this.#call(deployment);
  }

  #call(
    deployment: Deployment,
    how: Partial<Pick<CallOptions, 'isPlain' | 'isProbe' | 'random' | 'host'>> = {},
  ): Call {
    const { clock, router } = this;
    const { activity } = this.network;
    const number = this.calls.length;
    const isOfEnvironment = how.host !== undefined;
    const call = new Call({
      ...{ number, deployment, isOfEnvironment, router, clock, activity },
      host: `${deployment.id}.localhost`,
      isPlain: false,
      random: isOfEnvironment ? this.#newer : this.random,
      ...(this.#isOld ? {} : this.#drawManners()),
      ...how,
    });
    this.calls.push(call);
    call.start();
    return call;
  }

  /** Whether a client keeps its connection for others of its requests, and whether it stays until all is sent. */
  #drawManners(): Partial<CallOptions> {
    const random = this.#newer;
    return {
      ...(random.chance(0.3) ? { agent: random.any(this.#kept) } : {}),
      ...(random.chance(0.1) ? { leavesAt: random.fraction() } : {}),
    };
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
    for (const connection of this.#kept) connection.cutOff();
    this.network.cutClients();
    await this.clock.advance(60_000);
    this.#createBerth();
    // Of no use to the next process is what does not listen, as the engine says.
    if (this.faults.neverListens > 0) this.promises.forget();
    await this.#start();
    this.promises.checkKept(this.scheduler);
  }

  /** A deployment is removed while it is used and waited for, and deployed again. */
  async #removeAndAdd(): Promise<void> {
    const deployment = this.#any(this.#open);
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
    this.isCalm = true;
    Object.assign(this.faults, NO_FAULTS);
    await this.clock.advance(600_000);
    this.engine.breakEvents();
    await this.clock.advance(2_000_000);
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
    return this.random.any(list);
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
      wakeRules: (id) => this.deployments.find((one) => one.id === id)?.configuration.wake,
      connect: (to) => this.network.connect(to),
      onAccess: ({ deploymentId = '', method, status, error = '', retries, totalMs }) =>
        this.note(`${deploymentId} ${method} ${status} ${error} ${retries} ${totalMs}`),
    });
    const { activity } = this.network;
    this.#kept = Array.from({ length: 3 }, () => new KeptConnection(this.router, activity));
  }

  #createScheduler(life: Life): Scheduler {
    return new Scheduler({
      secrets: { reveal: () => Promise.resolve({}) },
      engine: mortal(faultyEngine(this.engine, this), life),
      store: mortal(storeWithFaults(this.store, this.faults, this.random), life),
      logs: NO_LOGS,
      clock: mortal<Clock>(this.clock, life),
      random: this.random,
      probe: { status: ({ host }, signal) => this.apps.health(host, signal) },
      ...(this.team ? { quotas: this.team.createQuotas() } : {}),
      reporter: {
        report: (level, event, facts) => {
          this.note(`${level} ${event} ${JSON.stringify(facts)}`);
          if (facts['isHung'] === true) this.books.gaveUp.add(String(facts['instance']));
        },
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
