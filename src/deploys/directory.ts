/** What requests can know of every deployment: whether it is ready, and how long a request to it may last. */
import { BerthError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { AppProtocol, Deployment, DeploymentId } from '../core/model.ts';
import type { WakeRules } from '../core/wake.ts';
import type { RouteTable } from '../core/route.ts';
import type { Acquired, Fleet } from '../ports/fleet.ts';

/** When a client should ask again for a deployment that is being built, in seconds. */
const RETRY_AFTER_SECONDS = 5;

export interface Directory {
  /** Every row as it is written: its hostname leads to it from then on, ready or not. */
  note(deployment: Deployment): void;
  forget(id: DeploymentId): void;
  has(id: DeploymentId): boolean;
  /** `limits.duration`, in ms. */
  durationMs(id: DeploymentId): number;
  /** What the app speaks. */
  protocol(id: DeploymentId): AppProtocol;
  /** Undefined: every request wakes it. */
  wakeRules(id: DeploymentId): WakeRules | undefined;
  /** The fleet, which for a deployment that is not ready says what it is instead. */
  readonly fleet: Fleet;
}

interface Entry {
  readonly durationMs: number;
  readonly protocol: AppProtocol;
  readonly wake: WakeRules | undefined;
  readonly state: Deployment['state'];
  readonly failure: string | undefined;
}

export function createDirectory(routes: RouteTable, fleet: Fleet): Directory {
  const entries = new Map<DeploymentId, Entry>();

  function acquire(id: DeploymentId, signal: AbortSignal, mayWake = true): Promise<Acquired> {
    const entry = entries.get(id);
    if (!entry || entry.state === 'ready') return fleet.acquire(id, signal, mayWake);
    return Promise.resolve({ kind: 'refused', error: notReady(id, entry) });
  }

  return {
    note({ id, state, failure, configuration }) {
      const { durationMs } = configuration.limits;
      const { protocol = 'http1', wake } = configuration;
      entries.set(id, { durationMs, protocol, wake, state, failure: failure?.code });
      routes.addDeployment(id);
    },
    forget(id) {
      routes.removeDeployment(id);
      entries.delete(id);
    },
    has: (id) => entries.has(id),
    durationMs: (id) => entries.get(id)?.durationMs ?? DEFAULT_LIMITS.durationMs,
    protocol: (id) => entries.get(id)?.protocol ?? 'http1',
    wakeRules: (id) => entries.get(id)?.wake,
    fleet: {
      acquire,
      verify: (deployment) => fleet.verify(deployment),
      add: (deployment) => fleet.add(deployment),
      remove: (id) => fleet.remove(id),
      instances: (id) => fleet.instances(id),
      because: (id) => fleet.because(id),
      sayBusy: (id, said) => fleet.sayBusy(id, said),
      instanceAt: (host) => fleet.instanceAt(host),
    },
  };
}

function notReady(id: DeploymentId, { state, failure }: Entry): BerthError {
  if (state === 'failed') {
    return new BerthError('NOT_READY', { detail: `${id} failed: ${failure ?? 'INTERNAL'}.` });
  }
  const doing = state === 'building' ? 'being built' : 'being verified';
  const detail = `${id} is ${doing}.`;
  return new BerthError('NOT_READY', { detail, retryAfterSeconds: RETRY_AFTER_SECONDS });
}
