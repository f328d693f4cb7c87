/** Knative's published load test: a request that takes 100 ms, at three rates one after the other, from zero. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, summarise } from './statistics.ts';

/** Knative: 1000,2000,3000 for 120 s each, on a cluster. These are what two cores carry beside the client. */
const RATES = (process.env.BERTH_BENCH_KNATIVE_RATES ?? '100,200,300').split(',').map(Number);
const SECONDS = Number(process.env.BERTH_BENCH_KNATIVE_SECONDS ?? 20);
const SLEEP_MS = 100;
const SAMPLE_MS = 500;
const PER_INSTANCE = 10;
const RUNNING = new Set(['booting', 'ready', 'busy']);

interface Step {
  /** From the time a request was due to the end of its answer, in ms. */
  readonly ms: number[];
  readonly starts: Map<string, number>;
  readonly errors: string[];
}

/** Open loop: requests go out when they are due, whether or not earlier ones were answered. */
async function step(pool: Pool, target: Deployed, perSecond: number): Promise<Step> {
  const found: Step = { ms: [], starts: new Map(), errors: [] };
  const ask = async (due: number) => {
    try {
      const headers = { host: target.authority };
      const answer = await pool.request({ method: 'GET', path: `/?sleep=${SLEEP_MS}`, headers });
      const body = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${body.slice(0, 200)}`);
      found.ms.push(performance.now() - due);
      const start = String(answer.headers['x-berth-start']);
      found.starts.set(start, (found.starts.get(start) ?? 0) + 1);
    } catch (error) {
      found.errors.push(error instanceof Error ? error.message : String(error));
    }
  };
  const asked: Promise<void>[] = [];
  const began = performance.now();
  for (let count = 0; count < perSecond * SECONDS; ) {
    const due = began + (count * 1_000) / perSecond;
    if (due > performance.now()) await sleep(1);
    else {
      asked.push(ask(due));
      count += 1;
    }
  }
  await Promise.all(asked);
  return found;
}

export const knative: Measure = {
  name: 'KNATIVE',
  title: `Knative's load test: ${RATES.join(' → ')} requests/s of ${SLEEP_MS} ms, ${SECONDS} s each, from zero`,
  async run(say) {
    const server = await Server.start();
    const most = Math.max(...RATES);
    const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: most });
    try {
      const limits = { timeout: 5_000, duration: 1_800_000, maxConcurrentReqs: PER_INSTANCE };
      // Twice what the rate needs, for the moment in which the first ones boot.
      const max = Math.ceil((most * SLEEP_MS * 2) / 1_000 / PER_INSTANCE) + 1;
      const target = await server.deploy({ limits, scale: { min: 0, max } });
      await server.until([target], (states) => states.every((state) => !RUNNING.has(state)));
      let errors = 0;
      const detail: unknown[] = [];
      for (const perSecond of RATES) {
        const over = new AbortController();
        const counts: number[] = [];
        const looking = (async () => {
          while (!over.signal.aborted) {
            const states = await server.states(target.id);
            counts.push(states.filter((state) => RUNNING.has(state)).length);
            await sleep(SAMPLE_MS);
          }
        })();
        const found = await step(pool, target, perSecond);
        over.abort();
        await looking;
        errors += found.errors.length;
        const latency = summarise(found.ms);
        const starts = Object.fromEntries(found.starts);
        const instances = { least: Math.min(...counts), most: Math.max(...counts) };
        const kinds = Object.entries(starts).map(([kind, count]) => `${count} ${kind}`);
        say(
          `${perSecond}/s: ${describeMs(latency)}, ${instances.least}–${instances.most} instances, ` +
            `${kinds.join(', ')}, ${found.errors.length} errors ${found.errors[0] ?? ''}`,
        );
        detail.push({ perSecond, latency, starts, instances, errors: found.errors.slice(0, 5) });
      }
      await server.until([target], (states) => states.every((state) => !RUNNING.has(state)));
      say('and back to zero instances that run');
      return [
        atMost(0, {
          name: 'knative',
          what: 'errors over all rates',
          unit: 'count',
          value: errors,
          detail: { seconds: SECONDS, steps: detail },
        }),
      ];
    } finally {
      await pool.close();
      await server.close();
    }
  },
};
