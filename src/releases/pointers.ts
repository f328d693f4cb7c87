/** What each environment runs now, as routes and the fleet have to know it. */
import type { DeploymentId, EnvironmentName, Scale } from '../core/model.ts';
import { combinedScale } from '../core/release.ts';
import { environmentKey } from '../core/route.ts';
import type { ReleasesNeeds } from './needs.ts';

/** What an environment runs, or may come to run, and at which scale. */
interface Scaled {
  readonly deploymentId: DeploymentId;
  readonly scale: Scale;
}

export interface Pointers {
  /** The environment runs this from now on: its requests go there, and it keeps what its scale says. */
  move(project: string, name: EnvironmentName, pointer: Scaled): void;
  remove(project: string, name: EnvironmentName): void;
  /** Lets a deployment grow as it may after a switch that has not happened yet; the result takes that back. */
  announce(pointer: Scaled): () => void;
  /** Sends a share of the environment's clients there; it may grow as if it were current. Ends with `move`, too. */
  beginTrial(project: string, name: EnvironmentName, pointer: Scaled, percent: number): void;
  endTrial(project: string, name: EnvironmentName): void;
}

export function createPointers({
  routes,
  fleet,
}: Pick<ReleasesNeeds, 'routes' | 'fleet'>): Pointers {
  const pointers = new Map<string, Scaled>();
  const trials = new Map<string, Scaled>();
  /** Who asks for instances of each deployment: environments, trials, and switches to come. */
  const asking = new Map<DeploymentId, Set<Scaled>>();

  function ask(wish: Scaled): void {
    const wishes = asking.get(wish.deploymentId) ?? new Set();
    asking.set(wish.deploymentId, wishes.add(wish));
    tellFleet(wish.deploymentId);
  }

  function askNoMore(wish: Scaled | undefined): void {
    if (!wish) return;
    const wishes = asking.get(wish.deploymentId);
    wishes?.delete(wish);
    if (wishes?.size === 0) asking.delete(wish.deploymentId);
    tellFleet(wish.deploymentId);
  }

  function tellFleet(id: DeploymentId): void {
    const scales = [...(asking.get(id) ?? [])].map(({ scale }) => scale);
    fleet.setScale(id, combinedScale(scales));
  }

  /** Replaces what is kept for the environment; the new one is asked for before the old one is let go. */
  function replace(kept: Map<string, Scaled>, key: string, pointer: Scaled): void {
    const before = kept.get(key);
    const mine = { ...pointer };
    kept.set(key, mine);
    ask(mine);
    askNoMore(before);
  }

  return {
    move(project, name, pointer) {
      routes.point(project, name, { deploymentId: pointer.deploymentId });
      replace(pointers, environmentKey(project, name), pointer);
    },
    remove(project, name) {
      const key = environmentKey(project, name);
      const before = pointers.get(key);
      routes.remove(project, name);
      pointers.delete(key);
      askNoMore(before);
    },
    beginTrial(project, name, pointer, percent) {
      const stable = pointers.get(environmentKey(project, name));
      if (!stable) return;
      replace(trials, environmentKey(project, name), pointer);
      const trial = { deploymentId: pointer.deploymentId, percent };
      routes.point(project, name, { deploymentId: stable.deploymentId, trial });
    },
    endTrial(project, name) {
      const key = environmentKey(project, name);
      const trial = trials.get(key);
      const stable = pointers.get(key);
      trials.delete(key);
      if (stable) routes.point(project, name, { deploymentId: stable.deploymentId });
      askNoMore(trial);
    },
    announce(pointer) {
      const mine = { ...pointer };
      ask(mine);
      return () => askNoMore(mine);
    },
  };
}
