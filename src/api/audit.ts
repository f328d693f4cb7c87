/** A line of the audit log for every request that changes something, also when it was refused though it was understood. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf, teamOf } from './actor.ts';
import type { ApiNeeds } from './needs.ts';

/** What a handler knows about the change that its route makes. */
export interface ChangeFacts {
  /** What it is done to: `shop/production v7`. */
  readonly subject: string;
  /** Absent: it belongs to no project. */
  readonly project?: string;
  /** Absent: that of the project, else of who asks. */
  readonly team?: string;
  /** Absent: who asks. */
  readonly actor?: string;
  /** Further facts in words; never values of variables or secrets. */
  readonly detail?: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What the route does, for the audit log: noun and verb, `release.created`. `none` and why, for one that changes
     * nothing a person would ask about.
     */
    readonly action?: string | { readonly none: string };
  }
  interface FastifyRequest {
    changeFacts: ChangeFacts | undefined;
    /** Code of the error that is answered; set where problems are written. */
    failureCode: string | undefined;
  }
}

/** Says what the request is about, as early as the handler knows it; a later call replaces the earlier. */
export function audited(request: FastifyRequest, facts: ChangeFacts): void {
  request.changeFacts = facts;
}

/** Input that is not valid, too large, or in no form that is read. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 413, 415]);
/** Characters of a path that stands for what a request was about, when it was refused before that was known. */
const LONGEST_PATH = 200;

/** Writes the line before the answer is sent: who is told that it was done can rely on the line being there. */
export function auditChanges(
  app: FastifyInstance,
  needs: Pick<ApiNeeds, 'access' | 'audit' | 'clock'>,
): void {
  app.decorateRequest('changeFacts', undefined);
  app.decorateRequest('failureCode', undefined);
  app.addHook('onSend', async (request, reply, payload) => {
    const { action } = request.routeOptions.config;
    const facts = request.changeFacts;
    if (request.is404 || typeof action !== 'string') return payload;
    // Whoever has no token could fill the disk with lines.
    if (!request.who && !facts) return payload;
    // Nor is what cannot be understood a try to change something: a broken script would fill it just so.
    if (NOT_UNDERSTOOD.has(reply.statusCode)) return payload;
    await needs.audit({
      at: needs.clock.now(),
      actor: facts?.actor ?? actorOf(request),
      action,
      subject: facts?.subject ?? request.url.split('?')[0]?.slice(0, LONGEST_PATH) ?? '',
      team: facts?.team ?? teamOfFacts(needs, request, facts?.project),
      detail: facts?.detail ?? '',
      ...(facts?.project === undefined ? {} : { project: facts.project }),
      ...(request.failureCode === undefined ? {} : { failure: request.failureCode }),
      ...(request.who?.token === undefined ? {} : { token: request.who.token }),
      address: request.ip,
    });
    return payload;
  });
}

/** The team of a project, else, also of one that was never made, that of who asks. */
function teamOfFacts(
  { access }: Pick<ApiNeeds, 'access'>,
  request: FastifyRequest,
  project: string | undefined,
): string {
  return project !== undefined && access.has(project) ? access.teamOf(project) : teamOf(request);
}
