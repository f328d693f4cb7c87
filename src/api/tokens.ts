/** Tokens and login links: make, list, remove, and use one up. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Grant } from '../core/access.ts';
import { BerthError } from '../core/errors.ts';
import { isVisible, mayGrant, reaches } from '../core/permission.ts';
import { actorOf, teamOf, whoOf } from './actor.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  invitation,
  invitationInput,
  loginInput,
  newToken,
  teamQuery,
  token,
  tokenInput,
  tokenParameters,
} from './schemas-access.ts';
import { toWireInvitation, toWireToken } from './wire-access.ts';

export function addTokens(routes: Routes, needs: ApiNeeds): void {
  const { store, access, clock } = needs;

  routes.get(
    '/tokens',
    {
      config: { verb: 'team' },
      schema: {
        summary: 'Tokens, oldest first',
        description:
          'Of the team named, else of all that the token is for: one for some projects sees those for none but these. Never their values.',
        querystring: teamQuery,
        response: { 200: token.array(), ...problems },
      },
    },
    async (request) => {
      const { team } = request.query;
      return (await visibleTokens(request))
        .filter((one) => team === undefined || one.team === team)
        .map(toWireToken);
    },
  );

  routes.post(
    '/tokens',
    {
      config: { verb: 'team', action: 'token.added' },
      schema: {
        summary: 'Make a token for a program',
        description: 'It may never do more than the token that makes it. Its value is shown once.',
        body: tokenInput,
        response: { 201: newToken, ...problems },
      },
    },
    async (request, reply) => {
      const { name, can, projects, expiresInMs } = request.body;
      const grant: Grant = {
        ...(await grantOf(request)),
        ...(can ? { can } : {}),
        ...(projects ? { projects } : {}),
      };
      audited(request, { subject: name, ...inTeam(grant), detail: describe(grant) });
      demandGrant(request, grant);
      const made = await access.addToken(grant, {
        name,
        kind: 'token',
        createdBy: actorOf(request),
        ...(expiresInMs === undefined ? {} : { expiresAt: clock.now() + expiresInMs }),
      });
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toWireToken(made.token), value: made.value });
    },
  );

  routes.delete(
    '/tokens/:id',
    {
      config: { verb: 'team', action: 'token.removed' },
      schema: {
        summary: 'Remove a token: it is refused from now on, also in streams that are open',
        params: tokenParameters,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      audited(request, { subject: id });
      const found = (await visibleTokens(request)).find((one) => one.id === id);
      if (!found) throw new BerthError('TOKEN_NOT_FOUND', { detail: `There is no token ${id}.` });
      audited(request, { subject: found.name, ...inTeam(found) });
      await access.removeToken(found);
      return reply.code(204).send(null);
    },
  );

  routes.post(
    '/invitations',
    {
      config: { verb: 'team', action: 'member.invited' },
      schema: {
        summary: 'Make a login link for a person',
        description: 'It works once, for 24 hours.',
        body: invitationInput,
        response: { 201: invitation, ...problems },
      },
    },
    async (request, reply) => {
      const { name } = request.body;
      const grant = await grantOf(request);
      audited(request, { subject: name, ...inTeam(grant), detail: describe(grant) });
      demandGrant(request, grant);
      const made = await access.invite(grant, { name, createdBy: actorOf(request) });
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(toWireInvitation(made.invitation, loginPath(made.code)));
    },
  );

  routes.post(
    '/login',
    {
      config: { isOpen: true, action: 'member.joined' },
      schema: {
        summary: 'Use a login link up: a token for its code',
        security: [],
        body: loginInput,
        response: { 201: newToken, ...problems },
      },
    },
    async (request, reply) => {
      const made = await access.redeem(request.body.code);
      auditLogin(request, made.token);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toWireToken(made.token), value: made.value });
    },
  );

  routes.post(
    '/logout',
    {
      config: { verb: 'anyone', action: 'member.left' },
      schema: {
        summary: 'Remove the token that asks',
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const who = whoOf(request);
      audited(request, { subject: who.name, ...inTeam(who) });
      if (who.token === undefined) {
        throw new BerthError('FORBIDDEN', {
          detail: 'The local token belongs to the data folder of the server and stays.',
        });
      }
      const found = (await store.tokens()).find(({ id }) => id === who.token);
      if (found) await access.removeToken(found);
      return reply.code(204).send(null);
    },
  );

  async function visibleTokens(request: FastifyRequest) {
    const who = whoOf(request);
    return (await store.tokens()).filter((one) => reaches(who, one));
  }

  /** Team and role that the body asks for. Throws TEAM_NOT_FOUND. */
  async function grantOf(
    request: FastifyRequest<{ Body: z.output<typeof invitationInput> }>,
  ): Promise<Grant> {
    const { team = teamOf(request), role = 'member' } = request.body;
    if (team === null) return { role };
    const isHidden = !isVisible(whoOf(request), { team });
    if (isHidden || !(await store.team(team))) {
      throw new BerthError('TEAM_NOT_FOUND', { detail: `There is no team ${team}.` });
    }
    return { team, role };
  }
}

/** Path of the page that a login link leads to. */
export function loginPath(code: string): string {
  return `/login?code=${code}`;
}

/** Says in the audit log who came in: nobody was known when the request began. */
export function auditLogin(
  request: FastifyRequest,
  { name, team, role, createdBy }: Grant & { readonly name: string; readonly createdBy: string },
): void {
  const grant = { role, ...(team === undefined ? {} : { team }) };
  const detail = `${describe(grant)}, invited by ${createdBy}`;
  audited(request, { subject: name, actor: name, ...inTeam(grant), detail });
}

function demandGrant(request: FastifyRequest, grant: Grant): void {
  const decision = mayGrant(whoOf(request), grant);
  if (decision.kind === 'forbidden')
    throw new BerthError('FORBIDDEN', { detail: decision.because });
  if (decision.kind === 'hidden') throw new BerthError('TEAM_NOT_FOUND');
}

function inTeam({ team }: Grant): { readonly team?: string } {
  return team === undefined ? {} : { team };
}

/** `member of blue, may read, deploy, for shop`. */
function describe({ team, role, can, projects }: Grant): string {
  const parts = [`${role} of ${team ?? 'all teams'}`];
  if (can) parts.push(`may ${can.join(', ')}`);
  if (projects) parts.push(`for ${projects.join(', ')}`);
  return parts.join('; ');
}
