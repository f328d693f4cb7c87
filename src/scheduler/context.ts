/** What every part of the scheduler works with: the ports, the options, and the shared boot permits. */
import type { Bounds } from '../core/pool.ts';
import type { InstanceId } from '../core/model.ts';
import type { Quotas } from '../core/quota.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { HostMemory } from '../ports/host-memory.ts';
import type { Inside } from '../ports/inside.ts';
import type { Logs } from '../ports/logs.ts';
import type { Probe } from '../ports/probe.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import type { BootPermits } from './boot-permits.ts';

export interface SchedulerOptions {
  readonly engine: Engine;
  readonly store: Store;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: Probe;
  readonly reporter: Reporter;
  /** Asked when an instance is made, and never before. */
  readonly secrets: Pick<Secrets, 'reveal'>;
  readonly hostMemory: HostMemory;
  /** Memory of the host that is to stay available, in bytes: resting instances give way for it. */
  readonly reserveBytes: number;
  /** What all resting instances together may hold. */
  readonly memoryBudgetBytes: number;
  /** Boots under way at once, over all deployments. */
  readonly bootCap: number;
  /** From the start of an instance until it must listen, in ms. */
  readonly bootTimeoutMs: number;
  /** Between SIGTERM and SIGKILL, in ms. */
  readonly stopGraceMs: number;
  /** How the waiting room of each deployment is bounded. */
  readonly bounds: Bounds;
  /** What the team of a project uses; absent: nobody counts. */
  readonly quotas?: Pick<Quotas, 'of'>;
  /** Where instances speak to the platform; absent: nowhere. */
  readonly inside?: Inside;
  /** Called when an instance gets no more requests for now, so that nobody keeps connections to it. */
  readonly onUnroute: (instanceId: InstanceId) => void;
}

export interface Context extends SchedulerOptions {
  readonly permits: BootPermits;
  /** Called when an instance came to rest: the memory budget wants to know. */
  readonly onRest: () => void;
  /** Called when a container could not be removed: look again later at what the engine has. */
  readonly onLeftover: () => void;
}
