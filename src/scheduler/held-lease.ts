/** A lease as the scheduler holds it: with the means to ask what was sent, and what was found out about that. */
import type { BagMember } from '../core/bag.ts';
import type { StartKind } from '../core/model.ts';
import type { Sent } from '../core/unread.ts';
import type { Lease, LeaseEnd } from '../ports/fleet.ts';
import type { Instance, StartTimes } from './instance.ts';

const NOBODY_KNOWS = () => undefined;

export class HeldLease implements Lease, BagMember {
  bagIndex = -1;
  readonly instanceId: string;
  readonly host: string;
  readonly port: number;
  readonly start: StartKind;
  readonly waitMs: number;
  readonly bootMs: number;
  readonly portMs: number;
  readonly lost: AbortSignal;
  readonly #instance: Instance;
  readonly #onEnd: (how: LeaseEnd) => void;
  #isHeld = true;
  #isUnread = false;
  #sent: () => Sent | undefined = NOBODY_KNOWS;

  constructor(
    instance: Instance,
    at: { readonly host: string; readonly port: number },
    how: { readonly start: StartKind; readonly waitMs: number; readonly times: StartTimes },
    onEnd: (how: LeaseEnd) => void,
  ) {
    this.instanceId = instance.id;
    this.host = at.host;
    this.port = at.port;
    this.start = how.start;
    this.waitMs = how.waitMs;
    this.bootMs = how.times.bootMs;
    this.portMs = how.times.portMs;
    this.lost = instance.lost;
    this.#instance = instance;
    this.#onEnd = onEnd;
    instance.leases.add(this);
  }

  end(how: LeaseEnd): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#instance.leases.remove(this);
    this.#onEnd(how);
  }

  follow(sent: () => Sent | undefined): void {
    this.#sent = sent;
  }

  isUnread(): boolean {
    return this.#isUnread;
  }

  /** What was sent so far; undefined when nobody can tell. */
  sent(): Sent | undefined {
    return this.#sent();
  }

  /** The app read nothing of it, and will not: whoever says so sees to that. */
  markUnread(): void {
    this.#isUnread = true;
  }
}
