/** Does something to the cgroup of an instance that has a process, and finds good words when it has none any more. */
import type { InstanceId } from '../../core/model.ts';
import type { Context } from './context.ts';
import { type Execution, type Known, notThere, wrongState } from './instances.ts';
import { isAlive } from './process.ts';

export interface Executing {
  readonly known: Known;
  readonly execution: Execution;
}

/**
 * `act` works on control files as they are remembered, without a call to Podman. When they are gone, Podman is asked once:
 * the instance may have been started anew behind our back (then `act` runs again), else ENGINE_FAILED says what it is.
 */
export async function executing<Result>(
  context: Context,
  id: InstanceId,
  act: (executing: Executing) => Result | Promise<Result>,
): Promise<Result> {
  const { instances } = context;
  const remembered = instances.peek(id);
  if (remembered?.execution && isSelf(remembered.execution)) {
    try {
      return await act({ known: remembered, execution: remembered.execution });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  const known = await instances.refresh(id);
  if (!known) throw notThere(id);
  if (!known.execution) throw wrongState(id, known.state, 'running');
  return act({ known, execution: known.execution });
}

function isSelf(execution: Execution): boolean {
  return isAlive(execution.pid, execution.startTicks);
}

/** ENOENT and ENODEV: the cgroup was removed. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOENT' || code === 'ENODEV';
}
