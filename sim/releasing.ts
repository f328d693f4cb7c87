/** One environment whose releases follow each other while requests run: what it points at, and what each switch must have seen to. */
import type { Deployment, DeploymentId, Scale } from '../src/core/model.ts';
import { readyBeforeSwitch } from '../src/core/release.ts';
import type { RouteTable } from '../src/core/route.ts';
import { createPointers, type Pointers } from '../src/releases/pointers.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Scheduler } from '../src/scheduler/scheduler.ts';
import type { SeededRandom } from './random.ts';

const PROJECT = 'shop';
const NAME = 'production';
/** Nobody waits longer: for an instance, for its answer until `limits.duration` is over, and then for another instance. */
const LONGEST_WAIT_MS = 420_000;

export interface ReleasingOptions {
  readonly deployments: readonly Deployment[];
  readonly random: SeededRandom;
  readonly clock: Clock;
  readonly note: (text: string) => void;
  /** Hears of what must never happen. */
  readonly onViolation: (text: string) => void;
}

/** What one process of Berth knows of it; the next one is told by the store. */
interface Process {
  readonly scheduler: Scheduler;
  readonly pointers: Pointers;
  readonly stop: AbortController;
}

export class Releasing {
  readonly #options: ReleasingOptions;
  #process: Process | undefined;
  /** As the store keeps it. */
  #current: { readonly deploymentId: DeploymentId; readonly scale: Scale } | undefined;
  #next: DeploymentId | undefined;
  /** What was asked of the scheduler last. */
  readonly #asked = new Map<DeploymentId, Scale>();
  readonly #leftAt = new Map<DeploymentId, number>();

  constructor(options: ReleasingOptions) {
    this.#options = options;
  }

  /** Absent before the first release. */
  get host(): string | undefined {
    return this.#current === undefined ? undefined : `${PROJECT}.localhost`;
  }

  /** Takes part in the environment, so that nobody would remove it: requests may wait there that came before a switch. */
  uses(id: DeploymentId): boolean {
    const leftAt = this.#leftAt.get(id);
    const isLeft = leftAt === undefined || this.#options.clock.now() > leftAt + LONGEST_WAIT_MS;
    return id === this.#current?.deploymentId || id === this.#next || !isLeft;
  }

  /** What holds for a deployment now. */
  scaleOf({ id, configuration }: Deployment): Scale {
    const own = { min: configuration.idle === 'run' ? 1 : 0, max: configuration.scale.max };
    const asked = this.#asked.get(id);
    return asked === undefined ? own : { ...asked, min: Math.max(asked.min, own.min) };
  }

  /** The process of Berth ended: what it was about to do is forgotten. */
  leave(): void {
    this.#process?.stop.abort();
    this.#process = undefined;
    this.#next = undefined;
    this.#asked.clear();
  }

  /** The next process has taken over the instances: its routes and its fleet are told what the environment runs. */
  follow(scheduler: Scheduler, routes: RouteTable): void {
    const pointers = createPointers({
      routes: {
        check: async () => {},
        point: (project, name, pointer) => routes.point(project, name, pointer),
        remove: (project, name) => routes.removeEnvironment(project, name),
      },
      fleet: {
        instances: (id) => scheduler.instances(id),
        prepare: (...asked) => scheduler.prepare(...asked),
        setScale: (id, scale) => {
          if (scale) this.#asked.set(id, scale);
          else this.#asked.delete(id);
          scheduler.setScale(id, scale);
        },
      },
    });
    this.#process = { scheduler, pointers, stop: new AbortController() };
    if (this.#current) pointers.move(PROJECT, NAME, this.#current);
  }

  /** Another release, as `performRelease` does it. One at a time, as releases of an environment are. */
  async release(): Promise<void> {
    const { deployments, note, random } = this.#options;
    const process = this.#process;
    if (!process || this.#next !== undefined) return;
    const target = deployments[random.between(0, deployments.length - 1)];
    if (!target) return;
    const max = random.between(1, 8);
    const scale = { min: random.between(0, Math.min(2, max)), max };
    const { scheduler, pointers, stop } = process;
    const deploymentId = target.id;
    this.#next = deploymentId;
    const withdraw = pointers.announce({ deploymentId, scale });
    let letGo: (() => void) | undefined;
    try {
      const old = this.#current ? scheduler.instances(this.#current.deploymentId) : [];
      const busy = old.filter(({ state }) => state === 'busy').length;
      const count = readyBeforeSwitch(busy, scale);
      letGo = await scheduler.prepare(deploymentId, count, stop.signal);
      if (this.#process !== process) return;
      this.#checkReady(scheduler, target, count);
      if (this.#current) this.#leftAt.set(this.#current.deploymentId, this.#options.clock.now());
      this.#current = { deploymentId, scale };
      pointers.move(PROJECT, NAME, this.#current);
      note(`release ${deploymentId} at ${scale.min}–${scale.max}`);
    } catch (error) {
      note(`release of ${deploymentId} failed: ${String(error)}`);
    } finally {
      if (this.#process === process) {
        withdraw();
        letGo?.();
        this.#next = undefined;
      }
    }
  }

  #checkReady(scheduler: Scheduler, target: Deployment, count: number): void {
    const states = scheduler.instances(target.id).map(({ state }) => state);
    const ready = states.filter((state) => state === 'ready' || state === 'busy').length;
    const wanted = Math.min(count, this.scaleOf(target).max);
    if (ready < wanted)
      this.#options.onViolation(
        `${target.id} was switched to with ${states.join(', ')} where ${wanted} were to be ready`,
      );
  }
}
