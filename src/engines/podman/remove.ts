/** Removes the container of an instance; its log file stays. */
import type { InstanceId } from '../../core/model.ts';
import { thawCgroup } from './cgroup.ts';
import { refused } from './client.ts';
import type { Context } from './context.ts';
import { clearGone } from './leftovers.ts';
import { containerName } from './names.ts';
import { forgetKilled } from './runc.ts';

/** Unknown: succeeds. Throws ENGINE_FAILED. */
export async function remove(context: Context, id: InstanceId): Promise<void> {
  const { client, instances } = context;
  context.secretFiles.forget(id);
  // Asked anew, because a name alone does not prove that it is ours.
  const known = await instances.refresh(id);
  if (!known) {
    await clearGone(context);
    return;
  }
  if (known.execution) {
    try {
      // Podman kills, and a frozen process would not notice.
      thawCgroup(known.execution.cgroup.freezer);
    } catch {
      // It ended meanwhile.
    }
  }
  const call = {
    method: 'DELETE',
    path: `/containers/${containerName(id)}`,
    query: { force: true, timeout: 0, v: true },
    lane: 'change',
    timeoutMs: 60_000,
  } as const;
  const answer = await client.ask(call);
  if (answer.status >= 400 && answer.status !== 404) throw refused(call, answer);
  instances.forget(id);
  await clearGone(context);
  forgetKilled(context.folder, known.containerId);
}
