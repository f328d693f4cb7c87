/** What must be so in every world: safety after each step, liveness in the calm at the end. */
import type { DeploymentId } from '../src/core/model.ts';
import type { Acquired } from '../src/ports/fleet.ts';
import type { Scheduler } from '../src/scheduler/scheduler.ts';
import type { World } from './world.ts';

export interface Request {
  readonly number: number;
  readonly deploymentId: DeploymentId;
  readonly abort: AbortController;
  result: Acquired | undefined;
  /** A lease of it has not ended. */
  isHeld: boolean;
  /** The scheduler that was asked: after a restart the old one's leases do not count. */
  readonly scheduler: Scheduler;
}

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export function checkSafety(world: World): void {
  for (const { id, configuration } of world.deployments) {
    const instances = world.scheduler.instances(id);
    const { limits, scale } = configuration;
    const counted = instances.filter((one) => ['booting', 'ready', 'busy'].includes(one.state));
    // One more may boot to take over from one that has run for limits.duration.
    demand(
      counted.length <= scale.max + 1,
      `${id}: ${counted.length} instances, scale.max is ${scale.max}`,
    );

    const held = new Map<string, number>();
    for (const request of world.requests) {
      if (
        request.scheduler !== world.scheduler ||
        !request.isHeld ||
        request.result?.kind !== 'leased'
      )
        continue;
      const { instanceId } = request.result.lease;
      held.set(instanceId, (held.get(instanceId) ?? 0) + 1);
    }
    for (const instance of instances) {
      const leases = held.get(instance.id) ?? 0;
      demand(
        leases === instance.inFlight,
        `${instance.id}: ${leases} leases are held, the pool counts ${instance.inFlight}`,
      );
      demand(
        leases <= limits.maxConcurrentReqs,
        `${instance.id}: ${leases} leases, ${limits.maxConcurrentReqs} allowed`,
      );
      const rests =
        instance.state === 'frozen' || instance.state === 'parked' || instance.state === 'booting';
      demand(!rests || leases === 0, `${instance.id} is ${instance.state} with ${leases} leases`);
    }

    const asked = world.requests.filter(
      (one) => one.deploymentId === id && one.scheduler === world.scheduler,
    );
    const firstWaiting = asked.find((request) => !request.result && !request.abort.signal.aborted);
    if (!firstWaiting) continue;
    const overtaken = asked.find(
      (request) => request.number > firstWaiting.number && request.result?.kind === 'leased',
    );
    demand(
      !overtaken,
      `${id}: #${overtaken?.number ?? ''} was served before #${firstWaiting.number}`,
    );
    const isFull = counted.length >= scale.max;
    const isBooting = instances.some((one) => one.state === 'booting');
    const saysBackOff = world.scheduler.because(id)?.includes('next try in') ?? false;
    demand(
      isFull || isBooting || saysBackOff,
      `${id}: #${firstWaiting.number} waits, but nothing boots: ${world.scheduler.because(id) ?? ''}`,
    );
  }
}

export async function checkCalm(world: World): Promise<void> {
  for (const request of world.requests) {
    const isCut = request.scheduler !== world.scheduler;
    demand(
      isCut || request.result !== undefined,
      `${request.deploymentId} #${request.number} was never answered`,
    );
    demand(
      isCut || !request.isHeld,
      `${request.deploymentId} #${request.number} still holds its lease`,
    );
  }
  for (const { id, configuration } of world.deployments) {
    const running = world.scheduler
      .instances()
      .filter(
        (one) =>
          one.deploymentId === id && ['ready', 'busy', 'booting', 'draining'].includes(one.state),
      );
    const allowed = configuration.idle === 'run' ? 1 : 0;
    demand(
      running.length <= allowed,
      `${id}: ${running.map((one) => one.state).join(', ')} although nothing is asked of it`,
    );
  }
  // A kept instance may just be giving way to a fresh one: what is in the middle of it is looked at again.
  for (let tries = 1; ; tries += 1) {
    const difference = await compareBooks(world);
    if (difference === undefined) return;
    demand(tries < 5, difference);
  }
}

/** The containers that exist, the instances that are known and the ledger: undefined when all say the same. */
async function compareBooks(world: World): Promise<string | undefined> {
  const pending = world.engine.list();
  await world.clock.advance(1_000);
  const found = (await pending).map((one) => one.id).sort();
  const known = world.scheduler
    .instances()
    .map((one) => one.id)
    .sort();
  const recorded = (await world.store.ledger('container')).map((one) => one.id).sort();
  if (found.join() !== known.join())
    return `the engine has ${found.join()}, the scheduler knows ${known.join()}`;
  if (recorded.join() !== known.join())
    return `the ledger has ${recorded.join()}, the scheduler knows ${known.join()}`;
  return undefined;
}
