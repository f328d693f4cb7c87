/** The hostnames of environments in the route table, which nothing else may have. */
import { BerthError } from '../core/errors.ts';
import { environmentKey, type RouteTable } from '../core/route.ts';
import type { EnvironmentRoutes } from './needs.ts';

export function createEnvironmentRoutes(
  table: RouteTable,
  teamOf: (project: string) => string,
): EnvironmentRoutes {
  /** Throws where an alias was there first. A path of it may be the team's own. */
  function checkAliases(project: string, host: string): void {
    const team = teamOf(project);
    for (const alias of table.aliasesAt(host)) {
      if (teamOf(alias.project) !== team) throw taken(`${host} belongs to another team.`);
      if (alias.path === '/') throw taken(`${host} is an alias that leads to ${alias.project}.`);
    }
  }

  return {
    check(project, name) {
      const host = table.hostOfEnvironment(project, name);
      const given = table.givenTo(host);
      if (given === undefined) {
        checkAliases(project, host);
        return;
      }
      if (given !== 'platform' && given.name === environmentKey(project, name)) return;
      const owner = given === 'platform' ? 'Berth itself' : given.name;
      throw taken(`${host} belongs to ${owner}.`);
    },
    point: (project, name, pointer) => table.point(project, name, pointer),
    remove: (project, name) => table.removeEnvironment(project, name),
  };
}

function taken(detail: string): BerthError {
  return new BerthError('HOSTNAME_TAKEN', { detail });
}
