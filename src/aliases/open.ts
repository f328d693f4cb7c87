/** Aliases: checked one at a time, written, then routed; so that a hostname never leads two teams' ways. */
import {
  aliasName,
  type AliasPlace,
  type Claimant,
  type Claims,
  isSameTarget,
  leadsInto,
  type LedTo,
  refuseAlias,
  tooWide,
} from '../core/alias.ts';
import { environmentLabel, PRODUCTION, STAGING } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import { projectOfId } from '../core/identity.ts';
import type { Alias } from '../core/model.ts';
import { environmentKey, type RouteTable } from '../core/route.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';

export interface AliasesNeeds {
  readonly store: Store;
  readonly routes: RouteTable;
  readonly clock: Clock;
  /** What deployments' hostnames end in. */
  readonly domain: string;
  readonly teamOf: (project: string) => string;
}

/** An alias as it stands now, and as it stood before: the very same when there was nothing to do. */
export interface SetAlias {
  readonly alias: Alias;
  readonly before: Alias | undefined;
}

export interface Aliases {
  /** Routes all that are kept. Once, at the start. */
  load(): Promise<void>;
  /** By hostname, then path. */
  list(): Promise<readonly Alias[]>;
  /**
   * Leads it there from the next request on, whatever it led to before: within `projects` of the team, when there are any.
   * Throws HOSTNAME_TAKEN, INVALID_INPUT.
   */
  set(alias: Omit<Alias, 'createdAt'>, projects?: Claimant['projects']): Promise<SetAlias>;
  /** Those that lead to a deployment, to an environment, or anywhere into a project. */
  leadingTo(to: LedTo): Promise<readonly Alias[]>;
  /** Throws ALIAS_NOT_FOUND. */
  remove(alias: Alias): Promise<void>;
  /** Whether what it leads to is there: a deployment, or an environment that runs something. */
  hasTarget(alias: Pick<Alias, 'target'>): boolean;
  /** `shop/production` or a deployment's id, when Berth itself gave this hostname to it. */
  givenTo(hostname: string): string | undefined;
}

export function openAliases(needs: AliasesNeeds): Aliases {
  const { store, routes, clock } = needs;
  let turn: Promise<unknown> = Promise.resolve();

  /** Two that ask for the same name at once are looked at one after the other. */
  function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = turn.then(act);
    turn = done.catch(() => undefined);
    return done;
  }

  async function given(hostname: string): Promise<Claims['given']> {
    const standing = routes.givenTo(hostname);
    if (standing === 'platform') return standing;
    const name = standing?.name ?? (await willBeGivenTo(hostname));
    if (name === undefined) return undefined;
    const slash = name.indexOf('/');
    const project = slash < 0 ? projectOfId(name) : name.slice(0, slash);
    return { name, project, team: needs.teamOf(project) };
  }

  /** Environments answer at their names only from their first release on, but the names are theirs before. */
  async function willBeGivenTo(hostname: string): Promise<string | undefined> {
    const suffix = `.${needs.domain.toLowerCase()}`;
    if (!hostname.endsWith(suffix)) return undefined;
    const label = hostname.slice(0, -suffix.length);
    const [projects, environments] = await Promise.all([store.projects(), store.environments()]);
    const names = [
      ...projects.flatMap(({ name }) => [
        { project: name, name: PRODUCTION },
        { project: name, name: STAGING },
      ]),
      ...environments,
    ];
    const found = names.find(({ project, name }) => environmentLabel(project, name) === label);
    return found && environmentKey(found.project, found.name);
  }

  return {
    async load() {
      for (const alias of await store.aliases()) routes.setAlias(alias);
    },

    list: () => store.aliases(),

    set: (wanted, projects) =>
      inTurn(async () => {
        const wide = tooWide(wanted);
        if (wide !== undefined) {
          throw new BerthError('INVALID_INPUT', { detail: `${aliasName(wanted)} ${wide}.` });
        }
        const standing = await store.aliases();
        const claims = { given: await given(wanted.hostname), aliases: standing };
        const claimant = { team: wanted.team, ...(projects ? { projects } : {}) };
        const refusal = refuseAlias(wanted, claimant, claims);
        if (refusal !== undefined) throw new BerthError('HOSTNAME_TAKEN', { detail: refusal });
        const before = standing.find(
          ({ hostname, path }) => hostname === wanted.hostname && path === wanted.path,
        );
        if (before?.team === wanted.team && isSameTarget(before.target, wanted.target)) {
          return { alias: before, before };
        }
        const alias: Alias = { ...wanted, createdAt: clock.now() };
        await store.putAlias(alias);
        routes.setAlias(alias);
        return { alias, before };
      }),

    leadingTo: async (to) => (await store.aliases()).filter((alias) => leadsInto(alias, to)),

    remove: (alias) =>
      inTurn(async () => {
        if (!(await store.deleteAlias(alias.hostname, alias.path))) throw noAlias(alias);
        routes.removeAlias(alias.hostname, alias.path);
      }),

    hasTarget: ({ target }) =>
      target.kind === 'environment'
        ? routes.pointer(target.project, target.environment) !== undefined
        : routes.knows(routes.hostOf(target.deploymentId)),

    givenTo(hostname) {
      const standing = routes.givenTo(hostname);
      return standing === 'platform' ? undefined : standing?.name;
    },
  };
}

/** ALIAS_NOT_FOUND for a place that nobody, or nobody one may see, has. */
export function noAlias(place: AliasPlace): BerthError {
  return new BerthError('ALIAS_NOT_FOUND', { detail: `There is no alias ${aliasName(place)}.` });
}
