/** The typed client of the API: what the CLI and the dashboard use, and anyone may. */
import createFetchClient from 'openapi-fetch';
import { BerthError } from '../core/errors.ts';
import { type AccessClient, accessClient } from './access.ts';
import { errorFrom, errorWithoutAnswer } from './problem.ts';
import { type ReleasesClient, releasesClient } from './releases.ts';
import type { components, paths } from './schema.d.ts';
import { type SecretsClient, secretsClient } from './secrets.ts';
import { serverEvents } from './stream.ts';
import type { Sleep } from './stream.ts';

type Schemas = components['schemas'];
export type Deployment = Schemas['Deployment'];
export type DeploymentDetail = Schemas['DeploymentDetail'];
export type Instance = Schemas['Instance'];
export type LogLine = Schemas['LogLine'];
export type Status = Schemas['Status'];
export type Slot = Schemas['Slot'];
export type Identity = Schemas['Identity'];
export type Health = Schemas['Health'];
export type Uploaded = Schemas['Uploaded'];
export type Certificate = Schemas['Certificate'];
export type Authority = Schemas['Authority'];
export type Alias = Schemas['Alias'];
/** With `isStanding` when it led there already, and nothing was done. */
export type AliasSet = Schemas['AliasSet'];
export type GcLine = Schemas['GcLine'];
export type GcPlan = Schemas['GcPlan'];
export type GcReport = Schemas['GcReport'];
export type DiskUsage = Schemas['DiskUsage'];
export type ManifestEntry = Schemas['ManifestEntryInput'];
export type Project = Schemas['Project'];
export type ProjectRemoved = Schemas['ProjectRemoved'];
export type Identified = Schemas['Identified'];
export type IdentifyBody =
  paths['/api/v1/projects/{project}/identify']['post']['requestBody']['content']['application/json'];
export type DeployBody =
  paths['/api/v1/deployments']['post']['requestBody']['content']['application/json'];
type LogParameters = NonNullable<
  paths['/api/v1/deployments/{name}/logs']['get']['parameters']['query']
>;
export type LogQuery = Omit<LogParameters, 'follow'>;

/** What happens during a deploy; `end` is the last one. */
export type ProgressEvent =
  | ({ readonly kind: 'step' } & Readonly<Schemas['StepEvent']>)
  | ({ readonly kind: 'line' } & Readonly<Schemas['LineEvent']>)
  | ({ readonly kind: 'end' } & Readonly<Schemas['EndEvent']>);

export type { Environment, EnvironmentChange, Release, Released } from './releases.ts';
export type { Sleep } from './stream.ts';
export type { Secret, VariablesChange } from './secrets.ts';

