/** What releases need from the rest of Berth, handed in by the wiring. */
import type { EnvironmentName } from '../core/model.ts';
import type { Pointer } from '../core/route.ts';
import type { Clock } from '../ports/clock.ts';
import type { Derivations } from '../ports/derivation.ts';
import type { Fleet, Scaling } from '../ports/fleet.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';

/** Where requests for environments lead. Every change holds from the next request on. */
export interface EnvironmentRoutes {
  /** Throws HOSTNAME_TAKEN when its hostname is somebody else's. `team`: whose the project is to be, if it is nobody's yet. */
  check(project: string, name: EnvironmentName, team?: string): Promise<void>;
  point(project: string, name: EnvironmentName, pointer: Pointer): void;
  remove(project: string, name: EnvironmentName): void;
}

export interface ReleasesNeeds {
  readonly store: Store;
  readonly derivations: Derivations;
  readonly fleet: Pick<Fleet, 'instances'> & Scaling;
  readonly secrets: Pick<Secrets, 'pin'>;
  readonly routes: EnvironmentRoutes;
  /** Aborts when the server stops: releases under way fail then. */
  readonly closing: AbortSignal;
  readonly clock: Clock;
  readonly reporter: Reporter;
}
