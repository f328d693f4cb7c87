/** What must be so in every world: safety after each step, liveness in the calm at the end. */
import { type Asking, heldLease } from './asking.ts';
import { checkCall } from './call-checks.ts';
import { demand } from './demand.ts';
import { checkIdle, checkQuiet, checkTeam, isTeamFull } from './newer-checks.ts';
import type { World } from './world.ts';

export function checkSafety(world: World): void {
  const [violation] = world.books.violations;
  demand(violation === undefined, violation ?? '');
  for (const call of world.calls) checkCall(world, call);
  checkTeam(world);
  checkQuiet(world);
  const { askings } = world.books;
  for (const { number, ends } of askings) demand(ends <= 1, `lease #${number} ended ${ends} times`);
  for (const deployment of world.deployments) {
    const { id, configuration } = deployment;
    const instances = world.scheduler.instances(id);
    const { limits } = configuration;
    const scale = world.releasing.scaleOf(deployment);
    const counted = instances.filter((one) => ['booting', 'ready', 'busy'].includes(one.state));
    // One more may boot to take over from one that has run for limits.duration.
    demand(
      counted.length <= scale.max + 1,
      `${id}: ${counted.length} instances, scale.max is ${scale.max}`,
    );
    const asked = askings.filter((one) => one.deploymentId === id && one.fleet === world.scheduler);
    const leases = asked.flatMap((asking) => heldLease(asking) ?? []);
    for (const instance of instances) {
      const held = leases.filter((lease) => lease.instanceId === instance.id).length;
      demand(
        held === instance.inFlight,
        `${instance.id}: ${held} leases are held, the pool counts ${instance.inFlight}`,
      );
      demand(
        held <= limits.maxConcurrentReqs,
        `${instance.id}: ${held} leases, ${limits.maxConcurrentReqs} allowed`,
      );
      const rests =
        instance.state === 'frozen' || instance.state === 'parked' || instance.state === 'booting';
      demand(!rests || held === 0, `${instance.id} is ${instance.state} with ${held} leases`);
    }
    const sockets = world.calls.filter(
      (call) =>
        call.isSpliced &&
        call.deployment.id === id &&
        !call.isOfEnvironment &&
        call.router === world.router,
    ).length;
    demand(sockets <= leases.length, `${id}: ${sockets} WebSockets hold ${leases.length} leases`);
    checkOrder(world, id, asked, scale.max);
    checkIdle(world, deployment, instances);
  }
}

/** Nobody is served before one who waits longer, and nobody waits without a reason. */
function checkOrder(world: World, id: string, asked: readonly Asking[], max: number): void {
  const firstWaiting = asked.find((asking) => !asking.result && !asking.signal.aborted);
  if (!firstWaiting) return;
  demand(!firstWaiting.isProbe, `${id}: #${firstWaiting.number} waits, though it may wake nothing`);
  const overtaken = asked.find(
    (asking) => asking.number > firstWaiting.number && asking.result?.kind === 'leased',
  );
  demand(
    !overtaken,
    `${id}: #${overtaken?.number ?? ''} was served before #${firstWaiting.number}`,
  );
  const states = world.scheduler.instances(id).map(({ state }) => state);
  const isFull =
    states.filter((state) => ['booting', 'ready', 'busy'].includes(state)).length >= max;
  const because = world.scheduler.because(id) ?? '';
  demand(
    isFull ||
      isTeamFull(world, id) ||
      states.includes('booting') ||
      because.includes('next try in') ||
      // Whether a suspect lives is known only when the engine has been asked again.
      world.clock.now() < world.engineUpAt + 2_000,
    `${id}: #${firstWaiting.number} waits, but nothing boots: ${because}`,
  );
}

export async function checkCalm(world: World): Promise<void> {
  await checkRest(world);
  for (const call of await world.askAll())
    demand(
      call.status === 200,
      `${call.deployment.id} answers ${call.status} in the calm: ${call.text}`,
    );
  await world.clock.advance(2_000_000);
  checkSafety(world);
  await checkRest(world);
}

/** Everything was answered and given back, and what is not asked for is at rest. */
async function checkRest(world: World): Promise<void> {
  for (const call of world.calls)
    demand(call.outcome !== 'open', `${call.deployment.id} ${call.number} was never answered`);
  for (const asking of world.books.askings) {
    const { deploymentId, number } = asking;
    demand(
      asking.fleet !== world.scheduler || asking.result !== undefined,
      `${deploymentId} #${number} waits for ever`,
    );
    demand(
      asking.fleet !== world.scheduler || heldLease(asking) === undefined,
      `${deploymentId} #${number} still holds its lease`,
    );
  }
  for (const deployment of world.deployments) {
    const { id } = deployment;
    const running = world.scheduler
      .instances()
      .filter(
        (one) =>
          one.deploymentId === id && ['ready', 'busy', 'booting', 'draining'].includes(one.state),
      );
    const kept = world.releasing.scaleOf(deployment).min;
    demand(running.length >= kept, `${id}: ${running.length} instances run, scale.min is ${kept}`);
    // It is replaced when it has run for limits.duration, and then has as long to end what it holds.
    const { durationMs } = deployment.configuration.limits;
    for (const { id: old, runningMs } of running)
      demand(runningMs < 2 * durationMs + 60_000, `${old} has run for ${runningMs} ms`);
    // One more may be taking over.
    const allowed = kept > 1 || world.releasing.uses(id) ? kept + 1 : kept;
    demand(
      running.length <= (kept === 0 ? 0 : allowed),
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
