/** Deployments: make, list, look at, remove. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { checkSlot, toConfiguration } from '../config/schema.ts';
import { aliasName } from '../core/alias.ts';
import { BerthError } from '../core/errors.ts';
import { versionOf } from '../core/release.ts';
import { actorOf, reserveProject, whoOf } from './actor.ts';
import { audited } from './audit.ts';
import { find, seenDeployments } from './find.ts';
import { jsonList } from './json-list.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  deploy,
  deployment,
  deploymentDetail,
  deploymentsQuery,
  instance,
  instancesQuery,
  nameParameters,
} from './schemas.ts';
import { toWireDeployment, toWireInstance } from './wire.ts';
import { removeAliasesTo, withAliasesQuery } from './with-aliases.ts';

/** 500 variables of 64 KiB would be more than any kernel takes; the configuration's own check allows 1 MiB of them. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export function addDeployments(routes: Routes, needs: ApiNeeds): void {
  const { store, fleet, deployer, urlOf } = needs;

  routes.post(
    '/deployments',
    {
      config: { verb: 'deploy', action: 'deployment.created' },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        summary: 'Deploy an uploaded folder or an image',
        description:
          'The same content and configuration is the same deployment. A failed one is tried again. Follow its progress under `progress`.',
        body: deploy,
        response: {
          200: deployment.describe('It is deployed already.'),
          202: deployment.describe('Work is under way.'),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { project } = request.body;
      audited(request, { subject: project, project });
      const deployed = await deployIn(request);
      const { id } = deployed.deployment;
      const detail = deployed.kind === 'ready' ? 'it was deployed already' : '';
      audited(request, { subject: id, project, detail });
      return reply
        .code(deployed.kind === 'ready' ? 200 : 202)
        .send(toWireDeployment(deployed.deployment, urlOf));
    },
  );

  routes.get(
    '/deployments',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'All deployments, newest first',
        querystring: deploymentsQuery,
        response: { 200: deployment.array(), ...problems },
      },
    },
    async (request, reply) => {
      const { project } = request.query;
      const filter = project === undefined ? {} : { project };
      const who = whoOf(request);
      const running = new Map<string, string[]>();
      for await (const page of store.releaseOutlines({ ...filter, isCurrent: true })) {
        for (const one of page) {
          const names = running.get(one.deploymentId);
          if (names) names.push(one.environment);
          else running.set(one.deploymentId, [one.environment]);
        }
      }
      async function* seen() {
        for await (const page of store.deploymentPages(filter))
          yield page.filter((one) => needs.access.sees(who, one.project));
      }
      const list = jsonList(deployment, seen(), (one) => {
        const environments = running.get(one.id);
        return { ...toWireDeployment(one, urlOf), ...(environments ? { environments } : {}) };
      });
      // A stream passes the serializer by: the list has checked each item itself.
      return reply.type('application/json; charset=utf-8').send(list as never);
    },
  );

  routes.get(
    '/deployments/:name',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'One deployment with its instances',
        description: 'The name of a project means its newest ready deployment.',
        params: nameParameters,
        response: { 200: deploymentDetail, ...problems },
      },
    },
    async (request) => {
      const found = await find(request, needs, request.params.name, 'newest');
      const because = fleet.because(found.id);
      const environments = (await store.releasesOf(found.id))
        .filter((one) => one.state === 'current' && one.deploymentId === found.id)
        .map((one) => one.environment);
      return {
        ...toWireDeployment(found, urlOf),
        ...(environments.length > 0 ? { environments } : {}),
        instances: fleet.instances(found.id).map(toWireInstance),
        ...(because === undefined ? {} : { because }),
      };
    },
  );

  routes.delete(
    '/deployments/:name',
    {
      config: { verb: 'remove', action: 'deployment.removed' },
      schema: {
        summary: 'Remove a deployment and all that only it used',
        description:
          'The name must fit one deployment only. Refused while an environment runs it or an alias leads to it.',
        params: nameParameters,
        querystring: withAliasesQuery,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      audited(request, { subject: request.params.name });
      const found = await find(request, needs, request.params.name, 'one');
      audited(request, { subject: found.id, project: found.project });
      const [user] = await needs.releases.usersOf(found.id);
      if (user) {
        const detail = `${user.environment} of ${user.project} runs ${found.id} (${versionOf(user)}).`;
        throw new BerthError('DEPLOYMENT_IN_USE', { detail });
      }
      const isAsked = request.query.withAliases;
      const gone = await removeAliasesTo(needs, { deploymentId: found.id }, isAsked);
      if (gone.length > 0) {
        const detail = `with ${gone.map(aliasName).join(', ')}`;
        audited(request, { subject: found.id, project: found.project, detail });
      }
      await deployer.remove(found);
      return reply.code(204).send(null);
    },
  );

  routes.get(
    '/instances',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Instances and what they do',
        querystring: instancesQuery,
        response: { 200: instance.array(), ...problems },
      },
    },
    async (request) => {
      const name = request.query.deployment;
      if (name !== undefined) {
        const { id } = await find(request, needs, name, 'newest');
        return fleet.instances(id).map(toWireInstance);
      }
      const seen = await seenDeployments(request, needs);
      return fleet
        .instances()
        .filter((one) => seen === undefined || seen.has(one.deploymentId))
        .map(toWireInstance);
    },
  );

  /** What is refused takes no name: the project is there once a deployment is written. */
  async function deployIn(request: FastifyRequest<{ Body: z.output<typeof deploy> }>) {
    const { project, source, team } = request.body;
    using place = await reserveProject(request, needs, project, team);
    audited(request, { subject: project, project, team: needs.access.teamOf(project) });
    needs.access.takeDeployTurn(whoOf(request), needs.access.teamOf(project));
    const configuration = toConfiguration(request.body.configuration);
    const { cores, memoryMiB } = needs.facts();
    checkSlot(configuration.slot, { cpus: cores, memoryMiB });
    const deployed = await deployer.deploy({
      project,
      configuration,
      source,
      createdBy: actorOf(request),
      sees: (name) => needs.access.sees(whoOf(request), name),
      beforeWriting: () => place.keep(),
    });
    // Somebody may have removed the project while the files were looked at: it is there as long as this is.
    await place.keep();
    return deployed;
  }
}
