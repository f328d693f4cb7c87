/** Looks at the health path of an instance while it runs. */
import { HEALTH_ANSWER_MS, HEALTH_EVERY_MS, judge } from '../core/health.ts';
import type { AppProtocol } from '../core/model.ts';
import type { Context } from './context.ts';
import type { Instance } from './instance.ts';

/** Where an instance is asked, and in which protocol. */
export interface HealthPath {
  readonly path: string;
  /** Absent: HTTP/1.1. */
  readonly protocol?: AppProtocol;
}

/** Why an instance is given up. */
export interface Unwell {
  readonly because: string;
  /** There was no answer at all, each time. */
  readonly isHung: boolean;
}

/** The status of one GET; undefined when no answer came within `ms`, or when `signal` aborted. */
export async function askHealth(
  { clock, probe }: Pick<Context, 'clock' | 'probe'>,
  at: HealthPath & { readonly host: string; readonly port: number },
  ms: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const over = new AbortController();
  void clock.sleep(ms, over.signal).then(() => over.abort());
  const status = await probe.status(at, AbortSignal.any([signal, over.signal]));
  over.abort();
  return status;
}

/** Resolves with why the instance is given up, or with undefined when `signal` aborted first. */
export async function watchHealth(
  context: Context,
  instance: Instance,
  at: HealthPath,
  signal: AbortSignal,
): Promise<Unwell | undefined> {
  let failures = 0;
  let hasAnswered = false;
  for (;;) {
    await context.clock.sleep(HEALTH_EVERY_MS, signal);
    const { host, port } = instance;
    if (signal.aborted || host === undefined || port === undefined) return undefined;
    const status = await askHealth(context, { host, port, ...at }, HEALTH_ANSWER_MS, signal);
    if (signal.aborted) return undefined;
    const health = judge(failures, status);
    // Of the bad answers in a row.
    hasAnswered = status !== undefined || (failures > 0 && hasAnswered);
    if (health.isGivenUp) {
      const answered = status === undefined ? 'did not answer' : `answered ${status}`;
      const because = `GET ${at.path} ${answered}, ${health.failures} times in a row`;
      return { because, isHung: !hasAnswered };
    }
    failures = health.failures;
    if (failures === 0) hasAnswered = false;
  }
}
