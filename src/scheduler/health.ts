/** Looks at the health path of an instance while it runs. */
import { HEALTH_ANSWER_MS, HEALTH_EVERY_MS, judge } from '../core/health.ts';
import type { Context } from './context.ts';
import type { Instance } from './instance.ts';

/** The status of one GET; undefined when no answer came within `ms`, or when `signal` aborted. */
export async function askHealth(
  { clock, probe }: Pick<Context, 'clock' | 'probe'>,
  at: { readonly host: string; readonly port: number; readonly path: string },
  ms: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const over = new AbortController();
  void clock.sleep(ms, over.signal).then(() => over.abort());
  const status = await probe.status(
    at.host,
    at.port,
    at.path,
    AbortSignal.any([signal, over.signal]),
  );
  over.abort();
  return status;
}

/** Resolves with the sentence why the instance is given up, or with undefined when `signal` aborted first. */
export async function watchHealth(
  context: Context,
  instance: Instance,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let failures = 0;
  for (;;) {
    await context.clock.sleep(HEALTH_EVERY_MS, signal);
    const { host, port } = instance;
    if (signal.aborted || host === undefined || port === undefined) return undefined;
    const status = await askHealth(context, { host, port, path }, HEALTH_ANSWER_MS, signal);
    if (signal.aborted) return undefined;
    const health = judge(failures, status);
    if (health.isGivenUp) {
      const answered = status === undefined ? 'did not answer' : `answered ${status}`;
      return `GET ${path} ${answered}, ${health.failures} times in a row`;
    }
    failures = health.failures;
  }
}
