/** What must be so of those who rest, of a team with a plan, and of a deployment that only scanners ask for. */
import type { Deployment, DeploymentId, InstanceState, InstanceView } from '../src/core/model.ts';
import { demand } from './demand.ts';
import type { World } from './world.ts';

const RUNNING: ReadonlySet<InstanceState> = new Set(['booting', 'ready', 'busy', 'draining']);

/** A team uses no more than its plan allows, and what it is reckoned to use is what it uses. */
export function checkTeam({ books, scheduler, team }: World): void {
  if (!team) return;
  const { quota, use } = team;
  const views = team.deployments.flatMap(({ id }) => scheduler.instances(id));
  const running = views.filter(({ state }) => RUNNING.has(state)).length;
  const draining = views.filter(({ state }) => state === 'draining').length;
  const most = Math.max(quota.instances ?? Infinity, team.ranBefore);
  demand(running <= most, `${running} instances of a team run, its plan allows ${quota.instances}`);
  team.ranBefore = running;
  demand(
    use.instances <= running && use.instances >= running - draining,
    `${running} instances of a team run, ${draining} of them draining: ${use.instances} are counted`,
  );
  const open = [...books.open].filter(
    (asking) => asking.fleet === scheduler && team.has(asking.deploymentId),
  ).length;
  demand(
    open <= (quota.requests ?? Infinity),
    `${open} requests of a team are open, its plan allows ${quota.requests}`,
  );
  demand(open === use.requests, `${open} requests of a team are open, ${use.requests} are counted`);
}

/** Those who wait wait for somebody else of their team. */
export function isTeamFull({ team }: World, id: DeploymentId): boolean {
  return team !== undefined && team.has(id) && team.use.room() === 0;
}

/** Scanners wake nobody. */
export function checkQuiet({ calls, isCalm, quiet, scheduler }: World): void {
  if (!quiet || isCalm) return;
  const { id } = quiet;
  const states = scheduler.instances(id).map(({ state }) => state);
  demand(states.length === 0, `${id}: scanners woke ${states.join(', ')}`);
  for (const call of calls) {
    if (call.deployment.id !== id || call.outcome !== 'answered') continue;
    demand(call.error === 'ASLEEP', `${id} answered a scanner ${call.status} ${call.error}`);
  }
}

/** What nobody uses comes to rest after `limits.timeout`, and what said that it is busy when that is over. */
export function checkIdle(
  world: World,
  deployment: Deployment,
  instances: readonly InstanceView[],
): void {
  const { books, clock, promises, releasing } = world;
  if (releasing.uses(deployment.id) || releasing.scaleOf(deployment).min > 0) return;
  const { durationMs, timeoutMs } = deployment.configuration.limits;
  const now = clock.now();
  for (const { id, state, runningMs, busyUntil = 0 } of instances) {
    const latest = now + durationMs;
    demand(busyUntil <= latest, `${id} is busy until ${busyUntil}, ${latest} at the latest`);
    if (state !== 'ready') {
      books.readySince.delete(id);
      continue;
    }
    const known = books.readySince.get(id);
    // Running time tells whether it rested since it was seen last.
    const hasRun = known !== undefined && now - known.at < runningMs - known.ranMs + 1;
    const since = hasRun ? known : { at: now, ranMs: runningMs };
    books.readySince.set(id, since);
    const lastUse = Math.max(since.at, books.usedAt.get(id) ?? 0, promises.of(id));
    demand(
      now <= lastUse + timeoutMs + 1_000,
      `${id} does not rest, although nobody has used it since ${lastUse}`,
    );
  }
}
