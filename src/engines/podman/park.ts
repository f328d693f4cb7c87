/** Brings a container to its last step: namespaces, mounts, network and cgroup are there, the process waits before exec. */
import type { InstanceId } from '../../core/model.ts';
import type { EngineInstance } from '../../ports/engine.ts';
import { refused } from './client.ts';
import type { Context } from './context.ts';
import { containerName } from './names.ts';
import { type Known, notThere, show, wrongState } from './instances.ts';

/** conmon starts a Podman of its own for it, some 100 ms after the end. */
const TIDYING_MS = 5_000;

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
  const { containerId } = await instances.existing(id);
  await awaitTidiness(context, id);
  const answer = await context.secretFiles.handOver(id, containerId, () => client.ask(call));
  const known = await instances.refresh(id);
  if (!known) throw notThere(id);
  if (known.network !== undefined) await context.networks.steady(known.network);
  if (known.state === 'parked' || known.state === 'running') {
    context.secretFiles.forget(id);
    return known;
  }
  if (answer.status >= 400) throw refused(call, answer);
  throw wrongState(id, known.state, 'parked');
}

/** A clean-up that comes late would undo the parking. */
async function awaitTidiness({ clock, instances }: Context, id: InstanceId): Promise<void> {
  const until = clock.now() + TIDYING_MS;
  let known = instances.peek(id);
  while (known?.isUntidy === true && clock.now() < until) {
    await clock.sleep(10);
    known = await instances.refresh(id);
  }
}
