/** What an instance that was started listens on, or how it ended: asked every millisecond while it boots. */
import type { InstanceId } from '../../core/model.ts';
import type { ListeningPort, Look } from '../../ports/engine.ts';
import type { Context } from './context.ts';
import { awaitExit } from './exit.ts';
import { type Execution, notThere } from './instances.ts';
import { isAlive } from './process.ts';
import { countSockets, mergePorts, readListeners } from './sockets.ts';

/** What was read last of one execution. */
interface Reading {
  readonly execution: Execution;
  readonly tcp: number;
  readonly tcp6: number;
  readonly at: number;
  readonly ports: readonly ListeningPort[];
}

/** Equal counters may hide that one socket went while another came: read anew after this time. */
const STALE_MS = 50;

/** Throws ENGINE_FAILED when there is no such container. Some 50 µs of our thread while nothing changes. */
export type LookVerb = (context: Context, id: InstanceId) => Promise<Look>;

export function createLook(): LookVerb {
  const readings = new Map<InstanceId, Reading>();

  return async (context, id) => {
    const { clock, instances } = context;
    const known = await instances.existing(id);
    const { execution } = known;
    if (known.exit) {
      readings.delete(id);
      return { kind: 'exited', exit: known.exit };
    }
    // Created, and its `start` is under way.
    if (!execution) return { kind: 'listening', ports: [] };
    try {
      const { tcp, tcp6 } = countSockets(execution.pid);
      const last = readings.get(id);
      const now = clock.now();
      const isSame =
        last?.execution === execution &&
        last.tcp === tcp &&
        last.tcp6 === tcp6 &&
        (now - last.at < STALE_MS || tcp + tcp6 === 0);
      if (isSame && isAlive(execution.pid, execution.startTicks)) {
        return { kind: 'listening', ports: last.ports };
      }
      const lists = await Promise.all([
        tcp > 0 ? readListeners(execution.pid, 'tcp') : [],
        tcp6 > 0 ? readListeners(execution.pid, 'tcp6') : [],
      ]);
      const ports = mergePorts(lists.flat());
      // Looked at after the reading: a pid that was given to somebody else meanwhile must not count.
      if (isAlive(execution.pid, execution.startTicks)) {
        readings.set(id, { execution, tcp, tcp6, at: now, ports });
        return { kind: 'listening', ports };
      }
    } catch {
      // The process went while we read.
    }
    readings.delete(id);
    const ending = await awaitExit(context, id);
    if (ending.kind === 'gone') throw notThere(id);
    return ending.kind === 'alive' ? { kind: 'listening', ports: [] } : ending;
  };
}
