/** Notices instances that somebody else froze while they served, and lets them go on: what is ready is to run. */
import { standingStill, STILL_EVERY_MS } from '../core/health.ts';
import type { InstanceId } from '../core/model.ts';
import type { Context } from './context.ts';
import type { Runner } from './runner.ts';

/** Until `signal` aborts. Costs nothing for instances that finish requests. */
export async function watchStillness(
  context: Context,
  runners: () => Iterable<Runner>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, engine } = context;
  if (!engine.isFrozen) return;
  for (;;) {
    await clock.sleep(STILL_EVERY_MS, signal);
    if (signal.aborted) return;
    const now = clock.now();
    for (const runner of runners()) {
      for (const id of standingStill(runner.pool, now)) void thawIfFrozen(context, runner, id);
    }
  }
}

async function thawIfFrozen(context: Context, runner: Runner, id: InstanceId): Promise<void> {
  const { engine, reporter } = context;
  const instance = runner.instances.get(id);
  try {
    // In order with our own freezing, which is no fault.
    await instance?.inOrder(async () => {
      const phase = runner.pool.instances.get(id)?.phase;
      if (phase !== 'ready' && phase !== 'leaving') return;
      if ((await engine.isFrozen?.(id)) !== true) return;
      await engine.thaw(id);
      reporter.report('warn', 'instance.frozen-from-outside', { instance: id });
    });
  } catch (error) {
    // It ended meanwhile, which others notice; or it can be tried again a second later.
    reporter.report('warn', 'instance.not-looked-at', { instance: id, error: String(error) });
  }
}
