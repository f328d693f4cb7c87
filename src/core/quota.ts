/**
 * What a team may use at once, counted over all its deployments.
 *
 * Instances are those that run: booting, ready, busy or draining. Frozen and parked ones hold memory of the platform
 * and no slot of the team, so they do not count. The counters are exact because each deployment reports every change
 * of its own numbers, and cheap because that is one subtraction and one addition.
 */

export interface Quota {
  /** Instances running at once; absent: as many as the machine has room for. */
  readonly instances?: number;
  /** Requests in flight or waiting at once; absent: no bound. */
  readonly requests?: number;
}

/** Plans that are always there. The first two are those of 2018. */
export const PLANS: Readonly<Record<string, Quota>> = {
  oss: { instances: 3, requests: 500 },
  pro: { instances: 10, requests: 500 },
  unlimited: {},
};

export const DEFAULT_PLAN = 'unlimited';

/** What one team uses now; one object for all its deployments. */
export class TeamUse {
  readonly team: string;
  plan: string;
  quota: Quota;
  instances = 0;
  requests = 0;
  /** Called when an instance of the team could be started that could not before. */
  readonly #waiting = new Set<() => void>();
  readonly #offers = new Set<() => boolean>();

  constructor(team: string, plan = DEFAULT_PLAN, quota: Quota = {}) {
    this.team = team;
    this.plan = plan;
    this.quota = quota;
  }

  /** Instances that may be started now. */
  room(): number {
    return Math.max(0, (this.quota.instances ?? Infinity) - this.instances);
  }

  /** Counts a request in, unless that would be one too many. */
  admit(): boolean {
    if (this.requests >= (this.quota.requests ?? Infinity)) return false;
    this.requests += 1;
    return true;
  }

  /** A request that was admitted is over. */
  done(): void {
    this.requests -= 1;
  }

  /** A deployment ran `before` instances and now runs `after`. Those who wait for room hear of it. */
  count(before: number, after: number): void {
    this.instances += after - before;
    if (after < before) this.#tell();
  }

  setPlan(plan: string, quota: Quota): void {
    this.plan = plan;
    this.quota = quota;
    this.#tell();
  }

  /** Calls `again` once, when there may be room. */
  awaitRoom(again: () => void): void {
    this.#waiting.add(again);
  }

  /** Each deployment of the team offers how an idle instance of it can be brought to rest: true when one was. */
  offer(giveRoom: () => boolean): void {
    this.#offers.add(giveRoom);
  }

  withdraw(giveRoom: () => boolean): void {
    this.#offers.delete(giveRoom);
  }

  /** Brings idle instances of other deployments to rest, until there is room for `wanted` more or no more give. */
  makeRoom(wanted: number, own: () => boolean): void {
    for (const giveRoom of this.#offers) {
      while (giveRoom !== own && this.room() < wanted && giveRoom());
      if (this.room() >= wanted) return;
    }
  }

  #tell(): void {
    if (this.#waiting.size === 0 || this.room() === 0) return;
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const again of all) again();
  }
}

/** Which team each project is of, and what each team uses. */
export class Quotas {
  readonly #teams = new Map<string, TeamUse>();
  readonly #teamOf = new Map<string, string>();
  readonly #otherwise: string;

  /** `otherwise`: the team of projects that nobody assigned. */
  constructor(otherwise: string) {
    this.#otherwise = otherwise;
  }

  assign(project: string, team: string): void {
    this.#teamOf.set(project, team);
  }

  /** Applies from now on; what is over it already runs on until it ends by itself. */
  setPlan(team: string, plan: string, quota: Quota): void {
    this.team(team).setPlan(plan, quota);
  }

  of(project: string): TeamUse {
    return this.team(this.#teamOf.get(project) ?? this.#otherwise);
  }

  team(name: string): TeamUse {
    const known = this.#teams.get(name);
    if (known) return known;
    const fresh = new TeamUse(name);
    this.#teams.set(name, fresh);
    return fresh;
  }
}
