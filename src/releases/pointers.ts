/** What each environment runs now, as routes and the fleet have to know it. */
import type { DeploymentId, EnvironmentName, Scale } from '../core/model.ts';
import { combinedScale } from '../core/release.ts';
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
  const announced = new Set<Scaled>();

  function tellFleet(id: DeploymentId): void {
    const scales = [...pointers.values(), ...trials.values(), ...announced]
      .filter(({ deploymentId }) => deploymentId === id)
      .map(({ scale }) => scale);
    fleet.setScale(id, combinedScale(scales));
  }

  return {
    move(project, name, pointer) {
      const key = `${project}/${name}`;
      const before = pointers.get(key);
      routes.point(project, name, { deploymentId: pointer.deploymentId });
      pointers.set(key, pointer);
      tellFleet(pointer.deploymentId);
      if (before && before.deploymentId !== pointer.deploymentId) tellFleet(before.deploymentId);
    },
    remove(project, name) {
      const key = `${project}/${name}`;
      const before = pointers.get(key);
      routes.remove(project, name);
      pointers.delete(key);
      if (before) tellFleet(before.deploymentId);
    },
    beginTrial(project, name, pointer, percent) {
      const key = `${project}/${name}`;
      const stable = pointers.get(key);
      if (!stable) return;
      trials.set(key, pointer);
      tellFleet(pointer.deploymentId);
      const trial = { deploymentId: pointer.deploymentId, percent };
      routes.point(project, name, { deploymentId: stable.deploymentId, trial });
    },
    endTrial(project, name) {
      const key = `${project}/${name}`;
      const trial = trials.get(key);
      const stable = pointers.get(key);
      trials.delete(key);
      if (stable) routes.point(project, name, { deploymentId: stable.deploymentId });
      if (trial) tellFleet(trial.deploymentId);
    },
    announce(pointer) {
      const mine = { ...pointer };
      announced.add(mine);
      tellFleet(mine.deploymentId);
      return () => {
        announced.delete(mine);
        tellFleet(mine.deploymentId);
      };
    },
  };
}
