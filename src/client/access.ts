/** The part of the client that is about teams, tokens, plans and the audit log. */
import type createFetchClient from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

type Schemas = components['schemas'];
export type Team = Schemas['Team'];
export type Token = Schemas['Token'];
export type NewToken = Schemas['NewToken'];
export type Invitation = Schemas['Invitation'];
export type Plan = Schemas['Plan'];
export type AuditEntry = Schemas['AuditEntry'];

type Body<Path extends '/api/v1/tokens' | '/api/v1/invitations'> =
  paths[Path]['post']['requestBody']['content']['application/json'];
export type TokenInput = Body<'/api/v1/tokens'>;
export type InvitationInput = Body<'/api/v1/invitations'>;
export type AuditQuery = NonNullable<paths['/api/v1/audit']['get']['parameters']['query']>;
export type Quota = Pick<Plan, 'instances' | 'requests'>;

export interface AccessClient {
  teams(): Promise<readonly Team[]>;
  addTeam(name: string, plan?: string): Promise<Team>;
  setTeamPlan(team: string, plan: string): Promise<Team>;
  removeTeam(team: string): Promise<void>;
  plans(): Promise<readonly Plan[]>;
  setPlan(name: string, quota: Quota): Promise<void>;
  removePlan(name: string): Promise<void>;
  /** Of one team, or of all that the token is for. */
  tokens(team?: string): Promise<readonly Token[]>;
  addToken(input: TokenInput): Promise<NewToken>;
  removeToken(id: string): Promise<void>;
  invite(input: InvitationInput): Promise<Invitation>;
  /** Uses the code of a login link up; needs no token. */
  redeem(code: string): Promise<NewToken>;
  /** Removes the token that this client has. */
  logout(): Promise<void>;
  audit(query?: AuditQuery): Promise<readonly AuditEntry[]>;
}

type Api = ReturnType<typeof createFetchClient<paths>>;
type Ask = <Data>(
  asked: Promise<{ data?: Data; error?: unknown; response: Response }>,
) => Promise<{ data: Data; response: Response }>;

export function accessClient(api: Api, ask: Ask): AccessClient {
  return {
    teams: async () => (await ask(api.GET('/api/v1/teams'))).data,
    async addTeam(name, plan) {
      const body = { name, ...(plan === undefined ? {} : { plan }) };
      return (await ask(api.POST('/api/v1/teams', { body }))).data;
    },
    async setTeamPlan(team, plan) {
      const params = { path: { team } };
      return (await ask(api.PUT('/api/v1/teams/{team}/plan', { params, body: { plan } }))).data;
    },
    async removeTeam(team) {
      await ask(api.DELETE('/api/v1/teams/{team}', { params: { path: { team } } }));
    },
    plans: async () => (await ask(api.GET('/api/v1/plans'))).data,
    async setPlan(plan, body) {
      await ask(api.PUT('/api/v1/plans/{plan}', { params: { path: { plan } }, body }));
    },
    async removePlan(plan) {
      await ask(api.DELETE('/api/v1/plans/{plan}', { params: { path: { plan } } }));
    },
    async tokens(team) {
      const query = team === undefined ? {} : { team };
      return (await ask(api.GET('/api/v1/tokens', { params: { query } }))).data;
    },
    addToken: async (body) => (await ask(api.POST('/api/v1/tokens', { body }))).data,
    async removeToken(id) {
      await ask(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } }));
    },
    invite: async (body) => (await ask(api.POST('/api/v1/invitations', { body }))).data,
    redeem: async (code) => (await ask(api.POST('/api/v1/login', { body: { code } }))).data,
    async logout() {
      await ask(api.POST('/api/v1/logout'));
    },
    audit: async (query = {}) => (await ask(api.GET('/api/v1/audit', { params: { query } }))).data,
  };
}
