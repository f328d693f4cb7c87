/** Environments and releases, as the client has them. */
import type { Client as FetchClient } from 'openapi-fetch';
import type { Ask } from './ask.ts';
import type { components, paths } from './schema.d.ts';

type Schemas = components['schemas'];
export type Release = Schemas['Release'];
/** With `isStanding` when it was current already, and nothing was done. */
export type Released = Schemas['Released'];
export type Environment = Schemas['Environment'];
export type SettingsChanged = Schemas['SettingsChanged'];

type Of = '/api/v1/projects/{project}/environments/{environment}';
type Body<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { 'application/json': infer Content } } };
}
  ? Content
  : never;
export type ReleaseBody = Body<`${Of}/releases`>;
export type RollbackBody = Body<`${Of}/rollback`>;
export type ScaleBody = Body<`${Of}/scale`>;
export type LimitsBody = Body<`${Of}/limits`>;
type PatchBody = paths[Of]['patch']['requestBody'] extends
  | { content: { 'application/json': infer Content } }
  | undefined
  ? Content
  : never;
/** What is left out stays as it is. */
export type EnvironmentChange = Partial<PatchBody>;

/** Every method throws a BerthError with the server's own code. Changes answer when they take the traffic. */
export interface ReleasesClient {
  /** Production first. */
  environments(project: string): Promise<readonly Environment[]>;
  environment(project: string, environment: string): Promise<Environment>;
  makeEnvironment(project: string, environment: string): Promise<Environment>;
  /** Throws ALIASED when an alias leads to it, unless that is to go as well. */
  removeEnvironment(
    project: string,
    environment: string,
    options?: { readonly withAliases?: boolean },
  ): Promise<void>;
  /** What it runs and its settings, as one release. */
  changeEnvironment(
    project: string,
    environment: string,
    change: EnvironmentChange,
  ): Promise<SettingsChanged>;
  /** Newest first. */
  releases(project: string, environment: string, limit?: number): Promise<readonly Release[]>;
  release(project: string, environment: string, body: ReleaseBody): Promise<Released>;
  rollback(project: string, environment: string, body: RollbackBody): Promise<Release>;
  scale(project: string, environment: string, body: ScaleBody): Promise<SettingsChanged>;
  limit(project: string, environment: string, body: LimitsBody): Promise<SettingsChanged>;
}

export function releasesClient(api: FetchClient<paths>, ask: Ask): ReleasesClient {
  const ONE = '/api/v1/projects/{project}/environments/{environment}';
  const at = (project: string, environment: string) => ({ path: { project, environment } });
  return {
    environments: async (project) =>
      (
        await ask(
          api.GET('/api/v1/projects/{project}/environments', { params: { path: { project } } }),
        )
      ).data,
    environment: async (project, environment) =>
      (await ask(api.GET(ONE, { params: at(project, environment) }))).data,
    makeEnvironment: async (project, environment) =>
      (await ask(api.PUT(ONE, { params: at(project, environment) }))).data,
    async removeEnvironment(project, environment, { withAliases = false } = {}) {
      const query = withAliases ? { withAliases: 'true' } : {};
      await ask(api.DELETE(ONE, { params: { ...at(project, environment), query } }));
    },
    changeEnvironment: async (project, environment, change) => {
      // The declarations made from the schema call keys with a default required; the server does not.
      const body = change as PatchBody;
      return (await ask(api.PATCH(ONE, { params: at(project, environment), body }))).data;
    },
    releases: async (project, environment, limit) => {
      const query = limit === undefined ? {} : { limit };
      const params = { ...at(project, environment), query };
      return (await ask(api.GET(`${ONE}/releases`, { params }))).data;
    },
    release: async (project, environment, body) =>
      (await ask(api.POST(`${ONE}/releases`, { params: at(project, environment), body }))).data,
    rollback: async (project, environment, body) =>
      (await ask(api.POST(`${ONE}/rollback`, { params: at(project, environment), body }))).data,
    scale: async (project, environment, body) =>
      (await ask(api.POST(`${ONE}/scale`, { params: at(project, environment), body }))).data,
    limit: async (project, environment, body) =>
      (await ask(api.POST(`${ONE}/limits`, { params: at(project, environment), body }))).data,
  };
}
