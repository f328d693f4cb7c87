/** Until when each instance was told that it may stay awake, and that nobody takes that back. */
import type { DeploymentId, InstanceId } from '../src/core/model.ts';
import type { BusySaid, Fleet } from '../src/ports/fleet.ts';
import type { Clock } from '../src/ports/clock.ts';

export interface PromisesOptions {
  readonly clock: Clock;
  /** `limits.duration` of a deployment. */
  readonly durationMs: (deploymentId: DeploymentId) => number;
  readonly note: (text: string) => void;
  /** One that was just to be frozen runs on. */
  readonly onRunsOn: () => void;
  readonly onViolation: (text: string) => void;
}

/** The store is not told of less, so that a restart may cost as much. */
const SLACK_MS = 900;

export class Promises {
  readonly #options: PromisesOptions;
  readonly #until = new Map<InstanceId, number>();
  /** So many were made. */
  made = 0;

  constructor(options: PromisesOptions) {
    this.#options = options;
  }

  /** An instance says that it is busy (`30s`, `0`), and what it is granted at once is kept in mind. */
  watch(fleet: Fleet, id: InstanceId, said: string): Promise<BusySaid> {
    const { clock, durationMs, note, onRunsOn, onViolation } = this.#options;
    const viewOf = () => fleet.instances().find((one) => one.id === id);
    const before = viewOf();
    const result = fleet.sayBusy(id, said);
    const view = viewOf();
    // One that is parked has no process that could say anything.
    if (!before || before.state === 'parked') return result;
    const until = view?.busyUntil ?? 0;
    const now = clock.now();
    const forMs = Number.parseInt(said, 10) * 1_000;
    const wanted = now + Math.min(forMs, durationMs(before.deploymentId));
    const isGranted = wanted === now ? until === 0 : until === wanted;
    // One that drains is not promised more than its drain lasts.
    if (!isGranted && before.state !== 'draining')
      onViolation(`${id} said ${said} at ${now} and is busy until ${until}`);
    note(`${id} said ${said}, ${before.state}, busy until ${until}`);
    if (before.state === 'frozen' && until > now) onRunsOn();
    this.#until.set(id, until);
    this.made += 1;
    return result;
  }

  /** 0: it was promised nothing. */
  of(id: InstanceId): number {
    return this.#until.get(id) ?? 0;
  }

  /** The engine would not let it run: nobody here breaks a promise with that. */
  excuse(id: InstanceId): void {
    this.#until.delete(id);
  }

  /** Whoever was promised something may be of no use any more. */
  forget(): void {
    this.#until.clear();
  }

  /** The engine is told to put an instance to rest, or to end it. */
  check(id: InstanceId, verb: string): void {
    const { clock, onViolation } = this.#options;
    const until = this.of(id);
    if (clock.now() < until - SLACK_MS)
      onViolation(`${verb} ${id} at ${clock.now()}, though it may be busy until ${until}`);
  }

  /** Another process of Berth has taken over what ran. */
  checkKept(fleet: Fleet): void {
    const { clock, onViolation } = this.#options;
    for (const [id, until] of this.#until) {
      if (until <= clock.now()) continue;
      const view = fleet.instances().find((one) => one.id === id);
      const isAwake = view?.state === 'ready' || view?.state === 'busy';
      if (!isAwake) this.#until.delete(id);
      else if ((view.busyUntil ?? 0) < until - SLACK_MS)
        onViolation(`${id} may be busy until ${until}, which the next process has forgotten`);
    }
  }
}
