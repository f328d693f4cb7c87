/** The hostnames of environments in the route table, which nothing else may have. */
import { BerthError } from '../core/errors.ts';
import { environmentKey, type RouteTable } from '../core/route.ts';
import type { EnvironmentRoutes } from './needs.ts';

export function createEnvironmentRoutes(table: RouteTable): EnvironmentRoutes {
  return {
    check(project, name) {
      const host = table.hostOfEnvironment(project, name);
      const given = table.givenTo(host);
      if (given === undefined) return;
      if (given !== 'platform' && given.name === environmentKey(project, name)) return;
      const owner = given === 'platform' ? 'Berth itself' : given.name;
      throw new BerthError('HOSTNAME_TAKEN', { detail: `${host} belongs to ${owner}.` });
    },
    point: (project, name, pointer) => table.point(project, name, pointer),
    remove: (project, name) => table.removeEnvironment(project, name),
  };
}
