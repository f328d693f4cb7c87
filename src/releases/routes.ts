/** The hostnames of environments in the route table, which nothing else may have. */
import { environmentLabel, PRODUCTION, projectsOfLabel, STAGING } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import type { EnvironmentName } from '../core/model.ts';
import { environmentKey, type RouteTable } from '../core/route.ts';
import type { Store } from '../ports/store.ts';
import type { EnvironmentRoutes } from './needs.ts';

export interface EnvironmentRoutesNeeds {
  readonly table: RouteTable;
  readonly store: Pick<Store, 'project' | 'environments'>;
  readonly teamOf: (project: string) => string;
}

export function createEnvironmentRoutes(needs: EnvironmentRoutesNeeds): EnvironmentRoutes {
  const { table, store, teamOf } = needs;

  /** Throws where an alias was there first. A path of it may be the team's own. */
  function checkAliases(team: string, host: string): void {
    for (const alias of table.aliasesAt(host)) {
      if (teamOf(alias.project) !== team) throw taken(`${host} belongs to another team.`);
      if (alias.path === '/') throw taken(`${host} is an alias that leads to ${alias.project}.`);
    }
  }

  /** The environments of a project with the time since when their names are its own: also where nothing answers yet. */
  async function namesOf(project: string): Promise<ReadonlyMap<EnvironmentName, number>> {
    const since = (await store.project(project))?.createdAt;
    if (since === undefined) return new Map();
    const made = await store.environments({ project });
    return new Map([
      ...made.map(({ name, createdAt }) => [name, createdAt] as const),
      [PRODUCTION, since],
      [STAGING, since],
    ]);
  }

  /** The environment of another project that had the hostname before, though it answers at none yet. */
  async function earlier(project: string, name: EnvironmentName) {
    const label = environmentLabel(project, name);
    const mine = (await namesOf(project)).get(name) ?? Infinity;
    for (const other of projectsOfLabel(label)) {
      if (other === project) continue;
      for (const [environment, since] of await namesOf(other)) {
        if (since < mine && environmentLabel(other, environment) === label) {
          return { project: other, environment };
        }
      }
    }
    return undefined;
  }

  return {
    async check(project, name, team = teamOf(project)) {
      const host = table.hostOfEnvironment(project, name);
      const given = table.givenTo(host);
      if (given === 'platform') throw taken(`${host} belongs to Berth itself.`);
      if (given !== undefined) {
        if (given.name !== environmentKey(project, name))
          throw taken(`${host} belongs to ${given.name}.`);
        return;
      }
      checkAliases(team, host);
      const owner = await earlier(project, name);
      if (!owner) return;
      const key = environmentKey(owner.project, owner.environment);
      throw taken(`${host} belongs to ${teamOf(owner.project) === team ? key : 'another team'}.`);
    },
    point: (project, name, pointer) => table.point(project, name, pointer),
    remove: (project, name) => table.removeEnvironment(project, name),
  };
}

function taken(detail: string): BerthError {
  return new BerthError('HOSTNAME_TAKEN', { detail });
}
