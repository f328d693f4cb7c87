/** Every lease that the router asked for, and what became of it: the books that the pools' own are compared with. */
import type { DeploymentId, InstanceId } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Acquired, Fleet, Lease } from '../src/ports/fleet.ts';
import type { Sent } from '../src/core/unread.ts';
import type { Promises } from './promises.ts';

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
  /** It may wake nothing. */
  readonly isProbe: boolean;
  /** What was sent so far, as the router says. */
  sent: () => Sent | undefined;
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
  /** It was proven of what this port of the router's sent to an instance that the app read nothing. */
  readonly onProof: (id: InstanceId, sent: Sent | undefined) => void;
  readonly promises: Promises;
  readonly note: (text: string) => void;
}

export class Books {
  readonly askings: Asking[] = [];
  /** Those that wait, or hold their lease. */
  readonly open = new Set<Asking>();
  /** What must never happen and did. */
  readonly violations: string[] = [];
  /** They answered their health path so long not at all that nothing is waited for any more. */
  readonly gaveUp = new Set<InstanceId>();
  /** When each instance was last given or given back, or was said to be busy. */
  readonly usedAt = new Map<InstanceId, number>();
  /** Since when each instance was seen to wait for work, and how long it had run by then. */
  readonly readySince = new Map<InstanceId, { readonly at: number; readonly ranMs: number }>();
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
    const sayBusy: Fleet['sayBusy'] = (...said) => this.#options.promises.watch(fleet, ...said);
    return new Proxy(fleet, {
      get(target, name) {
        if (name === 'acquire') return acquire;
        if (name === 'sayBusy') return sayBusy;
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
    const user = [...this.open].find((asking) => {
      const lease = heldLease(asking);
      return asking.fleet === this.#fleet && lease?.instanceId === id && !lease.lost.aborted;
    });
    if (user && this.#options.isAlive(id))
      this.violations.push(`${verb} ${id} although lease #${user.number} is held`);
    const state = this.#fleet?.instances().find((one) => one.id === id)?.state;
    // Asked for before it said so, and thawed at once.
    if (verb === 'freeze' && state === 'booting') return;
    if (this.#options.isAlive(id) && !this.gaveUp.has(id)) this.#options.promises.check(id, verb);
  }

  /** The engine failed to let an instance go on: what was promised to it is nobody's fault. */
  excuse(id: InstanceId): void {
    this.#options.promises.excuse(id);
  }

  async #acquire(fleet: Fleet, asked: Parameters<Fleet['acquire']>): Promise<Acquired> {
    const [deploymentId, signal, mayWake = true] = asked;
    const asking: Asking = {
      number: this.askings.length,
      deploymentId,
      signal,
      fleet,
      result: undefined,
      leasedAt: 0,
      ends: 0,
      isProbe: !mayWake,
      sent: () => undefined,
    };
    this.askings.push(asking);
    this.open.add(asking);
    const awake = mayWake ? 0 : countAwake(fleet, deploymentId);
    const acquiring = fleet.acquire(...asked);
    if (!mayWake && countAwake(fleet, deploymentId) > awake)
      this.violations.push(`${deploymentId} #${asking.number} woke an instance, which it may not`);
    const result = await acquiring;
    this.#options.note(`${deploymentId} #${asking.number} ${result.kind}`);
    asking.leasedAt = this.#options.clock.now();
    if (result.kind !== 'leased') {
      asking.result = result;
      this.open.delete(asking);
      return result;
    }
    asking.result = result;
    this.usedAt.set(result.lease.instanceId, asking.leasedAt);
    this.#watchLease(asking, result.lease);
    return result;
  }

  /** The real one goes on to the router: what it can do besides is not to be hidden. */
  #watchLease(asking: Asking, lease: Lease): void {
    const { clock, durationMs, isAlive, note, onProof } = this.#options;
    const { instanceId } = lease;
    const isUnread = lease.isUnread?.bind(lease);
    lease.lost.addEventListener('abort', () => {
      const heldMs = clock.now() - asking.leasedAt;
      if (asking.ends > 0 || !isAlive(instanceId)) return;
      if (isUnread?.() || this.gaveUp.has(instanceId)) return;
      if (heldMs < durationMs(asking.deploymentId))
        this.violations.push(
          `lease #${asking.number} was taken back after ${heldMs} ms, though ${instanceId} lives`,
        );
    });
    lease.isUnread = () => {
      const isProven = isUnread?.() ?? false;
      if (isProven) onProof(instanceId, asking.sent());
      return isProven;
    };
    const follow = lease.follow?.bind(lease);
    lease.follow = (sent) => {
      asking.sent = sent;
      follow?.(sent);
    };
    const end = lease.end.bind(lease);
    lease.end = (how) => {
      asking.ends += 1;
      this.open.delete(asking);
      this.usedAt.set(instanceId, clock.now());
      note(`${asking.deploymentId} #${asking.number} ends: ${how}`);
      end(how);
    };
  }
}

function countAwake(fleet: Fleet, id: DeploymentId): number {
  const awake = ['booting', 'ready', 'busy', 'draining'];
  return fleet.instances(id).filter(({ state }) => awake.includes(state)).length;
}
