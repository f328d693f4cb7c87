/** Boots a new deployment once, sees that it is well, and brings it to rest. */
import { BerthError } from '../core/errors.ts';
import { HEALTH_ANSWER_MS, isWell } from '../core/health.ts';
import type { Lease, Verified } from '../ports/fleet.ts';
import type { Context } from './context.ts';
import { askHealth } from './health.ts';
import type { Runner } from './runner.ts';

/** How long a health path may take, all tries together, in ms. */
const HEALTH_TIMEOUT_MS = 30_000;
const HEALTH_LOOK_MS = 100;

/** @throws BerthError of the failed boot with its last log lines, or HEALTH_FAILED. */
export async function verify(context: Context, runner: Runner): Promise<Verified> {
  const began = context.clock.now();
  const acquired = await runner.acquire(new AbortController().signal);
  if (acquired.kind === 'refused') throw runner.failure ?? acquired.error;
  if (acquired.kind === 'cancelled') throw new BerthError('DEPLOY_INTERRUPTED');
  const { lease } = acquired;
  const bootMs = context.clock.now() - began;
  try {
    await runner.instances.learnPort(lease.instanceId);
    await checkHealth(context, runner, lease);
  } finally {
    lease.end('done');
  }
  runner.restNow(lease.instanceId);
  await runner.instances.settled();
  return { bootMs, port: lease.port };
}

async function checkHealth(context: Context, runner: Runner, lease: Lease): Promise<void> {
  const { healthPath: path, protocol } = runner.deployment.configuration;
  if (path === undefined) return;
  const { clock } = context;
  let status: number | undefined;
  const over = new AbortController();
  void clock.sleep(HEALTH_TIMEOUT_MS, over.signal).then(() => over.abort());
  const deadline = AbortSignal.any([lease.lost, over.signal]);
  const at = {
    host: lease.host,
    port: lease.port,
    path,
    ...(protocol === undefined ? {} : { protocol }),
  };
  while (!deadline.aborted) {
    status = await askHealth(context, at, HEALTH_ANSWER_MS, deadline);
    if (isWell(status)) {
      over.abort();
      return;
    }
    await clock.sleep(HEALTH_LOOK_MS, deadline);
  }
  const lines = await context.logs.read(runner.deployment.id, {
    tail: 20,
    instanceId: lease.instanceId,
  });
  const answered = status === undefined ? 'did not answer' : `answered ${status}`;
  throw new BerthError('HEALTH_FAILED', {
    detail: `GET ${path} ${answered} for ${HEALTH_TIMEOUT_MS / 1_000} s; 2xx or 3xx is expected.`,
    log: lines.map((line) => line.text),
  });
}
