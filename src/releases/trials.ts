/** Releases that a share of the clients gets: watched each second, and taken back when they do worse. */
import { BerthError } from '../core/errors.ts';
import type { DeploymentId, EnvironmentName, Release } from '../core/model.ts';
import { environmentKey } from '../core/route.ts';
import { versionOf } from '../core/release.ts';
import { type Answered, createTally, judge, note, type Tally } from '../core/trial.ts';
import type { GivingWay } from '../ports/release-store.ts';
import type { ReleasesNeeds } from './needs.ts';
import type { Pointers } from './pointers.ts';
import type { Plan } from './plan.ts';

const LOOK_MS = 1_000;

/** Of which environment something is asked. */
interface Place {
  readonly project: string;
  readonly environment: EnvironmentName;
}

interface Running {
  readonly release: Release;
  readonly stable: DeploymentId;
  readonly tallies: ReadonlyMap<DeploymentId, Tally>;
  readonly end: AbortController;
}

export interface Trials {
  /** The release on trial there. */
  at(place: Place): Release | undefined;
  /** From now on `release.percent` of the clients get it; `stable` is what the others get. */
  begin(release: Release, stable: DeploymentId, plan: Plan): void;
  /** Everybody gets what stood before; the release has failed for this reason. Undefined: nothing is on trial there. */
  takeBack(place: Place, because: string): Promise<Release | undefined>;
  /** What the store has to write when another release takes the place of the one on trial. */
  givingWay(place: Place, because: string): GivingWay | undefined;
  /** That was written: nobody is sent to what was on trial any more. */
  gaveWay(place: Place, because: string): void;
  /** It has become current: nothing more is to be watched. */
  finish(place: Place): void;
  /** A request to an environment was answered by a deployment. */
  note(environment: string, deploymentId: DeploymentId, answered: Answered): void;
  close(): void;
}

export function createTrials(
  needs: ReleasesNeeds,
  pointers: Pointers,
  /** Runs `act` when it is the environment's turn. */
  inTurn: (place: Place, act: () => Promise<void>) => Promise<void>,
): Trials {
  const { store, clock, reporter } = needs;
  const trials = new Map<string, Running>();

  const keyOf = ({ project, environment }: Place) => environmentKey(project, environment);

  async function watch(running: Running): Promise<void> {
    const { release, stable, tallies, end } = running;
    for (;;) {
      await clock.sleep(LOOK_MS, end.signal);
      if (end.signal.aborted) return;
      const [before, after] = [tallies.get(stable), tallies.get(release.deploymentId)];
      if (!before || !after) return;
      const { isWorse, because } = judge(before, after, clock.now());
      if (!isWorse) continue;
      // At once: its turn may come only after a release that boots for minutes.
      pointers.endTrial(release.project, release.environment);
      await inTurn(release, async () => {
        // Somebody may have decided meanwhile.
        if (trials.get(keyOf(release)) !== running) return;
        await takeBack(release, because);
        await tellAudit(release, because);
      });
      return;
    }
  }

  async function takeBack(place: Place, because: string): Promise<Release | undefined> {
    const running = trials.get(keyOf(place));
    if (!running) return undefined;
    const { release } = running;
    const whole = takenBack(release, because);
    // First nobody is sent there any more, then it is written: a crash in between ends as a failed trial as well.
    stop(place);
    await store.failRelease(release, whole);
    report(release, because);
    return { ...release, state: 'failed', because: whole };
  }

  function report({ project, environment, number }: Release, because: string): void {
    reporter.report('warn', 'release.taken-back', { project, environment, number, because });
  }

  function stop(place: Place): void {
    const running = trials.get(keyOf(place));
    if (!running) return;
    trials.delete(keyOf(place));
    running.end.abort();
    pointers.endTrial(place.project, place.environment);
  }

  /** Nobody asked for it: the log has to say that Berth did it by itself. */
  async function tellAudit(release: Release, because: string): Promise<void> {
    const { project, environment } = release;
    const owner = await store.project(project);
    await store.appendAudit({
      at: clock.now(),
      actor: 'berth',
      action: 'release.taken-back',
      subject: `${environmentKey(project, environment)} ${versionOf(release)}`,
      team: owner?.team ?? '',
      project,
      detail: because,
    });
  }

  return {
    at: (place) => trials.get(keyOf(place))?.release,

    begin(release, stable, { scale }) {
      const { project, environment, deploymentId, percent = 0 } = release;
      const running: Running = {
        release,
        stable,
        tallies: new Map([
          [stable, createTally()],
          [deploymentId, createTally()],
        ]),
        end: new AbortController(),
      };
      trials.set(keyOf(release), running);
      pointers.beginTrial(project, environment, { deploymentId, scale }, percent);
      watch(running).catch((error: unknown) =>
        reporter.report('error', 'release.unwatched', {
          project,
          environment,
          error: String(error),
        }),
      );
    },

    takeBack,
    finish: stop,

    givingWay(place, because) {
      const release = trials.get(keyOf(place))?.release;
      return release && { number: release.number, because: takenBack(release, because) };
    },
    gaveWay(place, because) {
      const running = trials.get(keyOf(place));
      if (!running) return;
      stop(place);
      report(running.release, because);
    },

    note(environment, deploymentId, answered) {
      const tally = trials.get(environment)?.tallies.get(deploymentId);
      if (tally) note(tally, answered, clock.now());
    },

    close() {
      for (const { end } of trials.values()) end.abort();
    },
  };
}

/** Why a release on trial gives way to another one, as part of a sentence. */
export function whyGaveWay(next: Pick<Release, 'number'>, percent?: number): string {
  return percent === undefined
    ? `${versionOf(next)} was released`
    : `${versionOf(next)} is tried with ${percent} % of clients`;
}

function takenBack({ because }: Release, why: string): string {
  return `${because}; taken back: ${why}`;
}

/** Throws INVALID_INPUT when there is nothing to try a release against. */
export function needRival(current: Release | undefined, plan: Plan): Release {
  const { project, environment, deploymentId } = plan.draft;
  if (!current) {
    const detail = `${environment} of ${project} runs nothing yet: there is nothing to share clients with. Release it without --percent.`;
    throw new BerthError('INVALID_INPUT', { detail });
  }
  if (current.deploymentId === deploymentId) {
    const detail = `${environment} of ${project} runs ${deploymentId} already.`;
    throw new BerthError('INVALID_INPUT', { detail });
  }
  return current;
}
