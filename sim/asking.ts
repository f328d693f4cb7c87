/** Every lease that the router asked for, and what became of it: the books that the pools' own are compared with. */
import type { DeploymentId, InstanceId } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Acquired, Fleet, Lease } from '../src/ports/fleet.ts';

export interface Asking {
  readonly number: number;
  readonly deploymentId: DeploymentId;
  readonly signal: AbortSignal;
  /** Who was asked: after a restart the old one's leases do not count. */
  readonly fleet: Fleet;
  result: Acquired | undefined;
  leasedAt: number;
  /** How often its lease was ended. */
  ends: number;
}

/** The lease of an asking that has not ended. */
export function heldLease(asking: Asking): Lease | undefined {
  return asking.result?.kind === 'leased' && asking.ends === 0 ? asking.result.lease : undefined;
}

export interface BooksOptions {
  readonly clock: Clock;
  /** Limits of a deployment, in ms. */
  readonly durationMs: (deploymentId: DeploymentId) => number;
  /** The app of an instance has not ended. */
  readonly isAlive: (id: InstanceId) => boolean;
  readonly note: (text: string) => void;
}

export class Books {
  readonly askings: Asking[] = [];
  /** What must never happen and did. */
  readonly violations: string[] = [];
  readonly #options: BooksOptions;
  /** The one that is asked now. */
  #fleet: Fleet | undefined;

  constructor(options: BooksOptions) {
    this.#options = options;
  }

  /** The fleet as the router shall see it. */
  watch(fleet: Fleet): Fleet {
    this.#fleet = fleet;
    const acquire: Fleet['acquire'] = (...asked) => this.#acquire(fleet, asked);
    return new Proxy(fleet, {
      get(target, name) {
        if (name === 'acquire') return acquire;
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: readonly unknown[]): unknown => Reflect.apply(member, target, args);
      },
    });
  }

  /** The engine is told to freeze, stop or remove an instance. */
  checkNobodyUses(id: InstanceId, verb: string): void {
    // One that is to end anyway may be looked at: frozen for some milliseconds, and thawed or killed.
    const isLeaving = this.#fleet
      ?.instances()
      .some((one) => one.id === id && one.state === 'draining');
    if (verb === 'freeze' && isLeaving) return;
    const user = this.askings.find((asking) => {
      const lease = heldLease(asking);
      return asking.fleet === this.#fleet && lease?.instanceId === id && !lease.lost.aborted;
    });
    if (user && this.#options.isAlive(id))
      this.violations.push(`${verb} ${id} although lease #${user.number} is held`);
  }

  async #acquire(fleet: Fleet, asked: Parameters<Fleet['acquire']>): Promise<Acquired> {
    const [deploymentId, signal] = asked;
    const asking: Asking = {
      number: this.askings.length,
      deploymentId,
      signal,
      fleet,
      result: undefined,
      leasedAt: 0,
      ends: 0,
    };
    this.askings.push(asking);
    const result = await fleet.acquire(...asked);
    this.#options.note(`${deploymentId} #${asking.number} ${result.kind}`);
    asking.leasedAt = this.#options.clock.now();
    if (result.kind !== 'leased') {
      asking.result = result;
      return result;
    }
    const watched = { kind: 'leased', lease: this.#watchLease(asking, result.lease) } as const;
    asking.result = watched;
    return watched;
  }

  #watchLease(asking: Asking, lease: Lease): Lease {
    const { clock, durationMs, isAlive } = this.#options;
    lease.lost.addEventListener('abort', () => {
      const heldMs = clock.now() - asking.leasedAt;
      if (asking.ends > 0 || !isAlive(lease.instanceId)) return;
      if (heldMs < durationMs(asking.deploymentId))
        this.violations.push(
          `lease #${asking.number} was taken back after ${heldMs} ms, though ${lease.instanceId} lives`,
        );
    });
    return {
      ...lease,
      end: (how) => {
        asking.ends += 1;
        this.#options.note(`${asking.deploymentId} #${asking.number} ends: ${how}`);
        lease.end(how);
      },
    };
  }
}
