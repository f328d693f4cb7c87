/** The fleet: one runner for each deployment that has been asked for, the engine's events, and the memory budget. */
import { isBusy } from '../core/busy.ts';
import { BerthError } from '../core/errors.ts';
import type {
  Deployment,
  DeploymentId,
  InstanceId,
  InstanceState,
  InstanceView,
  Scale,
} from '../core/model.ts';
import { NEVER_ASKED, type PoolInstance, runningMs } from '../core/pool.ts';
import type { EngineEvent } from '../ports/engine.ts';
import type { Acquired, BusySaid, Fleet, Scaling, Verified } from '../ports/fleet.ts';
import { adoptAll, removeUnknown } from './adopt.ts';
import { BootPermits } from './boot-permits.ts';
import { keepBudget } from './budget.ts';
import type { Context, SchedulerOptions } from './context.ts';
import { Runner } from './runner.ts';
import { Runners } from './runners.ts';
import { watchStillness } from './stillness.ts';
import { verify } from './verify.ts';

/** How long after a failed removal what is left over is looked at again, in ms. */
const SWEEP_AFTER_MS = 30_000;

/** How often the host's memory is looked at while instances rest, in ms. */
const PRESSURE_LOOK_MS = 5_000;

export class Scheduler implements Fleet, Scaling {
  readonly #context: Context;
  readonly #runners: Runners;
  /** Those that the deploys are still looking at: not yet to be found by requests. */
  readonly #verifying = new Map<DeploymentId, Runner>();
  /** Those of removed deployments, until their last request has ended. */
  readonly #closing = new Set<Runner>();
  readonly #stop = new AbortController();
  #budget: Promise<void> = Promise.resolve();
  #isBudgetAsked = false;
  #isSweepAsked = false;
  #isPressureWatched = false;

