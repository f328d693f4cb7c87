/** Environments and what happens to them: release, promote, roll back, change settings. One thing at a time for each. */
import { BerthError } from '../core/errors.ts';
import type {
  Deployment,
  DeploymentId,
  Environment,
  EnvironmentName,
  EnvironmentSettings,
  Release,
  ReleaseKind,
  Scale,
} from '../core/model.ts';
import {
  baseOf,
  describeDeed,
  describeDeeds,
  emptySettings,
  isSameContent,
  restores,
  scaleOf,
  versionOf,
} from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import type { Answered } from '../core/trial.ts';
import { createEnvironments, type Environments, needName, noEnvironment } from './environments.ts';
import type { ReleasesNeeds } from './needs.ts';
import { completeTrial, type Made, performRelease, performTrial } from './perform.ts';
import { type Plan, pinFor, planRelease, planRollback } from './plan.ts';
import { createPointers } from './pointers.ts';
import { createQueue } from './queue.ts';
import { recover } from './recover.ts';
import { isStanding, runsElsewhere } from './standing.ts';
import { findTarget } from './target.ts';
import { createTrials, needRival } from './trials.ts';

interface Asked {
  readonly project: string;
  readonly environment: EnvironmentName;
  /** In words of who asks. */
  readonly why?: string;
  readonly createdBy: string;
  /** The current release when it was decided, 0 for none: with another one it throws PLAN_OUTDATED. Absent: any. */
  readonly seen?: number;
}

export interface ReleaseRequest extends Asked {
  /** What was deployed, or runs elsewhere: what an environment made of a deployment counts as that deployment. */
  readonly deployment: Deployment;
  /** Where it ran before, for a promotion. */
  readonly from?: { readonly environment: EnvironmentName; readonly number: number };
  /** It is a promotion of what was deployed before; where it ran is looked for when `from` does not say. */
  readonly isPromotion?: boolean;
  /** Changes the settings in the same release. */
  readonly change?: SettingsRequest['change'];
  /** 1–99: only so many of the clients get it, until it is promoted whole, taken back by hand, or does worse. */
  readonly percent?: number;
  /** Nobody asked for it by hand: refused with ENVIRONMENT_PAUSED after a rollback. */
  readonly isAutomatic?: boolean;
}

export interface RollbackRequest extends Asked {
  /** Absent: to the previous one that was different. */
  readonly to?: number;
}

export interface SettingsRequest extends Asked {
  readonly kind: Extract<ReleaseKind, 'variables' | 'secrets' | 'scale' | 'limits' | 'hostnames'>;
  /** The settings as they are to be, made of those that stand when its turn comes. */
  readonly change: (settings: EnvironmentSettings) => EnvironmentSettings;
  /** `newest` takes the newest version of every secret that is named; otherwise those that run stay. */
  readonly secrets?: 'newest';
}

/** A release that was made, or the one that stands when there was nothing to make. */
export interface Released extends Made {
  /** It was current before, and runs just what was asked for: no number was given. */
  readonly isStanding?: true;
}

export interface Releases extends Environments {
  /** Once, at the start, before deploys are continued: what was under way has failed. */
  recover(): Promise<void>;
  /** Once, before the fleet starts: routes and scale of everything that is current. */
  open(): Promise<void>;
  /** Removes it with its history; what it ran stays as a deployment. */
  remove(project: string, name: EnvironmentName): Promise<void>;
  /** Deploys or promotes. Throws RELEASE_FAILED, IMAGE_GONE, NOT_READY, ENVIRONMENT_PAUSED, RELEASE_IN_PROGRESS, … */
  release(request: ReleaseRequest): Promise<Released>;
  /** One on trial is taken back, when no other is named or the current one. Throws NOTHING_TO_ROLL_BACK, RELEASE_NOT_FOUND, IMAGE_GONE before anything is touched, or RELEASE_FAILED. */
  rollback(request: RollbackRequest): Promise<Made>;
  /** Undefined: nothing was released there yet, so that the settings wait for the first release; or nothing changed. */
  change(request: SettingsRequest): Promise<Made | undefined>;
  /** Releases that take traffic, or are about to, and run this deployment or what was made of it. */
  usersOf(id: DeploymentId): Promise<readonly Release[]>;
  /** Adds a line to the history for a change beside it: its hostnames. Undefined: nothing was released there yet. */
  tell(
    request: Asked & { readonly kind: 'hostnames'; readonly because: string },
  ): Promise<Release | undefined>;
  /** A request to an environment was answered: what a trial is judged by. */
  note(environment: string, deploymentId: DeploymentId, answered: Answered): void;
  /** Releases under way fail; what runs stays. */
  close(): Promise<void>;
}

