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
  /** Who asks for instances of each deployment: environments that run it, and switches to come. */
  const asking = new Map<DeploymentId, Set<Pointer>>();

  function ask(pointer: Pointer): void {
    const others = asking.get(pointer.deploymentId) ?? new Set();
    asking.set(pointer.deploymentId, others.add(pointer));
    tellFleet(pointer.deploymentId);
  }

  function askNoMore(pointer: Pointer): void {
    const others = asking.get(pointer.deploymentId);
    others?.delete(pointer);
    if (others?.size === 0) asking.delete(pointer.deploymentId);
    tellFleet(pointer.deploymentId);
  }

  function tellFleet(id: DeploymentId): void {
    const scales = [...(asking.get(id) ?? [])].map(({ scale }) => scale);
    fleet.setScale(id, combinedScale(scales));
  }

  return {
    move(project, name, pointer) {
      const key = `${project}/${name}`;
      const before = pointers.get(key);
      routes.point(project, name, pointer.deploymentId);
      const mine = { ...pointer };
      pointers.set(key, mine);
      ask(mine);
      if (before) askNoMore(before);
    },
    remove(project, name) {
      const key = `${project}/${name}`;
      const before = pointers.get(key);
      routes.remove(project, name);
      pointers.delete(key);
      if (before) askNoMore(before);
    },
    announce(pointer) {
      const mine = { ...pointer };
      ask(mine);
      return () => askNoMore(mine);
    },
  };
}
