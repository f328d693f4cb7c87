/** Releases: the history of an environment, and what adds to it: deploy, promote, roll back. */
import { BerthError } from '../core/errors.ts';
import type { Release } from '../core/model.ts';
import { versionOf } from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import type { FastifyRequest } from 'fastify';
import { actorOf } from './actor.ts';
import { audited } from './audit.ts';
import { find } from './find.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  environmentParameters,
  release,
  released,
  releaseInput,
  releasesQuery,
  rollbackInput,
} from './schemas-releases.ts';
import { toWireRelease } from './wire-releases.ts';

const OF_ONE = '/projects/:project/environments/:environment';
const SHOWN = 100;

export function addReleases(routes: Routes, needs: ApiNeeds): void {
  const { releases, store, urlOfEnvironment } = needs;

  routes.get(
    `${OF_ONE}/releases`,
    {
      config: { verb: 'read' },
      schema: {
        summary: 'The history of an environment, newest first',
        description: `${SHOWN} of them unless \`limit\` says otherwise; \`before\` goes on from there.`,
        params: environmentParameters,
        querystring: releasesQuery,
        response: { 200: release.array(), ...problems },
      },
    },
    async ({ params, query: { limit = SHOWN, before } }) => {
      await releases.environment(params.project, params.environment);
      const found = await store.releases({
        ...params,
        limit,
        ...(before === undefined ? {} : { before }),
      });
      return found.map((one) => toWireRelease(one, urlOfEnvironment));
    },
  );

  routes.post(
    `${OF_ONE}/releases`,
    {
      config: { verb: 'release', action: 'release.created' },
      schema: {
        summary: 'Release a deployment to an environment, or what another one runs',
        description:
          'Answers when it takes the traffic. A failure leaves what ran before as it was, and comes with the last lines of the log.',
        params: environmentParameters,
        body: releaseInput,
        response: {
          200: released.describe('It runs there already: no release was made.'),
          201: released,
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { project, environment } = request.params;
      const { why, isAutomatic, isPromotion, percent } = request.body;
      audited(request, { subject: environmentKey(project, environment), project });
      const from = request.body.from && (await runningIn(project, request.body.from));
      const name = from?.deploymentId ?? request.body.deployment ?? '';
      const deployment = await find(request, needs, name, 'one');
      if (deployment.project !== project) {
        const detail = `${deployment.id} belongs to ${deployment.project}, not to ${project}.`;
        throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail });
      }
      const made = await releases.release({
        project,
        environment,
        deployment,
        createdBy: actorOf(request),
        ...(from ? { from } : {}),
        ...(percent === undefined ? {} : { percent }),
        ...(why === undefined ? {} : { why }),
        ...(isAutomatic === undefined ? {} : { isAutomatic }),
        ...(isPromotion === undefined ? {} : { isPromotion }),
      });
      const wire = toWireRelease(made, urlOfEnvironment);
      if (made.isStanding) {
        const subject = `${environmentKey(project, environment)} ${versionOf(made)}`;
        audited(request, { subject, project, detail: 'it ran there already' });
        return reply.code(200).send({ ...wire, isStanding: true });
      }
      tellAudit(request, made);
      return reply.code(201).send(wire);
    },
  );

  routes.post(
    `${OF_ONE}/rollback`,
    {
      config: { verb: 'release', action: 'release.created' },
      schema: {
        summary: 'Go back to an earlier release',
        description:
          'Deployment, variables, versions of secrets, limits and scale together. Looked for before anything is touched; itself a release; automatic deploys wait until the next one by hand.',
        params: environmentParameters,
        body: rollbackInput,
        response: { 201: release, ...problems },
      },
    },
    async (request, reply) => {
      const { project, environment } = request.params;
      const { to, why } = request.body;
      audited(request, { subject: environmentKey(project, environment), project });
      const made = await releases.rollback({
        project,
        environment,
        createdBy: actorOf(request),
        ...(to === undefined ? {} : { to }),
        ...(why === undefined ? {} : { why }),
      });
      tellAudit(request, made);
      return reply.code(201).send(toWireRelease(made, urlOfEnvironment));
    },
  );

  /** Throws RELEASE_NOT_FOUND, ENVIRONMENT_NOT_FOUND. */
  async function runningIn(
    project: string,
    { environment, number }: { readonly environment: string; readonly number?: number | undefined },
  ): Promise<Release> {
    const wanted = number ?? (await releases.environment(project, environment)).current;
    const found = wanted && (await store.release(project, environment, wanted));
    if (found) return found;
    const what = wanted ? versionOf({ number: wanted }) : 'release yet';
    throw new BerthError('RELEASE_NOT_FOUND', {
      detail: `${environment} of ${project} has no ${what}.`,
    });
  }
}

function tellAudit(request: FastifyRequest, made: Release): void {
  const { project, environment, because } = made;
  const subject = `${environmentKey(project, environment)} ${versionOf(made)}`;
  audited(request, { subject, project, detail: because });
}
