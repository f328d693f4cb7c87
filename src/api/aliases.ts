/** Aliases: list, set, remove. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { noAlias } from '../aliases/open.ts';
import { aliasName, type AliasPlace, parseAlias, projectLedTo, targetName } from '../core/alias.ts';
import { PRODUCTION } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import type { Alias } from '../core/model.ts';
import { actorOf, demand, whoOf } from './actor.ts';
import { audited } from './audit.ts';
import { find } from './find.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { alias, aliasInput, aliasQuery, aliasSet } from './schemas-aliases.ts';

export function addAliases(routes: Routes, needs: ApiNeeds): void {
  const { access, aliases, releases } = needs;

  routes.get(
    '/aliases',
    {
      config: { verb: 'read' },
      schema: { summary: 'Aliases by hostname', response: { 200: alias.array(), ...problems } },
    },
    async (request) => (await seen(request)).map((one) => toWireAlias(one, needs)),
  );

  routes.put(
    '/aliases',
    {
      config: { verb: 'release', action: 'alias.set' },
      schema: {
        summary: 'Lead a hostname, or a path of it, to an environment or a deployment',
        description:
          'Replaces where it led before, from the next request on. Where it leads there already, nothing is written.',
        body: aliasInput,
        response: { 200: aliasSet, ...problems },
      },
    },
    async (request) => {
      const place = read(request.body);
      audited(request, { subject: aliasName(place) });
      const { target, project } = await targetOf(request, request.body.target);
      const team = access.teamOf(project);
      demand(request, 'release', { team, project }, () => noTarget(request.body.target));
      const subject = aliasName(place);
      const detail = `leads to ${targetName(target)}`;
      audited(request, { subject, project, team, detail });
      const createdBy = actorOf(request);
      const { projects } = whoOf(request);
      const wanted = { ...place, target, team, createdBy };
      const { alias: set, before } = await aliases.set(wanted, projects);
      if (set === before) {
        audited(request, { subject, project, team, detail: `${detail} already` });
        return { ...toWireAlias(set, needs), isStanding: true as const };
      }
      if (before) await tellHistory(request, before.target, `Lead ${subject} here no more`);
      await tellHistory(request, set.target, `Lead ${subject} here`);
      return toWireAlias(set, needs);
    },
  );

  routes.delete(
    '/aliases',
    {
      config: { verb: 'release', action: 'alias.removed' },
      schema: {
        summary: 'Remove an alias; what it led to stays',
        querystring: aliasQuery,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const place = read(request.query);
      audited(request, { subject: aliasName(place) });
      const own = (await seen(request)).find(
        ({ hostname, path }) => hostname === place.hostname && path === place.path,
      );
      if (!own) throw noAlias(place);
      audited(request, { subject: aliasName(place), team: own.team });
      await aliases.remove(own);
      await tellHistory(request, own.target, `Lead ${aliasName(place)} here no more`);
      return reply.code(204).send(null);
    },
  );

  /** Hostnames of an environment are part of its history. */
  async function tellHistory(
    request: FastifyRequest,
    target: Alias['target'],
    because: string,
  ): Promise<void> {
    if (target.kind === 'deployment') return;
    const { project, environment } = target;
    const createdBy = actorOf(request);
    await releases.tell({ project, environment, kind: 'hostnames', because, createdBy });
  }

  async function seen(request: FastifyRequest): Promise<readonly Alias[]> {
    const who = whoOf(request);
    return (await aliases.list()).filter(
      (one) =>
        (who.team === undefined || one.team === who.team) && access.sees(who, projectLedTo(one)),
    );
  }

  /** Throws INVALID_INPUT for an alias, else what `find` throws for what is not there. */
  async function targetOf(
    request: FastifyRequest,
    text: string,
  ): Promise<{ readonly target: Alias['target']; readonly project: string }> {
    const name = aliases.givenTo(hostnameIn(text)) ?? text;
    const slash = name.indexOf('/');
    const project = slash < 0 ? name : name.slice(0, slash);
    const isOurs = access.has(project) && access.sees(whoOf(request), project);
    if (isOurs && !/^\w+:\/\//.test(name)) {
      const environment = slash < 0 ? PRODUCTION : name.slice(slash + 1);
      await releases.environment(project, environment);
      return { target: { kind: 'environment', project, environment }, project };
    }
    const place = parseAlias(text);
    const loop = (await seen(request)).find(
      (one) => typeof place !== 'string' && aliasName(one) === aliasName(place),
    );
    if (loop) {
      const detail = `${aliasName(loop)} is an alias itself: name what it leads to, ${targetName(loop.target)}.`;
      throw new BerthError('INVALID_INPUT', { detail });
    }
    const deployment = await find(request, needs, name, 'one');
    return {
      target: { kind: 'deployment', deploymentId: deployment.id },
      project: deployment.project,
    };
  }
}

function read({ hostname, path }: AliasPlace): AliasPlace {
  const text = path === '/' ? hostname : `${hostname}${path}`;
  const place = parseAlias(text);
  if (typeof place !== 'string') return place;
  throw new BerthError('INVALID_INPUT', { detail: `${text} ${place}.` });
}

function hostnameIn(text: string): string {
  return /^(?:\w+:\/\/)?([^/?#:]*)/.exec(text)?.[1] ?? '';
}

function noTarget(target: string): BerthError {
  return new BerthError('DEPLOYMENT_NOT_FOUND', { detail: `Nothing is called ${target}.` });
}

function toWireAlias(one: Alias, { aliases, urlOfHost }: Pick<ApiNeeds, 'aliases' | 'urlOfHost'>) {
  const { hostname, path, target, team, createdAt, createdBy } = one;
  const url = `${urlOfHost(hostname)}${path === '/' ? '' : path}`;
  return {
    hostname,
    path,
    ...(hostname.startsWith('*') ? {} : { url }),
    leadsTo:
      target.kind === 'environment'
        ? { project: target.project, environment: target.environment }
        : { deployment: target.deploymentId },
    isDangling: !aliases.hasTarget(one),
    team,
    createdAt: new Date(createdAt).toISOString(),
    createdBy,
  };
}
