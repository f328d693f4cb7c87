/**
 * Who may come in: tokens, login links, and which team has which project.
 *
 * A token is 260 random bits, so its sha256 needs no salt and no slowness: neither a table of guesses nor trying can find
 * one. It is looked up by that hash; how long a look-up takes tells at most something about hashes, from which no token
 * can be made. The local token is compared in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Grant, Invitation, Principal, Team, Token } from '../core/access.ts';
import { DEFAULT_TEAM } from '../core/access.ts';
import { BerthError } from '../core/errors.ts';
import { isVisible } from '../core/permission.ts';
import { DEFAULT_PLAN, PLANS, type Quota, type Quotas } from '../core/quota.ts';
import { type Bucket, type Rate, takeTurn } from '../core/token-bucket.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';

/** What secret scanners look for. */
const PREFIX = 'berth_';
/** 32 symbols each: 260 bits. */
const SECRET_CHARS = 52;
const ID_CHARS = 12;
/** How exactly the last use of a token is known, in ms. */
const USE_EVERY_MS = 60_000;
/** How long a login link works, in ms. */
const INVITATION_MS = 24 * 3_600_000;

export interface AccessNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** What the data folder's token file holds. */
  readonly localToken: string;
  /** Told which team has which project, and which plan each team has. */
  readonly quotas: Quotas;
  /** Called when somebody used a login link up. */
  readonly onLogin?: () => void;
  /** Throws HOSTNAME_TAKEN when a new project of the team would be called as something else answers, or is going to. */
  readonly checkName: (project: string, team: string) => Promise<void>;
  /** Deploys of a team, and of a token; the local one has no such bound. */
  readonly deployRate: Rate;
}

/** A token with its value, which nobody can tell again. */
export interface NewToken {
  readonly token: Token;
  readonly value: string;
}

/** A project that is the team's, or about to be; disposed of, a name that was not kept is free again. */
export interface Reservation extends Disposable {
  /** Makes the project the team's for good unless it is. Throws what `reserve` throws. */
  keep(): Promise<void>;
}

export interface Access {
  /** Undefined for what was never given out, was removed, or has expired. */
  principalOf(value: string): Promise<Principal | undefined>;
  /** Calls `end` when the token is removed or expires; the answer calls that off. */
  untilRevoked(who: Principal, end: () => void): () => void;
  /** Throws TOKEN_EXISTS. */
  addToken(
    grant: Grant,
    facts: Pick<Token, 'name' | 'kind' | 'createdBy'> & { readonly expiresAt?: number },
  ): Promise<NewToken>;
  removeToken(token: Token): Promise<void>;
  /** A code that becomes a token of that name, once. */
  invite(
    grant: Grant,
    facts: Pick<Invitation, 'name' | 'createdBy'>,
  ): Promise<{ readonly invitation: Invitation; readonly code: string }>;
  /** Throws LOGIN_INVALID. */
  redeem(code: string): Promise<NewToken>;
  /** A code for the first owner; undefined when there is one, or a code that still works. */
  inviteFirstOwner(): Promise<string | undefined>;

  has(project: string): boolean;
  teamOf(project: string): string;
  /** Whether the project is within what `who` may see; one that nobody has is. */
  sees(who: Principal, project: string): boolean;
  /**
   * Keeps the name for the team while something is made that may still fail. Throws PROJECT_TAKEN, TEAM_NOT_FOUND,
   * HOSTNAME_TAKEN, PROJECT_BUSY.
   */
  reserve(project: string, team: string): Promise<Reservation>;

  /**
   * Its name is free when `empty` has taken everything out of it; until then nobody else can put anything in. Throws
   * PROJECT_BUSY when somebody did just before, or removes it already.
   */
  removeProject(project: string, empty: () => Promise<void>): Promise<void>;
  /** It is being removed. */
  isGoing(project: string): boolean;

  /** With nothing of an earlier one of that name. False when there is one; then nothing changes. */
  addTeam(team: Pick<Team, 'name' | 'plan'>): Promise<boolean>;
  /** A team without deployments, with its projects, secrets and tokens. */
  removeTeam(team: string): Promise<void>;

  /** All that there are: presets and the operator's own. */
  plans(): Promise<ReadonlyMap<string, Quota>>;
  /** Tells the quotas what the teams' plans say, after a plan or a team changed. */
  applyPlans(): Promise<void>;
  /** Throws RATE_LIMITED. */
  takeDeployTurn(who: Principal, team: string): void;
}

