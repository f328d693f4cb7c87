/** Variables of an environment, and the versions of the secrets they name: each change is a release. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { toVariables } from '../config/schema.ts';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import type { EnvironmentSettings } from '../core/model.ts';
import { versionOf } from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import { actorOf } from './actor.ts';
import { audited } from './audit.ts';
import { needEnvironment } from './environments.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { environmentParameters } from './schemas-releases.ts';
import { secretsInput, settingsRelease, variables, variablesInput } from './schemas-variables.ts';
import { toWireRelease } from './wire-releases.ts';

const ONE = '/projects/:project/environments/:environment';

/** Variables of 1 MiB, all of it escaped. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

export function addVariables(routes: Routes, needs: ApiNeeds): void {
  const { releases, secrets, urlOfEnvironment } = needs;

  async function change(
    request: FastifyRequest,
    at: z.output<typeof environmentParameters>,
    asked: {
      readonly kind: 'variables' | 'secrets';
      readonly change: (settings: EnvironmentSettings) => EnvironmentSettings;
      readonly secrets?: 'newest';
    },
    why: string | undefined,
  ): Promise<z.output<typeof settingsRelease>> {
    await needEnvironment(releases, at, asked.kind === 'variables');
    const made = await releases.change({
      ...at,
      ...asked,
      createdBy: actorOf(request),
      ...(why === undefined ? {} : { why }),
    });
    if (!made) return {};
    const { project } = at;
    const subject = `${environmentKey(project, at.environment)} ${versionOf(made)}`;
    audited(request, { subject, project, detail: made.because });
    return { release: toWireRelease(made, urlOfEnvironment) };
  }

  routes.get(
    `${ONE}/variables`,
    {
      config: { verb: 'configure' },
      schema: {
        summary: 'Variables of an environment with their values; names of secrets stay names',
        description: 'Those that were set for it. What it runs may have others of its own.',
        params: environmentParameters,
        response: { 200: variables, ...problems },
      },
    },
    async ({ params }, reply) => {
      const { settings } = await releases.environment(params.project, params.environment);
      return reply.header('cache-control', 'no-store').send({ ...settings.variables });
    },
  );

  routes.post(
    `${ONE}/variables`,
    {
      bodyLimit: MAX_BODY_BYTES,
      config: { verb: 'configure', action: 'release.created' },
      schema: {
        summary: 'Set and unset variables of an environment, as one release',
        description:
          'What it runs is booted with them before it takes traffic. Secrets keep the versions that run; one that is new takes its newest.',
        params: environmentParameters,
        body: variablesInput,
        response: { 200: settingsRelease, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      const { project, environment } = params;
      const names = [...Object.keys(body.set), ...body.unset].join(', ');
      audited(request, { subject: environmentKey(project, environment), project, detail: names });
      const set = toVariables(body.set);
      // Before anything is written, also where nothing runs yet.
      await secrets.pin(project, set);
      const merge = (settings: EnvironmentSettings): EnvironmentSettings => ({
        ...settings,
        variables: withVariables(settings.variables, set, body.unset),
      });
      return change(request, params, { kind: 'variables', change: merge }, body.why);
    },
  );

  routes.post(
    `${ONE}/secrets`,
    {
      config: { verb: 'configure', action: 'release.created' },
      schema: {
        summary: 'Take the newest version of every secret that an environment names, as a release',
        params: environmentParameters,
        body: secretsInput,
        response: { 200: settingsRelease, ...problems },
      },
    },
    (request) => {
      const { params, body } = request;
      const { project, environment } = params;
      audited(request, { subject: environmentKey(project, environment), project });
      return change(
        request,
        params,
        { kind: 'secrets', change: (settings) => settings, secrets: 'newest' },
        body.why,
      );
    },
  );
}

/** Throws INVALID_INPUT when there would be too many. */
export function withVariables(
  before: EnvironmentSettings['variables'],
  set: EnvironmentSettings['variables'],
  unset: readonly string[],
): EnvironmentSettings['variables'] {
  const kept = Object.entries({ ...before, ...set }).filter(([name]) => !unset.includes(name));
  if (kept.length > BOUNDS.envNames) {
    const detail = `An environment has at most ${BOUNDS.envNames} variables.`;
    throw new BerthError('INVALID_INPUT', { detail });
  }
  return Object.fromEntries(kept);
}
