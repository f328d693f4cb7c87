/** Carries the steps of a stack's plan out, one by one, through the API. */
import { spelled } from '../config/schema.ts';
import { parseAlias } from '../core/alias.ts';
import { BerthError } from '../core/errors.ts';
import { type EnvironmentDeed, runsKey, type Step, stepSubject } from '../core/stack.ts';
import type { Client, EnvironmentChange } from '../client/client.ts';
import type { Context } from './context.ts';
import { send } from './deploy.ts';
import { inTurn } from './in-turn.ts';
import { locateSecrets } from './locate-secrets.ts';
import { showProgress } from './progress.ts';
import { releasing, sentence } from './released.ts';
import { type Looked, wireConfiguration } from './stack-look.ts';

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

/** What does a step; `why` stands in the history of releases. Throws what the server says, PLAN_OUTDATED among it. */
export function carryOut(
  context: Context,
  client: Client,
  { platform, requests }: Looked,
  why: string,
): (step: Step) => Promise<void> {
  const { output } = context;
  /** Deployments that the steps before made, by `runsKey`. */
  const made = new Map<string, string>();

  /** A line for a step that takes no time to speak of. */
  async function line(step: Step, asked: Promise<unknown>): Promise<void> {
    const subject = stepSubject(step);
    const shown = output.step(subject);
    try {
      await asked;
      shown.done({ '+': 'Made', '~': 'Changed', '-': 'Removed' }[step.sign] + ` ${subject}`);
    } catch (error) {
      shown.fail(subject);
      throw error;
    }
  }

  async function deploy({ project, runs }: Of<'deployment'>): Promise<void> {
    const request = requests.get(runsKey(project, runs));
    if (!request) throw new Error(`nothing was read for ${project}`);
    const { source, found } = request;
    const body = {
      project,
      configuration: wireConfiguration(request),
      source:
        source.kind === 'image'
          ? source
          : { kind: 'folder' as const, manifest: await send(output, client, source.upload) },
    };
    const { kind, deployment } = await inTurn(context, () => client.deploy(body)).catch(
      (error: unknown) => {
        throw locateSecrets(error, found);
      },
    );
    const ready =
      kind === 'ready'
        ? deployment
        : await showProgress(output, client.progress(deployment.id, context.world.interrupted));
    output.note(`  ${ready.id} is ready`);
    made.set(runsKey(project, runs), ready.id);
  }

  async function change(step: Of<'environment'>, deed: EnvironmentDeed): Promise<void> {
    const { project, environment } = step;
    const { limits, scale, seen, set, unset } = deed;
    const { maxConcurrentReqs, durationMs, timeoutMs } = limits;
    const changed = await releasing(
      output,
      `Changing ${environment} of ${project}`,
      `${environment} of ${project} stays as it is`,
      client.changeEnvironment(project, environment, {
        ...(await whatRuns(project, deed)),
        set: spelled(set),
        unset: [...unset],
        limits: {
          ...(maxConcurrentReqs === undefined ? {} : { maxConcurrentReqs }),
          ...(durationMs === undefined ? {} : { duration: durationMs }),
          ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
        },
        ...(scale ? { scale } : {}),
        seen,
        why,
      }),
      ({ release }) =>
        release
          ? `${project}: ${sentence(release)}`
          : `${environment} of ${project} has its settings`,
    );
    if (changed.release) output.note(`  ${changed.environment.url}`);
  }

  async function whatRuns(project: string, { runs, baseId }: EnvironmentDeed) {
    const wanted: Pick<EnvironmentChange, 'deployment' | 'from'> = {};
    if (!runs) return wanted;
    if (runs.kind !== 'environment') {
      const key = runsKey(project, runs);
      wanted.deployment = made.get(key) ?? baseId ?? platform.deployments.get(key)?.id ?? '';
      return wanted;
    }
    if (baseId !== undefined) {
      const now = (await client.environment(project, runs.environment)).current?.base;
      if (now !== baseId) {
        const detail = `${runs.environment} of ${project} ran ${baseId} and runs ${now ?? 'nothing'} now.`;
        throw new BerthError('PLAN_OUTDATED', { detail });
      }
    }
    wanted.from = runs.environment;
    return wanted;
  }

  function alias(step: Of<'alias'>): Promise<unknown> {
    const place = parseAlias(step.alias);
    if (typeof place === 'string') throw new Error(`${step.alias} ${place}`);
    return step.sign === '-' ? client.removeAlias(place) : client.setAlias(place, step.target);
  }

  return async (step) => {
    switch (step.kind) {
      case 'team': {
        const { team, plan } = step;
        await line(
          step,
          step.sign === '~' && plan !== undefined
            ? client.setTeamPlan(team, plan)
            : client.addTeam(team, plan),
        );
        return;
      }
      case 'project':
        await line(step, client.makeProject(step.project, step.team));
        return;
      case 'deployment':
        await deploy(step);
        return;
      case 'environment': {
        const { project, environment, deed, sign } = step;
        if (sign === '-') await line(step, client.removeEnvironment(project, environment));
        else if (deed) await change(step, deed);
        else await line(step, client.makeEnvironment(project, environment));
        return;
      }
      case 'alias':
        await line(step, alias(step));
    }
  };
}
