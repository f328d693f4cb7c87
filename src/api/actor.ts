/** Who asks: found out before anything else of a request is looked at, and what that one may. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Reservation } from '../access/open.ts';
import { DEFAULT_TEAM, type Principal, type Verb } from '../core/access.ts';
import { BerthError } from '../core/errors.ts';
import { decide, type Subject } from '../core/permission.ts';
import type { ApiNeeds } from './needs.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without a token. */
    readonly isOpen?: boolean;
    /** What it needs; one of several; `anyone`: any token that is good. Absent: `operate`, so that nothing is open by forgetting. */
    readonly verb?: Verb | 'anyone' | readonly Verb[];
    /** The project in the path need not be there yet: it becomes one of the team. */
    readonly makesProject?: boolean;
  }
  interface FastifyRequest {
    /** Absent on routes that answer without a token. */
    who: Principal | undefined;
    /** Calls `end` when the token stops being good; the answer calls that off. */
    untilRevoked: ((end: () => void) => () => void) | undefined;
  }
}

/** A route and what it needs, for the test that asks all of them. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
  readonly isOpen: boolean;
  readonly verb: Verb | 'anyone' | readonly Verb[] | undefined;
  readonly action: string | { readonly none: string } | undefined;
}

/** Name of the token that the request carries; `local` for the one of the data folder. */
export function actorOf(request: FastifyRequest): string {
  return request.who?.name ?? 'nobody';
}

/** Who asks, on a route that needs a token. */
export function whoOf(request: FastifyRequest): Principal {
  if (!request.who) throw new BerthError('UNAUTHORIZED', { detail: 'No token was given.' });
  return request.who;
}

/** The team that new things belong to unless another is named. */
export function teamOf(request: FastifyRequest): string {
  return request.who?.team ?? DEFAULT_TEAM;
}

/** Throws FORBIDDEN with what is missing; `hidden` when it is not there for this one. */
export function demand(
  request: FastifyRequest,
  verb: Verb,
  subject: Subject,
  hidden: () => BerthError,
): void {
  const decision = decide(whoOf(request), verb, subject);
  if (decision.kind === 'forbidden')
    throw new BerthError('FORBIDDEN', { detail: decision.because });
  if (decision.kind === 'hidden') throw hidden();
}

/** Every route declares what it needs; it is asked for before the body is read, the project as soon as it is known. */
export function guard(
  app: FastifyInstance,
  needs: Pick<ApiNeeds, 'access'>,
  declared: (route: DeclaredRoute) => void,
): void {
  app.decorateRequest('who', undefined);
  app.decorateRequest('untilRevoked', undefined);
  app.addHook('onRoute', ({ method, url, config = {} }) => {
    for (const one of [method].flat()) {
      const { isOpen = false, verb, action } = config;
      if (one !== 'HEAD') declared({ method: one, path: url, isOpen, verb, action });
    }
  });
  app.addHook('onRequest', async (request) => {
    const { config } = request.routeOptions;
    if (request.is404 || config.isOpen === true) return;
    const { access } = needs;
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const who = given === undefined ? undefined : await access.principalOf(given);
    if (!who) {
      const detail = given === undefined ? 'No token was given.' : 'The token is not good here.';
      throw new BerthError('UNAUTHORIZED', { detail });
    }
    request.who = who;
    request.untilRevoked = (end) => access.untilRevoked(who, end);
    const verb = config.verb ?? 'operate';
    if (verb === 'anyone') return;
    const [first = 'operate', ...others] = typeof verb === 'string' ? [verb] : verb;
    if (others.some((one) => decide(who, one).kind === 'allowed')) return;
    demand(request, first, {}, () => new BerthError('NOT_FOUND'));
  });
  // Before the body is looked at: what is wrong with it is nobody's business who cannot see the project.
  app.addHook('preValidation', async (request) => {
    if (!request.who) return;
    const { project } = (request.params ?? {}) as { readonly project?: unknown };
    if (typeof project !== 'string') return;
    if (request.routeOptions.config.makesProject === true)
      await makeProject(request, needs, project);
    else seeProject(request, needs, project);
    if (request.method !== 'GET' && needs.access.isGoing(project)) {
      throw new BerthError('PROJECT_BUSY', { detail: `${project} is being removed.` });
    }
  });
}

/** Throws PROJECT_NOT_FOUND: it is not there, of another team, or outside the token's scope. */
function seeProject(
  request: FastifyRequest,
  { access }: Pick<ApiNeeds, 'access'>,
  project: string,
): void {
  if (access.has(project) && access.sees(whoOf(request), project)) return;
  throw new BerthError('PROJECT_NOT_FOUND', { detail: `There is no project ${project}.` });
}

/** The project is the team's from now on, if it was not. Throws what `reserveProject` throws. */
export async function makeProject(
  request: FastifyRequest,
  needs: Pick<ApiNeeds, 'access'>,
  project: string,
  team?: string,
): Promise<void> {
  using reservation = await reserveProject(request, needs, project, team);
  await reservation.keep();
}

/**
 * The project is the team's as long as something is made in it, and for good once that is kept. Throws FORBIDDEN,
 * PROJECT_TAKEN, HOSTNAME_TAKEN, TEAM_NOT_FOUND.
 */
export async function reserveProject(
  request: FastifyRequest,
  { access }: Pick<ApiNeeds, 'access'>,
  project: string,
  team?: string,
): Promise<Reservation> {
  const { name, projects, team: own } = whoOf(request);
  if (projects !== undefined && !projects.includes(project)) {
    const detail = `The token ${name} is for ${projects.join(', ')} only, not for ${project}.`;
    throw new BerthError('FORBIDDEN', { detail });
  }
  if (team !== undefined && own !== undefined && team !== own) {
    throw new BerthError('TEAM_NOT_FOUND', { detail: `There is no team ${team}.` });
  }
  // One who is for all teams deploys to a project where it is.
  const there = own === undefined && access.has(project) ? access.teamOf(project) : undefined;
  return access.reserve(project, team ?? there ?? teamOf(request));
}