export interface ClientOptions {
  /** For example `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: Sleep;
}

/** A deployment that was asked for: there already, or under way. */
export interface Deployed {
  readonly kind: 'ready' | 'started';
  readonly deployment: Deployment;
}

/** Every method throws a BerthError with the server's own code; SERVER_NOT_RUNNING when nothing answers. */
export interface Client extends AccessClient, ReleasesClient, SecretsClient {
  health(): Promise<Health>;
  status(): Promise<Status>;
  whoami(): Promise<Identity>;
  slots(): Promise<readonly Slot[]>;
  /** Announces the files of a folder: which of them the server lacks. */
  announce(manifest: readonly ManifestEntry[]): Promise<Uploaded>;
  /** Sends one file. A stream has to come with its length. */
  sendBlob(
    sha256: string,
    content: Uint8Array<ArrayBuffer> | ReadableStream,
    bytes: number,
  ): Promise<void>;
  deploy(body: DeployBody): Promise<Deployed>;
  /** From the start of the deploy to its end, over interruptions of the connection. */
  progress(name: string, signal?: AbortSignal): AsyncGenerator<ProgressEvent, void>;
  projects(): Promise<readonly Project[]>;
  makeProject(project: string, team?: string): Promise<Project>;
  /** With everything in it. Throws ALIASED when an alias leads to it, unless that is to go as well. */
  removeProject(
    project: string,
    options?: { readonly withAliases?: boolean },
  ): Promise<ProjectRemoved>;
  /** Which deployment it would be; nothing is made. */
  identify(project: string, body: IdentifyBody): Promise<Identified>;
  deployments(project?: string): Promise<readonly Deployment[]>;
  deployment(name: string): Promise<DeploymentDetail>;
  /** Throws ALIASED when an alias leads to it, unless that is to go as well. */
  remove(name: string, options?: { readonly withAliases?: boolean }): Promise<void>;
  instances(deployment?: string): Promise<readonly Instance[]>;
  logs(name: string, query?: LogQuery): Promise<readonly LogLine[]>;
  certificates(): Promise<readonly Certificate[]>;
  /** Both PEM. */
  addCertificate(hostname: string, certificate: string, key: string): Promise<Certificate>;
  removeCertificate(hostname: string): Promise<void>;
  authority(): Promise<Authority>;
  aliases(): Promise<readonly Alias[]>;
  setAlias(place: Pick<Alias, 'hostname' | 'path'>, target: string): Promise<AliasSet>;
  removeAlias(place: Pick<Alias, 'hostname' | 'path'>): Promise<void>;
  /** The bytes of a backup; its last line says whether it is whole. */
  backup(
    body: { readonly passphrase: string; readonly images: boolean },
    signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** What a clean-up would do now. */
  gcPlan(): Promise<GcPlan>;
  gc(): Promise<GcReport>;
  diskUsage(): Promise<DiskUsage>;
  /** Until the signal aborts. */
  followLogs(name: string, query?: LogQuery, signal?: AbortSignal): AsyncGenerator<LogLine, void>;
}

export function createClient({ url, token, sleep }: ClientOptions): Client {
  const authorization = `Bearer ${token}`;
  const api = createFetchClient<paths>({ baseUrl: url, headers: { authorization } });
  api.use({
    onRequest({ params }) {
      for (const name of Object.values(params.path ?? {})) inPath(String(name));
      return undefined;
    },
  });

  /** The data of an answer, or the error it is. */
  async function ask<Data>(
    asked: Promise<{ data?: Data; error?: unknown; response: Response }>,
  ): Promise<{ data: Data; response: Response }> {
    let answer;
    try {
      answer = await asked;
    } catch (error) {
      throw errorWithoutAnswer(error, url);
    }
    const { data, error, response } = answer;
    if (!response.ok) throw errorFrom(error, response);
    return { data: data as Data, response };
  }

  /** For what `openapi-fetch` has no way for: streams. */
  async function request(
    path: string,
    options: Omit<RequestInit, 'headers'> & {
      readonly headers: Readonly<Record<string, string>>;
      readonly duplex?: 'half';
    },
  ): Promise<Response> {
    let response;
    try {
      response = await fetch(`${url}${path}`, {
        ...options,
        headers: { ...options.headers, authorization },
      });
    } catch (error) {
      throw errorWithoutAnswer(error, url);
    }
    if (response.ok) return response;
    throw errorFrom(await response.json().catch(() => undefined), response);
  }

  const events = (path: string, signal: AbortSignal | undefined) =>
    serverEvents({
      sleep,
      signal,
      open: (lastEventId) =>
        request(path, {
          headers: {
            accept: 'text/event-stream',
            ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
          },
          ...(signal ? { signal } : {}),
        }),
    });

  return {
    ...secretsClient(api, ask),
    ...accessClient(api, ask),
    ...releasesClient(api, ask),
    health: async () => (await ask(api.GET('/api/v1/health'))).data,
    status: async () => (await ask(api.GET('/api/v1/status'))).data,
    whoami: async () => (await ask(api.GET('/api/v1/whoami'))).data,
    slots: async () => (await ask(api.GET('/api/v1/slots'))).data,

    announce: async (manifest) =>
      (await ask(api.POST('/api/v1/uploads', { body: { manifest: [...manifest] } }))).data,

    async sendBlob(sha256, content, bytes) {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': `${bytes}` };
      await request(`/api/v1/blobs/${sha256}`, {
        method: 'PUT',
        headers,
        body: content,
        duplex: 'half',
      });
    },

    async deploy(body) {
      const { data, response } = await ask(api.POST('/api/v1/deployments', { body }));
      return { kind: response.status === 200 ? 'ready' : 'started', deployment: data };
    },

    async *progress(name, signal) {
      const path = `/api/v1/deployments/${inPath(name)}/progress`;
      for await (const { name: kind, data } of events(path, signal)) {
        yield { kind, ...(data as object) } as ProgressEvent;
        if (kind === 'end') return;
      }
    },

    projects: async () => (await ask(api.GET('/api/v1/projects'))).data,
    async makeProject(project, team) {
      const body = { project, ...(team === undefined ? {} : { team }) };
      return (await ask(api.POST('/api/v1/projects', { body }))).data;
    },
    async removeProject(project, { withAliases = false } = {}) {
      const query = withAliases ? { withAliases: 'true' } : {};
      const params = { path: { project }, query };
      return (await ask(api.DELETE('/api/v1/projects/{project}', { params }))).data;
    },
    async identify(project, body) {
      const params = { path: { project } };
      return (await ask(api.POST('/api/v1/projects/{project}/identify', { params, body }))).data;
    },
    deployments: async (project) =>
      (await ask(api.GET('/api/v1/deployments', withQuery({ project })))).data,
    deployment: async (name) =>
      (await ask(api.GET('/api/v1/deployments/{name}', { params: { path: { name } } }))).data,
    async remove(name, { withAliases = false } = {}) {
      const query = withAliases ? { withAliases: 'true' } : {};
      const params = { path: { name }, query };
      await ask(api.DELETE('/api/v1/deployments/{name}', { params }));
    },
    instances: async (deployment) =>
      (await ask(api.GET('/api/v1/instances', withQuery({ deployment })))).data,

    async logs(name, query = {}) {
      const params = { path: { name }, query };
      const { data } = await ask(api.GET('/api/v1/deployments/{name}/logs', { params }));
      return data as LogLine[];
    },
    certificates: async () => (await ask(api.GET('/api/v1/certificates'))).data,
    async addCertificate(hostname, certificate, key) {
      const params = { path: { hostname } };
      const body = { certificate, key };
      return (await ask(api.PUT('/api/v1/certificates/{hostname}', { params, body }))).data;
    },
    async removeCertificate(hostname) {
      await ask(api.DELETE('/api/v1/certificates/{hostname}', { params: { path: { hostname } } }));
    },
    aliases: async () => (await ask(api.GET('/api/v1/aliases'))).data,
    setAlias: async (place, target) =>
      (await ask(api.PUT('/api/v1/aliases', { body: { ...place, target } }))).data,
    async removeAlias(place) {
      await ask(api.DELETE('/api/v1/aliases', { params: { query: place } }));
    },
    async backup(body, signal) {
      const response = await request('/api/v1/backup', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
      return response.body ?? new ReadableStream();
    },
    gcPlan: async () => (await ask(api.GET('/api/v1/gc'))).data,
    gc: async () => (await ask(api.POST('/api/v1/gc'))).data,
    diskUsage: async () => (await ask(api.GET('/api/v1/disk'))).data,
    authority: async () => (await ask(api.GET('/api/v1/authority'))).data,

    async *followLogs(name, query = {}, signal) {
      const parameters = new URLSearchParams({ follow: 'true' });
      for (const [key, value] of Object.entries(query)) {
        if (value !== undefined) parameters.set(key, `${value}`);
      }
      const path = `/api/v1/deployments/${inPath(name)}/logs?${parameters.toString()}`;
      for await (const { data } of events(path, signal)) yield data as LogLine;
    },
  };
}

/** Absent values are left out rather than sent as `undefined`. */
function withQuery<Name extends string>(
  query: Readonly<Partial<Record<Name, string | undefined>>>,
) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return { params: { query: Object.fromEntries(given) as Partial<Record<Name, string>> } };
}

/** The name as a part of a path. Empty or dots, it would make the path another one, and with that another question. */
function inPath(name: string): string {
  if (!/^\.{0,2}$/.test(name)) return encodeURIComponent(name);
  const detail = name === '' ? 'An empty name names nothing.' : `${name} is not a name.`;
  throw new BerthError('INVALID_INPUT', { detail });
}
