/** Brings a container to its last step: namespaces, mounts, network and cgroup are there, the process waits before exec. */
import type { InstanceId } from '../../core/model.ts';
import type { EngineInstance } from '../../ports/engine.ts';
import { refused } from './client.ts';
import type { Context } from './context.ts';
import { containerName } from './names.ts';
import { type Known, notThere, show } from './instances.ts';

/** Idempotent; one that runs already stays as it is. Throws ENGINE_FAILED. */
export async function park(context: Context, id: InstanceId): Promise<EngineInstance> {
  return show(await parkKnown(context, id));
}

/** `park`, with all that is known of it afterwards. */
export async function parkKnown(context: Context, id: InstanceId): Promise<Known> {
  const { client, instances } = context;
  const call = {
    method: 'POST',
    path: `/containers/${containerName(id)}/init`,
    lane: 'change',
    timeoutMs: 60_000,
  } as const;
  await instances.existing(id);
  const answer = await client.ask(call);
  const known = await instances.refresh(id);
  if (!known) throw notThere(id);
  if (known.network !== undefined) await context.networks.steady(known.network);
  const isPast = known.state === 'parked' || known.state === 'running';
  if (answer.status >= 400 && !isPast) throw refused(call, answer);
  return known;
}
