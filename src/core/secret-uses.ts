/** Who uses a secret, and in which version: what may not go while it is needed, and what a rotation leaves behind. */
import type { Deployment, DeploymentId, Environment, Release } from './model.ts';
import { secretNamesOf } from './secret.ts';

/** An environment and the version that what it runs was made with. */
export interface EnvironmentUse {
  readonly project: string;
  readonly environment: string;
  /** Number of its current release; absent: it runs nothing yet, its variables name the secret. */
  readonly release?: number;
  /** Absent as long as nothing runs. */
  readonly version?: number;
}

export interface SecretUses {
  /** Deployments that start with it, by id. */
  readonly deployments: readonly { readonly id: DeploymentId; readonly version: number }[];
  /** Environments, by project and name. */
  readonly environments: readonly EnvironmentUse[];
}

/** All that is known of the projects of one team. */
export interface Users {
  readonly deployments: readonly Pick<Deployment, 'id' | 'project' | 'state' | 'secrets'>[];
  readonly environments: readonly Pick<Environment, 'project' | 'name' | 'settings'>[];
  /** Those that take traffic. */
  readonly releases: readonly Pick<Release, 'project' | 'environment' | 'number' | 'secrets'>[];
}

/** A deployment that failed starts no more, so it does not count. */
export function usesOf(name: string, { deployments, environments, releases }: Users): SecretUses {
  return {
    deployments: deployments
      .flatMap(({ id, state, secrets }) => {
        const version = secrets?.[name];
        return version === undefined || state === 'failed' ? [] : [{ id, version }];
      })
      .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    environments: environments.flatMap(({ project, name: environment, settings }) => {
      const release = releases.find(
        (one) => one.project === project && one.environment === environment,
      );
      const version = release?.secrets[name];
      if (release && version !== undefined) {
        return [{ project, environment, release: release.number, version }];
      }
      const isNamed = secretNamesOf(settings.variables).includes(name);
      return isNamed && !release ? [{ project, environment }] : [];
    }),
  };
}

/** Environments that run an older version than `version`. */
export function behind(uses: SecretUses, version: number): readonly EnvironmentUse[] {
  return uses.environments.filter((use) => use.version !== undefined && use.version < version);
}
