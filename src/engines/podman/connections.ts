/** The connections of an instance, as the kernel has them in its network namespace. */
import type { InstanceId } from '../../core/model.ts';
import type { PeerConnection } from '../../core/unread.ts';
import type { Context } from './context.ts';
import { executing } from './executing.ts';
import { wrongState } from './instances.ts';
import { isAlive } from './process.ts';
import { readConnections } from './sockets.ts';

/** Throws ENGINE_FAILED when it does not run. */
export async function connections(
  context: Context,
  id: InstanceId,
): Promise<readonly PeerConnection[]> {
  return executing(context, id, async ({ known, execution }) => {
    const found = await readConnections(execution.pid);
    // Looked at after the reading: the tables of somebody else, who was given the pid, prove nothing.
    if (!isAlive(execution.pid, execution.startTicks)) throw wrongState(id, known.state, 'running');
    return found;
  });
}
