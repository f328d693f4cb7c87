/** A line of the audit log for every request that changes something, also when it was refused. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf } from './actor.ts';
import type { ApiNeeds } from './needs.ts';

/** What a handler knows about the change that its route makes. */
export interface ChangeFacts {
  /** What it is done to: `shop/production v7`. */
  readonly subject: string;
  /** Absent: it belongs to no project. */
  readonly project?: string;
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
  }
}

/** Says what the request is about, as early as the handler knows it; a later call replaces the earlier. */
export function audited(request: FastifyRequest, facts: ChangeFacts): void {
  request.changeFacts = facts;
}

/** Writes the line before the answer is sent: who is told that it was done can rely on the line being there. */
export function auditChanges(app: FastifyInstance, needs: Pick<ApiNeeds, 'audit' | 'clock'>): void {
  app.decorateRequest('changeFacts', undefined);
  app.addHook('onError', async (request, _reply, error) => {
    request.failureCode = 'code' in error ? String(error.code) : 'INTERNAL';
  });
  app.decorateRequest('failureCode', undefined);
  app.addHook('onSend', async (request, _reply, payload) => {
    const { action } = request.routeOptions.config;
    if (request.is404 || typeof action !== 'string') return payload;
    const facts = request.changeFacts;
    await needs.audit({
      at: needs.clock.now(),
      actor: actorOf(request),
      action,
      subject: facts?.subject ?? request.url.split('?')[0] ?? '',
      team: 'default',
      detail: facts?.detail ?? '',
      ...(facts?.project === undefined ? {} : { project: facts.project }),
      ...(request.failureCode === undefined ? {} : { failure: request.failureCode }),
      address: request.ip,
    });
    return payload;
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    failureCode: string | undefined;
  }
}
