/** How an instance ended, from Podman, once its process is gone. */
import type { InstanceId } from '../../core/model.ts';
import type { Exit } from '../../ports/engine.ts';
import { BerthError } from '../../core/errors.ts';
import type { Context } from './context.ts';
import { isAlive } from './process.ts';

/** What `stop` says of something that has no process to end. */
export const NEVER_RAN: Exit = { code: 0, outOfMemory: false };

/** conmon writes the exit a few ms after the process is gone; more only on a host that is very busy. */
const EXIT_TIMEOUT_MS = 10_000;

export type Ending =
  | { readonly kind: 'exited'; readonly exit: Exit }
  /** There is no such container any more. */
  | { readonly kind: 'gone' }
  /** It lives: somebody started it anew. */
  | { readonly kind: 'alive' };

/** Throws ENGINE_FAILED when Podman still takes it for running after 10 s. */
export async function awaitExit(context: Context, id: InstanceId): Promise<Ending> {
  const { clock, instances } = context;
  const until = clock.now() + EXIT_TIMEOUT_MS;
  for (;;) {
    const known = await instances.refresh(id);
    if (!known) return { kind: 'gone' };
    if (known.exit) return { kind: 'exited', exit: known.exit };
    // A host that was started anew forgets how its containers ended.
    if (known.state === 'created') return { kind: 'exited', exit: NEVER_RAN };
    if (known.execution && isAlive(known.execution.pid, known.execution.startTicks)) {
      return { kind: 'alive' };
    }
    if (clock.now() > until) {
      throw new BerthError('ENGINE_FAILED', {
        detail: `The process of ${id} is gone, but Podman does not say how it ended.`,
      });
    }
    await clock.sleep(10);
  }
}
