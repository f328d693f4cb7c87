/** The environments of a project: which there are, and making one before anything is released to it. */
import {
  ENVIRONMENT_NAME_RULE,
  isEnvironmentName,
  PRODUCTION,
  STAGING,
} from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import type { Environment, EnvironmentName } from '../core/model.ts';
import { emptySettings } from '../core/release.ts';
import type { ReleasesNeeds } from './needs.ts';

export interface Environments {
  /** Of a project, with production and staging when it has neither yet; production first. */
  environments(project: string): Promise<readonly Environment[]>;
  /** Throws ENVIRONMENT_NOT_FOUND. */
  environment(project: string, name: EnvironmentName): Promise<Environment>;
  /** Makes it unless it is there. Throws INVALID_INPUT for a name that is none, HOSTNAME_TAKEN. */
  make(project: string, name: EnvironmentName): Promise<Environment>;
}

export function createEnvironments({
  store,
  clock,
  routes,
}: Pick<ReleasesNeeds, 'store' | 'clock' | 'routes'>): Environments {
  return {
    async environments(project) {
      const made = await store.environments({ project });
      const missing = [PRODUCTION, STAGING]
        .filter((name) => !made.some((one) => one.name === name))
        .map((name) => unreleased(project, name));
      return [...made, ...missing].toSorted(productionFirst);
    },

    async environment(project, name) {
      const made = await store.environment(project, name);
      if (made) return made;
      if (name === PRODUCTION || name === STAGING) return unreleased(project, name);
      throw noEnvironment(project, name);
    },

    async make(project, name) {
      needName(name);
      await routes.check(project, name);
      return store.ensureEnvironment(project, name, clock.now());
    },
  };
}

/** Throws INVALID_INPUT with the rule. */
export function needName(name: string): void {
  if (isEnvironmentName(name)) return;
  throw new BerthError('INVALID_INPUT', {
    detail: `${JSON.stringify(name)} is no name of an environment.`,
    problems: [{ at: 'environment', message: ENVIRONMENT_NAME_RULE }],
  });
}

/** ENVIRONMENT_NOT_FOUND, with both names. */
export function noEnvironment(project: string, name: string): BerthError {
  const detail = `${project} has no environment ${name}.`;
  return new BerthError('ENVIRONMENT_NOT_FOUND', { detail });
}

function unreleased(project: string, name: EnvironmentName): Environment {
  return { project, name, latest: 0, settings: emptySettings, createdAt: 0 };
}

function productionFirst(a: Environment, b: Environment): number {
  const rank = ({ name }: Environment) => [PRODUCTION, STAGING].indexOf(name) >>> 0;
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}