/** Reads what the store knows: from then on the quotas are right. */
export async function openAccess(needs: AccessNeeds): Promise<Access> {
  const { store, clock, random, quotas } = needs;
  const local = createHash('sha256').update(needs.localToken).digest();
  const known = new Map<string, string>();
  const followers = new Map<string, Set<() => void>>();
  const buckets = new Map<string, Bucket>();
  /** Projects that are only reserved, and who waits for what becomes of it. */
  const reserved = new Map<string, Set<Reservation>>();
  /** Projects that are being removed. */
  const going = new Set<string>();

  for (const project of await store.projects()) note(project.name, project.team);
  for await (const page of store.deploymentPages()) {
    for (const { project } of page) {
      if (known.has(project)) continue;
      const standing = { name: project, team: DEFAULT_TEAM, createdAt: clock.now() };
      note(project, (await store.claimProject(standing)).team);
    }
  }

  function note(project: string, team: string): void {
    known.set(project, team);
    quotas.assign(project, team);
  }

  async function plans(): Promise<ReadonlyMap<string, Quota>> {
    const all = new Map(Object.entries(PLANS));
    for (const { name, ...quota } of await store.plans()) if (!all.has(name)) all.set(name, quota);
    return all;
  }

  async function applyPlans(): Promise<void> {
    const all = await plans();
    for (const { name, plan } of await store.teams()) {
      quotas.setPlan(name, plan, all.get(plan) ?? PLANS[DEFAULT_PLAN] ?? {});
    }
  }
  await applyPlans();

  async function needTeam(team: string): Promise<void> {
    if (await store.team(team)) return;
    throw new BerthError('TEAM_NOT_FOUND', { detail: `There is no team ${team}.` });
  }

  /** Throws PROJECT_BUSY, PROJECT_TAKEN; whether the team has it, or reserved it, already. */
  function isOurs(project: string, team: string): boolean {
    if (going.has(project)) throw busy(project);
    const there = known.get(project);
    if (there !== undefined && there !== team) throw taken(project);
    return there !== undefined;
  }

  async function reserve(project: string, team: string): Promise<Reservation> {
    if (!isOurs(project, team)) {
      await needTeam(team);
      await needs.checkName(project, team);
      // Somebody may have been quicker meanwhile.
      if (!isOurs(project, team)) {
        note(project, team);
        reserved.set(project, new Set());
      }
    }
    const reservation: Reservation = {
      async keep() {
        // Since then it may have been removed.
        if (isOurs(project, team) && !reserved.has(project)) return;
        await needTeam(team);
        const wanted = { name: project, team, createdAt: clock.now() };
        const standing = await store.claimProject(wanted);
        reserved.delete(project);
        note(project, standing.team);
        if (standing.team !== team) throw taken(project);
      },
      [Symbol.dispose]() {
        const waiting = reserved.get(project);
        if (!waiting?.delete(reservation) || waiting.size > 0) return;
        reserved.delete(project);
        known.delete(project);
      },
    };
    reserved.get(project)?.add(reservation);
    return reservation;
  }

  async function eraseSecrets(team: string): Promise<void> {
    const names = new Set((await store.secretVersions(team)).map(({ name }) => name));
    for (const name of names) await store.deleteSecret(team, name);
  }

  async function addToken(
    grant: Grant,
    facts: Pick<Token, 'name' | 'kind' | 'createdBy'> & { readonly expiresAt?: number },
  ): Promise<NewToken> {
    const value = `${PREFIX}${random.id(SECRET_CHARS)}`;
    const token: Token = {
      ...onlyGrant(grant),
      id: random.id(ID_CHARS),
      name: facts.name,
      kind: facts.kind,
      hash: sha256(value),
      createdAt: clock.now(),
      createdBy: facts.createdBy,
      ...(facts.expiresAt === undefined ? {} : { expiresAt: facts.expiresAt }),
    };
    if (!(await store.insertToken(token))) {
      throw new BerthError('TOKEN_EXISTS', { detail: `There is a token ${token.name} already.` });
    }
    return { token, value };
  }

  async function invite(grant: Grant, facts: Pick<Invitation, 'name' | 'createdBy'>) {
    const code = random.id(SECRET_CHARS);
    const invitation: Invitation = {
      ...onlyGrant(grant),
      ...facts,
      hash: sha256(code),
      createdAt: clock.now(),
      expiresAt: clock.now() + INVITATION_MS,
    };
    await store.insertInvitation(invitation);
    return { invitation, code };
  }

  function noteUse({ id, lastUsedAt = 0 }: Token, now: number): void {
    if (now - lastUsedAt < USE_EVERY_MS) return;
    // Not waited for: it is for people who look for tokens that nobody uses any more.
    store.noteTokenUse(id, now).catch(() => undefined);
  }

  return {
    async principalOf(value) {
      // Digests have one length, so the comparison takes the same time whatever was given.
      if (timingSafeEqual(createHash('sha256').update(value).digest(), local)) {
        return { name: 'local', kind: 'local', role: 'owner' };
      }
      const token = await store.tokenByHash(sha256(value));
      const now = clock.now();
      if (!token || (token.expiresAt ?? Infinity) <= now) return undefined;
      noteUse(token, now);
      const { name, kind, id, expiresAt } = token;
      return {
        ...onlyGrant(token),
        name,
        kind,
        token: id,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
    },

    untilRevoked({ token, expiresAt }, end) {
      if (token === undefined) return () => undefined;
      const following = followers.get(token) ?? new Set();
      followers.set(token, following);
      following.add(end);
      const off = new AbortController();
      if (expiresAt !== undefined) {
        void clock.sleep(Math.max(0, expiresAt - clock.now()), off.signal).then(() => {
          if (!off.signal.aborted) end();
        });
      }
      return () => {
        off.abort();
        following.delete(end);
        if (following.size === 0 && followers.get(token) === following) followers.delete(token);
      };
    },

    addToken,
    async removeToken({ id, name }) {
      if (!(await store.deleteToken(id))) {
        throw new BerthError('TOKEN_NOT_FOUND', { detail: `There is no token ${name}.` });
      }
      for (const end of followers.get(id) ?? []) end();
    },

    invite,
    async redeem(code) {
      const invitation = await store.redeemInvitation(sha256(code), clock.now());
      if (!invitation) throw new BerthError('LOGIN_INVALID');
      const { createdBy } = invitation;
      const taken = new Set(
        (await store.tokens())
          .filter(({ team }) => team === invitation.team)
          .map((one) => one.name),
      );
      const name = free(invitation.name, taken);
      const made = await addToken(invitation, { name, kind: 'login', createdBy });
      needs.onLogin?.();
      return made;
    },

    async inviteFirstOwner() {
      const isOwner = (one: Grant) => one.team === undefined && one.role === 'owner';
      if ((await store.tokens()).some((one) => one.kind === 'login' && isOwner(one)))
        return undefined;
      if ((await store.invitations(clock.now())).some(isOwner)) return undefined;
      return (await invite({ role: 'owner' }, { name: 'owner', createdBy: 'berth' })).code;
    },

    has: (project) => known.has(project) && !reserved.has(project),
    teamOf: (project) => known.get(project) ?? DEFAULT_TEAM,
    sees: (who, project) => isVisible(who, { project, team: known.get(project) ?? DEFAULT_TEAM }),
    reserve,

    async removeProject(project, empty) {
      if (going.has(project)) throw busy(project);
      going.add(project);
      try {
        await empty();
        const [deployments, environments] = await Promise.all([
          store.deployments({ project }),
          store.environments({ project }),
        ]);
        if (deployments.length + environments.length > 0) {
          const detail = `Something was put into ${project} while it was removed: it stays with that.`;
          throw new BerthError('PROJECT_BUSY', { detail });
        }
        await store.deleteProject(project);
        known.delete(project);
        reserved.delete(project);
      } finally {
        going.delete(project);
      }
    },
    isGoing: (project) => going.has(project),

    async addTeam({ name, plan }) {
      if (await store.team(name)) return false;
      // One may have been added while the earlier team went.
      await eraseSecrets(name);
      return store.insertTeam({ name, plan, createdAt: clock.now() });
    },
    async removeTeam(team) {
      for (const { name } of await store.projects({ team })) {
        await store.deleteProject(name);
        known.delete(name);
      }
      // While the team still stands: cut off here, it can be removed again.
      await eraseSecrets(team);
      const tokens = await store.tokens({ team });
      await store.deleteTeam(team);
      for (const { id } of tokens) for (const end of followers.get(id) ?? []) end();
    },

    plans,
    applyPlans,
    takeDeployTurn(who, team) {
      if (who.kind === 'local') return;
      const now = clock.now();
      const keys = [`team ${team}`, `token ${who.token ?? who.name}`];
      const turns = keys.map((key) => takeTurn(buckets.get(key), needs.deployRate, now));
      const refused = turns.find((turn) => turn.kind === 'refused');
      if (refused?.kind === 'refused') {
        const retryAfterSeconds = Math.max(1, Math.ceil(refused.retryAfterMs / 1_000));
        const detail = `The next deploy of ${team} by ${who.name} may begin in ${retryAfterSeconds} s.`;
        throw new BerthError('RATE_LIMITED', { detail, retryAfterSeconds });
      }
      turns.forEach((turn, index) => buckets.set(keys[index] ?? '', turn.bucket));
    },
  };
}

function busy(project: string): BerthError {
  return new BerthError('PROJECT_BUSY', { detail: `${project} is being removed.` });
}

function taken(project: string): BerthError {
  return new BerthError('PROJECT_TAKEN', { detail: `The name ${project} is taken.` });
}

/** The parts of a token or an invitation that say what it may. */
function onlyGrant({ team, role, can, projects }: Grant): Grant {
  return {
    role,
    ...(team === undefined ? {} : { team }),
    ...(can === undefined ? {} : { can }),
    ...(projects === undefined ? {} : { projects }),
  };
}

/** `ann`, or `ann-2` when somebody of that name has a token already. */
function free(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
