/** Lets the process of an instance run. */
import { BerthError } from '../../core/errors.ts';
import type { InstanceId } from '../../core/model.ts';
import type { EngineInstance } from '../../ports/engine.ts';
import { refused } from './client.ts';
import type { Context } from './context.ts';
import { notThere, show, wrongState } from './instances.ts';
import { containerName } from './names.ts';
import { parkKnown } from './park.ts';
import { isAlive } from './process.ts';

/**
 * `created | parked → running`; running and frozen ones stay as they are. A created one is parked first, so that `look`
 * knows its process before it runs. Throws ENGINE_FAILED, also for one that has ended.
 */
export async function start(context: Context, id: InstanceId): Promise<EngineInstance> {
  const { client, instances } = context;
  let known = await instances.existing(id);
  const { execution } = known;
  // Podman would execute anew what ended while it was parked.
  if (execution && !isAlive(execution.pid, execution.startTicks)) {
    known = (await instances.refresh(id)) ?? known;
  }
  if (known.state === 'exited') throw wrongState(id, 'exited', 'parked');
  if (known.state === 'running') return show(known);
  if (known.state === 'created') await parkKnown(context, id);

  const call = {
    method: 'POST',
    path: `/containers/${containerName(id)}/start`,
    lane: 'boot',
    // Podman would execute one anew that has ended since.
    isIdempotent: false,
  } as const;
  try {
    const answer = await client.ask(call);
    if (answer.status === 404) instances.forget(id);
    if (answer.status >= 400) throw refused(call, answer);
    instances.note(id, { state: 'running' });
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'ENGINE_UNAVAILABLE') throw error;
    // The service died under the call and is back: did the process get the word?
    const now = await instances.refresh(id);
    if (now?.state === 'parked') await client.request(call);
    else if (now?.state !== 'running') throw error;
    instances.note(id, { state: 'running' });
  }
  const started = instances.peek(id);
  if (!started) throw notThere(id);
  return show(started);
}
