/** The part of the client that is about secrets and variables. */
import type createFetchClient from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

type Schemas = components['schemas'];
export type Secret = Schemas['Secret'];
export type RotatedSecret = Schemas['RotatedSecret'];
export type SecretsKey = Schemas['SecretsKey'];
export type RotatedSecretsKey = Schemas['RotatedSecretsKey'];
export type SettingsRelease = Schemas['SettingsRelease'];

/** What variables of an environment are to become. */
export interface VariablesChange {
  readonly set?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
  readonly why?: string;
}

export interface SecretsClient {
  /** Of a team, or of the one that the token is for. */
  secrets(team?: string): Promise<readonly Secret[]>;
  addSecret(name: string, value: string, team?: string): Promise<Secret>;
  rotateSecret(name: string, value: string, team?: string): Promise<RotatedSecret>;
  removeSecret(
    name: string,
    options?: { readonly team?: string; readonly force?: boolean },
  ): Promise<void>;
  secretsKey(): Promise<SecretsKey>;
  rotateSecretsKey(): Promise<RotatedSecretsKey>;
  variables(project: string, environment: string): Promise<Readonly<Record<string, string>>>;
  changeVariables(
    project: string,
    environment: string,
    change: VariablesChange,
  ): Promise<SettingsRelease>;
  /** Takes the newest version of every secret that the environment names. */
  takeNewestSecrets(project: string, environment: string): Promise<SettingsRelease>;
}

type Api = ReturnType<typeof createFetchClient<paths>>;
type Ask = <Data>(
  asked: Promise<{ data?: Data; error?: unknown; response: Response }>,
) => Promise<{ data: Data; response: Response }>;

export function secretsClient(api: Api, ask: Ask): SecretsClient {
  const inTeam = (team: string | undefined) => (team === undefined ? {} : { query: { team } });
  return {
    secrets: async (team) => (await ask(api.GET('/api/v1/secrets', { params: inTeam(team) }))).data,
    async addSecret(name, value, team) {
      const body = { name, value };
      return (await ask(api.POST('/api/v1/secrets', { params: inTeam(team), body }))).data;
    },
    async rotateSecret(name, value, team) {
      const params = { path: { name }, ...inTeam(team) };
      return (await ask(api.POST('/api/v1/secrets/{name}/versions', { params, body: { value } })))
        .data;
    },
    async removeSecret(name, { team, force = false } = {}) {
      const query = {
        ...(team === undefined ? {} : { team }),
        ...(force ? { force: 'true' } : {}),
      };
      await ask(api.DELETE('/api/v1/secrets/{name}', { params: { path: { name }, query } }));
    },
    secretsKey: async () => (await ask(api.GET('/api/v1/secrets-key'))).data,
    rotateSecretsKey: async () => (await ask(api.POST('/api/v1/secrets-key/rotate'))).data,

    async variables(project, environment) {
      const params = { path: { project, environment } };
      return (
        await ask(
          api.GET('/api/v1/projects/{project}/environments/{environment}/variables', { params }),
        )
      ).data;
    },
    async changeVariables(project, environment, { set = {}, unset = [], why }) {
      const params = { path: { project, environment } };
      const body = { set, unset: [...unset], ...(why === undefined ? {} : { why }) };
      return (
        await ask(
          api.POST('/api/v1/projects/{project}/environments/{environment}/variables', {
            params,
            body,
          }),
        )
      ).data;
    },
    async takeNewestSecrets(project, environment) {
      const params = { path: { project, environment } };
      return (
        await ask(
          api.POST('/api/v1/projects/{project}/environments/{environment}/secrets', {
            params,
            body: {},
          }),
        )
      ).data;
    },
  };
}
