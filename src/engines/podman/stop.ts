/** Ends an instance: the image's stop signal (SIGTERM), a grace for those who mind it, SIGKILL. */
import type { InstanceId } from '../../core/model.ts';
import type { Exit } from '../../ports/engine.ts';
import { readProcesses, thawCgroup } from './cgroup.ts';
import { refused } from './client.ts';
import type { Context } from './context.ts';
import { awaitExit, NEVER_RAN } from './exit.ts';
import { type Execution, type Known, wrongState } from './instances.ts';
import { containerName } from './names.ts';
import { isAlive, mindsSignal } from './process.ts';

const SIGKILL = 9;
/** How soon a process that ended is noticed. */
const LOOK_MS = 5;
/** The kernel takes a while to give back much memory. */
const KILL_TIMEOUT_MS = 10_000;

/** Resolves when it has ended. Unknown or never run: succeeds. Throws ENGINE_FAILED when even SIGKILL does not end it. */
export async function stop(context: Context, id: InstanceId, graceMs: number): Promise<Exit> {
  const { clock, instances } = context;
  const known = await instances.refresh(id);
  if (!known || known.state === 'created') return NEVER_RAN;
  const { execution } = known;
  if (known.exit) return known.exit;
  if (!execution) return ended(context, id);

  const hasEnded = async (waitMs: number) => {
    const until = clock.now() + waitMs;
    while (isAlive(execution.pid, execution.startTicks)) {
      if (clock.now() >= until) return false;
      await clock.sleep(LOOK_MS);
    }
    return true;
  };
  if (known.state === 'running' && graceMs > 0) {
    thawQuietly(execution);
    const isAsked = await askToEnd(context, known, execution);
    if (isAsked && (await hasEnded(graceMs))) return ended(context, id);
  }
  await kill(context, known, execution);
  await hasEnded(KILL_TIMEOUT_MS);
  return ended(context, id);
}

async function ended(context: Context, id: InstanceId): Promise<Exit> {
  const ending = await awaitExit(context, id);
  if (ending.kind === 'alive') throw wrongState(id, 'running', 'ended by SIGKILL');
  return ending.kind === 'exited' ? ending.exit : NEVER_RAN;
}

/** Frozen processes take no signal. */
function thawQuietly(execution: Execution): void {
  try {
    thawCgroup(execution.cgroup.freezer);
  } catch {
    // It ended meanwhile: there is nothing to thaw.
  }
}

/**
 * Every process gets the signal before any of them is thawed: the kernel ends them without another instruction of theirs,
 * whereas the first one's end alone would reach the others a moment after they went on.
 */
async function kill(context: Context, known: Known, execution: Execution): Promise<void> {
  await signal(context, known, execution, SIGKILL);
  for (const pid of readProcesses(execution.cgroup.freezer)) {
    try {
      if (pid !== execution.pid) process.kill(pid, SIGKILL);
    } catch {
      // It ended meanwhile, or is not ours to signal: it ends with the first.
    }
  }
  thawQuietly(execution);
}

/**
 * | first process | others | asked |
 * |---|---|---|
 * | minds the signal | – | the first |
 * | does not (a shell, a Node app without a handler) | some | the others, which it never would tell |
 * | does not | none | nobody: waiting for the grace would be in vain |
 */
async function askToEnd(context: Context, known: Known, execution: Execution): Promise<boolean> {
  const { stopSignal } = known;
  if (mindsSignal(execution.pid, stopSignal)) {
    await signal(context, known, execution, stopSignal);
    return true;
  }
  const others = readProcesses(execution.cgroup.freezer).filter((pid) => pid !== execution.pid);
  for (const pid of others) {
    try {
      process.kill(pid, stopSignal);
    } catch {
      // It ended meanwhile, or is not ours to signal.
    }
  }
  return others.length > 0;
}

/** By the kernel, which takes no time; by Podman where the process is not ours to signal. */
async function signal(
  context: Context,
  known: Known,
  execution: Execution,
  number: number,
): Promise<void> {
  if (!isAlive(execution.pid, execution.startTicks)) return;
  try {
    process.kill(execution.pid, number);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EPERM') return;
    const call = {
      method: 'POST',
      path: `/containers/${containerName(known.id)}/kill`,
      query: { signal: number },
      lane: 'change',
    } as const;
    const answer = await context.client.ask(call);
    if (answer.status >= 400 && isAlive(execution.pid, execution.startTicks)) {
      throw refused(call, answer);
    }
  }
}
