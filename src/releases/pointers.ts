/** What each environment runs now, as routes and the fleet have to know it. */
import type { DeploymentId, EnvironmentName, Scale } from '../core/model.ts';
import { combinedScale } from '../core/release.ts';
import type { ReleasesNeeds } from './needs.ts';

interface Pointer {
  readonly deploymentId: DeploymentId;
  readonly scale: Scale;
}

export interface Pointers {
  /** The environment runs this from now on: its requests go there, and it keeps what its scale says. */
  move(project: string, name: EnvironmentName, pointer: Pointer): void;
  remove(project: string, name: EnvironmentName): void;
  /** Lets a deployment grow as it may after a switch that has not happened yet; the result takes that back. */
  announce(pointer: Pointer): () => void;
}

export function createPointers({
  routes,
  fleet,
}: Pick<ReleasesNeeds, 'routes' | 'fleet'>): Pointers {
  const pointers = new Map<string, Pointer>();
  const announced = new Set<Pointer>();

  function tellFleet(id: DeploymentId): void {
    const scales = [...pointers.values(), ...announced]
      .filter(({ deploymentId }) => deploymentId === id)
      .map(({ scale }) => scale);
    fleet.setScale(id, combinedScale(scales));
  }

  return {
    move(project, name, pointer) {
      const key = `${project}/${name}`;
      const before = pointers.get(key);
      routes.point(project, name, pointer.deploymentId);
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
