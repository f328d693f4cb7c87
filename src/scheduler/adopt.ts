/** After a restart: takes over the instances that the engine still has, and removes what nobody knows any more. */
import type { InstanceId } from '../core/model.ts';
import { leave, type Pool } from '../core/pool.ts';
import type { EngineInstance } from '../ports/engine.ts';
import type { Context } from './context.ts';
import type { Runners } from './runners.ts';

/** Instances of these deployments are taken over; all other containers of our ledger are removed. */
export async function adoptAll(context: Context, runners: Runners): Promise<void> {
  const { engine, store, reporter } = context;
  const found = await engine.list();
  const ledger = await store.ledger('container');
  const busyUntil = await store.busyUntil();
  const createdAt = new Map(ledger.map((entry) => [entry.id, entry.createdAt]));
  const adopted = new Set<InstanceId>();
  for (const instance of found) {
    const runner = runners.of(instance.deploymentId);
    const adopting = runner?.instances.adopt(
      instance,
      createdAt.get(instance.id),
      busyUntil.get(instance.id),
    );
    const isAdopted = (await adopting?.catch(() => false)) ?? false;
    if (isAdopted) adopted.add(instance.id);
    if (isAdopted && runner) await context.inside?.joined(runner.deployment.project);
  }
  const left = await removeUnknown(context, found, (id) => adopted.has(id));
  for (const id of busyUntil.keys()) if (!adopted.has(id)) await store.forgetBusy(id);
  if (left > 0) context.onLeftover();
  for (const runner of runners.values()) leaveSurplus(runner.pool, context.clock.now());
  runners.open();
  for (const runner of runners.values()) runner.react();
  reporter.report('info', 'scheduler.adopted', {
    adopted: adopted.size,
    removed: found.length - adopted.size,
  });
}

/** Those that were draining when Berth ended are found running: no more than `scale.max` stay, the youngest. */
function leaveSurplus(pool: Pool, now: number): void {
  const running = [...pool.instances.values()].filter(({ phase }) => phase === 'ready');
  running.sort((a, b) => a.createdAt - b.createdAt);
  for (const { id } of running.slice(0, Math.max(0, running.length - pool.scale.max)))
    leave(pool, id, 'more than scale.max were there when Berth started', now);
}

/**
 * Removes containers that carry our ledger label but that no runner holds, and forgets those that are gone.
 *
 * @returns how many could not be removed.
 */
export async function removeUnknown(
  context: Context,
  found: readonly EngineInstance[],
  isKnown: (id: InstanceId) => boolean,
): Promise<number> {
  const { engine, store, reporter } = context;
  let left = 0;
  for (const { id } of found) {
    if (isKnown(id)) continue;
    try {
      await engine.remove(id);
      await store.forget('container', id);
      reporter.report('info', 'instance.orphan-removed', { instance: id });
    } catch (error) {
      left += 1;
      reporter.report('warn', 'instance.not-removed', { instance: id, error: String(error) });
    }
  }
  const existing = new Set(found.map((instance) => instance.id));
  for (const { id } of await store.ledger('container')) {
    if (!existing.has(id) && !isKnown(id)) await store.forget('container', id);
  }
  return left;
}
