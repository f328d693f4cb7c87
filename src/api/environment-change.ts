/** Changes what an environment runs, its variables, limits and scale together: as one release. */
import { toVariables } from '../config/schema.ts';
import { BerthError } from '../core/errors.ts';
import type { EnvironmentSettings, Release } from '../core/model.ts';
import { versionOf } from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import { actorOf, demand } from './actor.ts';
import { audited } from './audit.ts';
import { withLimits } from './environments.ts';
import { find } from './find.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { environmentChange, environmentParameters, settingsChanged } from './schemas-releases.ts';
import { MAX_BODY_BYTES, withVariables } from './variables.ts';
import { toWireEnvironment, toWireRelease } from './wire-releases.ts';

export function addEnvironmentChange(routes: Routes, needs: ApiNeeds): void {
  const { access, releases, secrets, store, urlOfEnvironment } = needs;

  routes.patch(
    '/projects/:project/environments/:environment',
    {
      bodyLimit: MAX_BODY_BYTES,
      config: { verb: 'configure', action: 'release.created' },
      schema: {
        summary: 'Change what an environment runs and its settings, as one release',
        description:
          'What is left out stays as it is. Answers when it takes the traffic; a failure leaves everything as it was.',
        params: environmentParameters,
        body: environmentChange,
        response: { 200: settingsChanged, ...problems },
      },
    },
    async (request) => {
      const { project, environment: name } = request.params;
      const { body } = request;
      audited(request, { subject: environmentKey(project, name), project });
      const from = body.from === undefined ? undefined : await currentOf(project, body.from);
      const runs = from?.deploymentId ?? body.deployment;
      if (runs !== undefined) {
        const team = access.teamOf(project);
        const hidden = () => new BerthError('PROJECT_NOT_FOUND');
        demand(request, 'release', { team, project }, hidden);
      }
      const set = toVariables(body.set);
      // Before anything is written, also where nothing runs yet.
      await secrets.pin(project, set);
      const { limits, scale, seen, unset, why } = body;
      const wanted = {
        maxConcurrentReqs: limits.maxConcurrentReqs,
        durationMs: limits.duration,
        timeoutMs: limits.timeout,
      };
      const asked = {
        ...request.params,
        createdBy: actorOf(request),
        ...(why === undefined ? {} : { why }),
        ...(seen === undefined ? {} : { seen }),
        change: (settings: EnvironmentSettings): EnvironmentSettings => ({
          ...settings,
          variables: withVariables(settings.variables, set, unset),
          limits: withLimits(settings.limits, wanted),
          ...(scale ? { scale } : {}),
        }),
      };
      const hasVariables = Object.keys(set).length + unset.length > 0;
      const kind = hasVariables ? 'variables' : scale ? 'scale' : 'limits';
      const made =
        runs === undefined
          ? await releases.change({ ...asked, kind })
          : await releases.release({
              ...asked,
              deployment: ofProject(project, await find(request, needs, runs, 'one')),
              ...(from ? { from } : {}),
            });
      const release = made && 'isStanding' in made ? undefined : made;
      if (release) {
        const subject = `${environmentKey(project, name)} ${versionOf(release)}`;
        audited(request, { subject, project, detail: release.because });
      }
      const environment = await releases.environment(project, name);
      const { current } = environment;
      const running = current && (await store.release(project, name, current));
      return {
        ...(release ? { release: toWireRelease(release, urlOfEnvironment) } : {}),
        environment: toWireEnvironment(environment, running || undefined, urlOfEnvironment),
      };
    },
  );

  /** Throws ENVIRONMENT_NOT_FOUND, RELEASE_NOT_FOUND. */
  async function currentOf(project: string, environment: string): Promise<Release> {
    const { current } = await releases.environment(project, environment);
    const found = current && (await store.release(project, environment, current));
    if (found) return found;
    const detail = `${environment} of ${project} has no release yet.`;
    throw new BerthError('RELEASE_NOT_FOUND', { detail });
  }
}

function ofProject<One extends { readonly id: string; readonly project: string }>(
  project: string,
  deployment: One,
): One {
  if (deployment.project === project) return deployment;
  const detail = `${deployment.id} belongs to ${deployment.project}, not to ${project}.`;
  throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail });
}
