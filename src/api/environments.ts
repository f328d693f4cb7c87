/** Environments of a project: list, look at, make, remove, and their scale and limits. */
import { z } from 'zod';
import { aliasName } from '../core/alias.ts';
import { isPreview } from '../core/environment.ts';
import { DEFAULT_SCALE } from '../core/limits.ts';
import type { Environment, EnvironmentSettings, Limits } from '../core/model.ts';
import { versionOf } from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import { actorOf } from './actor.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  environment,
  environmentParameters,
  limitsInput,
  projectParameters,
  scaleInput,
  settingsChanged,
} from './schemas-releases.ts';
import { toWireEnvironment, toWireRelease } from './wire-releases.ts';
import { removeAliasesTo, withAliasesQuery } from './with-aliases.ts';

const ONE = '/projects/:project/environments/:environment';

export function addEnvironments(routes: Routes, needs: ApiNeeds): void {
  const { releases, store, urlOfEnvironment } = needs;

  /** What the deployment's own configuration says. */
  async function scaleOfRunning(project: string, name: string, number: number) {
    const running = await store.release(project, name, number);
    return running && (await store.deployment(running.deploymentId))?.configuration.scale;
  }

  async function withCurrent(one: Environment) {
    const { project, name, current } = one;
    const running = current === undefined ? undefined : await store.release(project, name, current);
    return toWireEnvironment(one, running, urlOfEnvironment);
  }

  routes.get(
    '/projects/:project/environments',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'The environments of a project, production first',
        params: projectParameters,
        response: { 200: environment.array(), ...problems },
      },
    },
    async (request) => {
      const all = await releases.environments(request.params.project);
      return Promise.all(all.map(withCurrent));
    },
  );

  routes.get(
    ONE,
    {
      config: { verb: 'read' },
      schema: {
        summary: 'One environment and what it runs',
        params: environmentParameters,
        response: { 200: environment, ...problems },
      },
    },
    async ({ params }) =>
      withCurrent(await releases.environment(params.project, params.environment)),
  );

  routes.put(
    ONE,
    {
      config: { verb: 'configure', action: 'environment.created' },
      schema: {
        summary: 'Make an environment, unless it is there',
        params: environmentParameters,
        response: { 200: environment, ...problems },
      },
    },
    async (request) => {
      const { project, environment: name } = request.params;
      audited(request, { subject: environmentKey(project, name), project });
      return withCurrent(await releases.make(project, name));
    },
  );

  routes.delete(
    ONE,
    {
      config: { verb: 'remove', action: 'environment.removed' },
      schema: {
        summary: 'Remove an environment with its history',
        description:
          'Its hostname leads nowhere then. What it ran stays as a deployment. Refused while an alias leads to it.',
        params: environmentParameters,
        querystring: withAliasesQuery,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const { project, environment: name } = request.params;
      audited(request, { subject: environmentKey(project, name), project });
      const isThere = (await store.environment(project, name)) !== undefined;
      const isAsked = request.query.withAliases;
      const gone = isThere
        ? await removeAliasesTo(needs, { project, environment: name }, isAsked)
        : [];
      await releases.remove(project, name);
      if (gone.length > 0) {
        const detail = `with ${gone.map(aliasName).join(', ')}`;
        audited(request, { subject: environmentKey(project, name), project, detail });
      }
      return reply.code(204).send(null);
    },
  );

  const changed = { 200: settingsChanged, ...problems };

  /** Changes settings as a release of its own. */
  async function change(
    request: Parameters<typeof actorOf>[0],
    at: z.output<typeof environmentParameters>,
    kind: 'scale' | 'limits',
    why: string | undefined,
    to: (settings: EnvironmentSettings) => EnvironmentSettings,
  ) {
    const { project, environment: name } = at;
    audited(request, { subject: environmentKey(project, name), project });
    await needEnvironment(releases, at, true);
    const made = await releases.change({
      ...at,
      kind,
      change: to,
      createdBy: actorOf(request),
      ...(why === undefined ? {} : { why }),
    });
    if (made) {
      const subject = `${environmentKey(project, name)} ${versionOf(made)}`;
      audited(request, { subject, project, detail: made.because });
    }
    return {
      ...(made ? { release: toWireRelease(made, urlOfEnvironment) } : {}),
      environment: await withCurrent(await releases.environment(project, name)),
    };
  }

  routes.post(
    `${ONE}/scale`,
    {
      config: { verb: 'configure', action: 'release.created' },
      schema: {
        summary: 'Keep at least and at most so many instances',
        description: 'What is left out stays as it is. No instance is restarted by it.',
        params: environmentParameters,
        body: scaleInput,
        response: changed,
      },
    },
    async (request) => {
      const { min, max, why } = request.body;
      const { project, environment: name } = request.params;
      const { current } = await releases.environment(project, name);
      const own = current === undefined ? undefined : await scaleOfRunning(project, name, current);
      return change(request, request.params, 'scale', why, (settings) => {
        const before = settings.scale ?? own ?? DEFAULT_SCALE;
        const lowest = min ?? Math.min(before.min, max ?? before.max);
        return {
          ...settings,
          scale: { min: lowest, max: Math.max(max ?? before.max, lowest, 1) },
        };
      });
    },
  );

  routes.post(
    `${ONE}/limits`,
    {
      config: { verb: 'configure', action: 'release.created' },
      schema: {
        summary: 'Change the limits of what an environment runs',
        description: 'What is left out stays as it is. It is booted anew before it takes traffic.',
        params: environmentParameters,
        body: limitsInput,
        response: changed,
      },
    },
    (request) => {
      const { maxConcurrentReqs, duration, timeout, why } = request.body;
      const wanted = { maxConcurrentReqs, durationMs: duration, timeoutMs: timeout };
      return change(request, request.params, 'limits', why, (settings) => ({
        ...settings,
        limits: withLimits(settings.limits, wanted),
      }));
    },
  );
}

/** Throws ENVIRONMENT_NOT_FOUND, so that a slip of the keyboard makes none. A preview may get its settings before its branch comes. */
export async function needEnvironment(
  releases: Pick<ApiNeeds['releases'], 'environment'>,
  { project, environment }: z.output<typeof environmentParameters>,
  mayBePreview: boolean,
): Promise<void> {
  if (!mayBePreview || !isPreview(environment)) await releases.environment(project, environment);
}

/** Null takes a limit away, undefined leaves it. */
export function withLimits(
  before: Partial<Limits>,
  wanted: Readonly<Record<keyof Limits, number | null | undefined>>,
): Partial<Limits> {
  const after: { -readonly [Name in keyof Limits]?: number } = { ...before };
  for (const name of ['maxConcurrentReqs', 'durationMs', 'timeoutMs'] as const) {
    const value = wanted[name];
    if (value === null) delete after[name];
    else if (value !== undefined) after[name] = value;
  }
  return after;
}