  constructor(options: SchedulerOptions) {
    this.#context = {
      ...options,
      permits: new BootPermits(options.bootCap),
      onRest: () => this.#askBudget(),
      onLeftover: () => this.#sweepLater(),
    };
    this.#runners = new Runners(this.#context);
  }

  /** Before `start`: instances of it are taken over, and from then on it can be asked for. */
  know(deployment: Deployment): void {
    this.#runners.know(deployment);
  }

  /**
   * Takes over what the engine still has of the deployments that are known, and of these; removes what is left of others,
   * and follows the engine. Scales that were set before say how many may stay.
   */
  async start(deployments: readonly Deployment[] = []): Promise<void> {
    for (const deployment of deployments) this.know(deployment);
    await adoptAll(this.#context, this.#runners);
    this.#askBudget();
    void watchStillness(this.#context, () => this.#allRunners(), this.#stop.signal);
    void this.#context.engine.watch((event) => this.#engineSays(event), this.#stop.signal);
  }

  /** Lets go of everything without touching an instance. */
  stop(): void {
    this.#stop.abort();
    for (const runner of this.#allRunners()) runner.release();
  }

  acquire(deploymentId: DeploymentId, signal: AbortSignal, mayWake = true): Promise<Acquired> {
    if (this.#stop.signal.aborted) {
      const error = new BerthError('SHUTTING_DOWN', { retryAfterSeconds: 1 });
      return Promise.resolve({ kind: 'refused', error });
    }
    const runner = this.#runners.of(deploymentId);
    if (runner) return Promise.resolve(runner.acquire(signal, mayWake));
    const error = new BerthError('NOT_FOUND', {
      detail: `There is no deployment ${deploymentId}.`,
    });
    return Promise.resolve({ kind: 'refused', error });
  }

  async verify(deployment: Deployment): Promise<Verified> {
    const runner = new Runner(deployment, this.#context);
    this.#verifying.set(deployment.id, runner);
    try {
      return await verify(this.#context, runner);
    } catch (error) {
      this.#verifying.delete(deployment.id);
      await runner.close();
      throw error;
    }
  }

  add(deployment: Deployment): void {
    const verified = this.#verifying.get(deployment.id);
    this.#verifying.delete(deployment.id);
    if (this.#runners.has(deployment.id)) return;
    const runner = verified ?? new Runner(deployment, this.#context);
    this.#runners.add(runner);
    if (verified) this.#askBudget();
    runner.react();
  }

  setScale(deploymentId: DeploymentId, scale: Scale | undefined): void {
    this.#runners.setScale(deploymentId, scale);
  }

  async prepare(
    deploymentId: DeploymentId,
    count: number,
    signal: AbortSignal,
  ): Promise<() => void> {
    const runner = this.#runners.of(deploymentId);
    if (runner) return runner.prepare(count, AbortSignal.any([signal, this.#stop.signal]));
    const detail = `There is no deployment ${deploymentId}.`;
    throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail });
  }

  async remove(deploymentId: DeploymentId): Promise<void> {
    const runner = this.#runners.take(deploymentId) ?? this.#verifying.get(deploymentId);
    if (!runner) return;
    this.#closing.add(runner);
    try {
      await runner.close();
    } finally {
      this.#closing.delete(runner);
    }
  }

  instances(deploymentId?: DeploymentId): readonly InstanceView[] {
    const runners = deploymentId === undefined ? this.#allRunners() : this.#runnersOf(deploymentId);
    const now = this.#context.clock.now();
    return [...runners].flatMap((runner) =>
      [...runner.pool.instances.values()].map((instance) => view(runner, instance, now)),
    );
  }

  because(deploymentId: DeploymentId): string | undefined {
    if (!this.#runners.has(deploymentId)) return undefined;
    return this.#runners.made(deploymentId)?.pool.because ?? NEVER_ASKED;
  }

  async sayBusy(instanceId: InstanceId, said: string): Promise<BusySaid> {
    return (await this.#runnerOf(instanceId)?.sayBusy(instanceId, said)) ?? { kind: 'unknown' };
  }

  instanceAt(host: string): { readonly id: InstanceId; readonly project: string } | undefined {
    for (const { deployment, instances, pool } of this.#allRunners()) {
      const id = instances.at(host);
      // One that has left the pool may have left its address to another one already.
      if (id !== undefined && pool.instances.has(id)) return { id, project: deployment.project };
    }
    return undefined;
  }

  /** Requests that wait for an instance now, over all deployments. */
  waiting(): number {
    let count = 0;
    for (const runner of this.#runners.values()) count += runner.pool.waiting.size;
    return count;
  }

  *#runnersOf(id: DeploymentId): Generator<Runner> {
    const runners = [this.#runners.made(id), this.#verifying.get(id)];
    for (const runner of runners) if (runner) yield runner;
    for (const runner of this.#closing) if (runner.deployment.id === id) yield runner;
  }

  *#allRunners(): Generator<Runner> {
    yield* this.#runners.values();
    yield* this.#verifying.values();
    yield* this.#closing;
  }

  #engineSays(event: EngineEvent): void {
    if (event.kind === 'resync') {
      void this.#resync();
      return;
    }
    this.#runnerOf(event.id)?.instances.endings.exited(
      event.id,
      event.kind === 'exited' ? event.exit : undefined,
    );
  }

  /** Events may have been missed: compares what the engine has with what the pools believe. */
  async #resync(): Promise<void> {
    const { engine, reporter } = this.#context;
    try {
      const before = new Map(
        [...this.#allRunners()].flatMap((runner) =>
          // What is still being made may be missing from a list that was begun before.
          runner.instances.ids().flatMap((id) => {
            const isMade = runner.instances.get(id)?.host !== undefined;
            return isMade ? [[id, runner] as const] : [];
          }),
        ),
      );
      const found = new Map((await engine.list()).map((instance) => [instance.id, instance]));
      for (const [id, runner] of before) {
        const instance = found.get(id);
        if (!instance || instance.state === 'exited')
          runner.instances.endings.exited(id, instance?.exit);
      }
      const isKnown = (id: InstanceId) => this.#runnerOf(id)?.instances.get(id) !== undefined;
      const left = await removeUnknown(this.#context, [...found.values()], isKnown);
      if (left > 0) this.#sweepLater();
    } catch (error) {
      reporter.report('warn', 'scheduler.resync-failed', { error: String(error) });
      this.#sweepLater();
    }
  }

  #sweepLater(): void {
    if (this.#isSweepAsked) return;
    this.#isSweepAsked = true;
    void this.#context.clock.sleep(SWEEP_AFTER_MS, this.#stop.signal).then(() => {
      this.#isSweepAsked = false;
      if (!this.#stop.signal.aborted) void this.#resync();
    });
  }

  /** While anything rests, the host's own memory is looked at again and again. */
  #watchPressure(): void {
    if (this.#isPressureWatched) return;
    this.#isPressureWatched = true;
    void this.#context.clock.sleep(PRESSURE_LOOK_MS, this.#stop.signal).then(() => {
      this.#isPressureWatched = false;
      this.#askBudget();
    });
  }

  #runnerOf(id: InstanceId): Runner | undefined {
    const deploymentId = id.slice(0, id.lastIndexOf('.'));
    for (const runner of this.#closing) if (runner.instances.get(id)) return runner;
    return this.#runners.made(deploymentId) ?? this.#verifying.get(deploymentId);
  }

  /** One look at the budget at a time; asked meanwhile, once more afterwards. */
  #askBudget(): void {
    if (this.#isBudgetAsked || this.#stop.signal.aborted) return;
    this.#isBudgetAsked = true;
    this.#budget = this.#budget
      .then(() => {
        this.#isBudgetAsked = false;
        return keepBudget(this.#context, this.#runners);
      })
      .then((resting) => {
        if (resting > 0) this.#watchPressure();
      })
      .catch((error: unknown) =>
        this.#context.reporter.report('warn', 'scheduler.budget-failed', { error: String(error) }),
      );
  }
}

function view(runner: Runner, instance: PoolInstance, now: number): InstanceView {
  const { host, port } = runner.instances.get(instance.id) ?? {};
  return {
    id: instance.id,
    deploymentId: runner.deployment.id,
    state: stateOf(instance, now),
    inFlight: instance.inFlight,
    createdAt: instance.createdAt,
    runningMs: runningMs(instance, now),
    ...(host === undefined || port === undefined ? {} : { address: `${host}:${port}` }),
    ...(isBusy(instance, now) ? { busyUntil: instance.busyUntil } : {}),
    because: becauseOf(instance, now),
  };
}

function becauseOf(instance: PoolInstance, now: number): string {
  if (!isBusy(instance, now)) return instance.because;
  const seconds = Math.ceil((instance.busyUntil - now) / 1_000);
  return `busy for ${seconds} s more, as it said itself; ${instance.because}`;
}

function stateOf(instance: PoolInstance, now: number): InstanceState {
  if (instance.phase === 'leaving') return 'draining';
  if (instance.phase === 'frozen' && instance.isReclaimed) return 'reclaimed';
  if (instance.phase === 'ready') {
    return instance.inFlight > 0 || isBusy(instance, now) ? 'busy' : 'ready';
  }
  return instance.phase;
}