export function createReleases(needs: ReleasesNeeds): Releases {
  const { store, clock, routes } = needs;
  const queue = createQueue();
  const pointers = createPointers(needs);
  const closing = new AbortController();
  const ending = AbortSignal.any([closing.signal, needs.closing]);

  /** Runs `act` when it is this environment's turn. */
  function inTurn<Result>({ project, environment }: Asked, act: () => Promise<Result>) {
    needName(environment);
    return queue.take(environmentKey(project, environment), async () => {
      if (ending.aborted) throw new BerthError('SHUTTING_DOWN');
      return act();
    });
  }

  async function stateOf({ project, environment: name, seen }: Asked) {
    const environment = await store.environment(project, name);
    const now = environment?.current ?? 0;
    if (seen !== undefined && seen !== now) throw outdated(project, name, seen, now);
    const current =
      environment?.current === undefined
        ? undefined
        : await store.release(project, name, environment.current);
    return { environment, current, settings: environment?.settings ?? emptySettings };
  }

  const trials = createTrials(needs, pointers, (place, act) =>
    inTurn({ ...place, createdBy: 'berth' }, act),
  );

  const live = { pointers, trials };
  const perform = (plan: Plan) => performRelease(needs, live, plan, ending);

  /** What stands goes on. Asked for by hand, nothing is tried beside it any more, and automatic deploys need not wait. */
  async function stand(
    request: ReleaseRequest,
    current: Release,
    environment: Environment | undefined,
  ): Promise<Released> {
    let taken: Release | undefined;
    if (!request.isAutomatic) {
      taken = await trials.takeBack(request, `${versionOf(current)} was asked for again`);
      if (environment?.pausedBecause !== undefined) {
        await store.pauseEnvironment(request.project, request.environment, undefined);
      }
    }
    return { ...current, isStanding: true, ...(taken ? { endedTrial: taken.number } : {}) };
  }

  /** What every draft has. */
  function draftOf({ project, environment, createdBy }: Asked) {
    return { project, environment, createdBy, createdAt: clock.now() };
  }

  return {
    ...createEnvironments(needs),

    recover: () => recover(needs),

    async open() {
      const scales = new Map<DeploymentId, Scale>();
      for await (const page of store.deploymentPages()) {
        for (const { id, configuration } of page) scales.set(id, configuration.scale);
      }
      for (const release of await store.currentReleases()) {
        const { project, environment, deploymentId, settings } = release;
        const own = scales.get(deploymentId);
        if (!own) continue;
        const scale = scaleOf(environment, settings, { scale: own });
        pointers.move(project, environment, { deploymentId, scale });
      }
    },

    remove: (project, name) =>
      inTurn({ project, environment: name, createdBy: '' }, async () => {
        if (!(await store.environment(project, name))) {
          throw noEnvironment(project, name);
        }
        trials.finish({ project, environment: name });
        await store.deleteEnvironment(project, name);
        pointers.remove(project, name);
      }),

    release: (request) =>
      inTurn(request, async () => {
        const { project, deployment, why } = request;
        const { environment, current, settings: before } = await stateOf(request);
        const settings = request.change?.(before) ?? before;
        if (request.isAutomatic && environment?.pausedBecause !== undefined) {
          throw new BerthError('ENVIRONMENT_PAUSED', { detail: environment.pausedBecause });
        }
        // What it was derived from may have been removed since; then it stands for itself.
        const base = await store.deployment(baseOf(deployment));
        const baseId = base?.id ?? deployment.id;
        const secrets = await pinFor(needs, { project, baseId, settings });
        const from =
          request.from ?? (request.isPromotion ? await runsElsewhere(needs, request) : undefined);
        const kind = from || request.isPromotion ? 'promote' : 'deploy';
        const because = describeDeeds(
          [
            { kind, baseId, ...(from ? { from } : {}) },
            { kind: 'settings', from: before, to: settings },
          ],
          why,
        );
        const draft = { ...draftOf(request), kind, baseId, settings, secrets, because } as const;
        const plan = await planRelease(needs, draft);
        const { percent } = request;
        const onTrial = trials.at(request);
        if (percent !== undefined) {
          const stable = needRival(current, plan);
          return performTrial(needs, live, plan, { percent, stable }, ending);
        }
        if (onTrial?.deploymentId === plan.draft.deploymentId) {
          return completeTrial(needs, live, onTrial, plan.scale);
        }
        if (current && (await isStanding(needs, plan, current))) {
          return stand(request, current, environment);
        }
        return perform(plan);
      }),

    rollback: (request) =>
      inTurn(request, async () => {
        const { current } = await stateOf(request);
        const by = `by ${request.createdBy}${request.why === undefined ? '' : `: ${request.why}`}`;
        // Everybody back to what stands: that is what both ask for while another one is tried.
        const isBack = request.to === undefined || request.to === current?.number;
        const taken = isBack ? await trials.takeBack(request, by) : undefined;
        if (taken) return taken;
        const target = await findTarget(store, request, current);
        if (target.kind === 'none') {
          throw new BerthError('NOTHING_TO_ROLL_BACK', { detail: target.because });
        }
        const old = target.release;
        const { deploymentId, ...restored } = restores(old);
        const because = describeDeed({ kind: 'rollback', to: old.number }, request.why);
        const draft = { ...draftOf(request), kind: 'rollback', ...restored, because } as const;
        const plan = await planRollback(needs, draft, deploymentId);
        const undone = current
          ? `${versionOf(current)} was rolled back to ${versionOf(old)}`
          : because;
        return perform({ ...plan, pausedBecause: `${undone} by ${request.createdBy}.` });
      }),

    change: (request) =>
      inTurn(request, async () => {
        const { project, environment: name, kind } = request;
        const { environment, current, settings: before } = await stateOf(request);
        const settings = request.change(before);
        if (!current) {
          await routes.check(project, name);
          await store.ensureEnvironment(project, name, clock.now());
          await store.setInitialSettings(project, name, settings);
          return undefined;
        }
        const { baseId } = current;
        const kept = request.secrets === 'newest' ? undefined : current.secrets;
        const secrets = await pinFor(needs, { project, baseId, settings }, kept);
        const deed =
          kind === 'secrets'
            ? ({ kind, names: changedVersions(current.secrets, secrets) } as const)
            : ({ kind: 'settings', from: before, to: settings } as const);
        const because = describeDeed(deed, request.why);
        const draft = { ...draftOf(request), kind, baseId, settings, secrets, because };
        const plan = await planRelease(needs, draft);
        if (isSameContent(plan.draft, current)) return undefined;
        const paused = environment?.pausedBecause;
        return perform(paused === undefined ? plan : { ...plan, pausedBecause: paused });
      }),

    tell: ({ kind, because, ...request }) =>
      inTurn(request, async () => {
        const { environment, current } = await stateOf(request);
        if (!current) return undefined;
        const draft = { ...draftOf(request), kind, ...restores(current), because };
        const release = await store.beginRelease(draft);
        // Nothing that runs or is routed changes with it.
        await store.switchTo(release, environment?.pausedBecause);
        return { ...release, state: 'current' };
      }),

    note: (environment, id, answered) => trials.note(environment, id, answered),

    async usersOf(id) {
      const uses = await store.releasesOf(id);
      return uses.filter(({ state }) => state !== 'superseded' && state !== 'failed');
    },

    async close() {
      closing.abort();
      trials.close();
      await queue.settled();
    },
  };
}

function outdated(project: string, name: string, seen: number, now: number): BerthError {
  const said = (number: number) => (number === 0 ? 'nothing' : versionOf({ number }));
  const detail = `${name} of ${project} was at ${said(seen)} and is at ${said(now)} now.`;
  return new BerthError('PLAN_OUTDATED', { detail });
}

function changedVersions(from: Release['secrets'], to: Release['secrets']): readonly string[] {
  return Object.keys(to).filter((name) => from[name] !== to[name]);
}
