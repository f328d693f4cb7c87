/** After a restart: takes over the instances that the engine still has, and removes what nobody knows any more. */
import type { DeploymentId, InstanceId } from '../core/model.ts';
import type { EngineInstance } from '../ports/engine.ts';
import type { Context } from './context.ts';
import type { Runner } from './runner.ts';

/** Instances of these runners are taken over; all other containers of our ledger are removed. */
export async function adoptAll(context: Context, runners: ReadonlyMap<DeploymentId, Runner>): Promise<void> {
  const { engine, store, reporter } = context;
  const found = await engine.list();
  const adopted = new Set<InstanceId>();
  for (const instance of found) {
    const runner = runners.get(instance.deploymentId);
    const isAdopted = (await runner?.instances.adopt(instance).catch(() => false)) ?? false;
    if (isAdopted) adopted.add(instance.id);
  }
  await removeUnknown(context, found, (id) => adopted.has(id));
  for (const runner of runners.values()) runner.react();
  const existing = new Set(found.map((instance) => instance.id));
  for (const entry of await store.ledger('container')) {
    if (!existing.has(entry.id)) await store.forget('container', entry.id);
  }
  reporter.report('info', 'scheduler.adopted', { adopted: adopted.size, removed: found.length - adopted.size });
}

/** Removes containers that carry our ledger label but that no runner holds. */
export async function removeUnknown(
  context: Context,
  found: readonly EngineInstance[],
  isKnown: (id: InstanceId) => boolean,
): Promise<void> {
  const { engine, store, reporter } = context;
  for (const { id } of found) {
    if (isKnown(id)) continue;
    try {
      await engine.remove(id);
      await store.forget('container', id);
      reporter.report('info', 'instance.orphan-removed', { instance: id });
    } catch (error) {
      reporter.report('warn', 'instance.not-removed', { instance: id, error: String(error) });
    }
  }
}
