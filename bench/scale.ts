/** Load in steps from nothing to a hundred at once and back: does the number of instances follow it exactly? */
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { stepChart } from './chart.ts';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';

const STEPS = [0, 5, 10, 25, 50, 75, 100, 75, 50, 25, 10, 5, 0];
const STEP_MS = 6_000;
/** At the end of each step, so long is looked whether the number is right and stays so. */
const LOOK_MS = 1_500;
const SAMPLE_MS = 100;
const PER_INSTANCE = 10;
const LIMITS = { timeout: 1_000, duration: 1_800_000, maxConcurrentReqs: PER_INSTANCE };
/** How long each request lasts, in ms. */
const REQUEST_MS = 250;
const RESULTS = fileURLToPath(new URL('results', import.meta.url));

interface Sample {
  readonly seconds: number;
  readonly load: number;
  readonly wanted: number;
  /** Instances that run: booting, ready or busy. */
  readonly running: number;
  /** At the end of a step, when the number should be right. */
  readonly isSettled: boolean;
}

const wantedFor = (load: number) => Math.ceil(load / PER_INSTANCE);

/** Clients that ask again as soon as they are answered: so many requests are in flight as there are clients. */
class Crowd {
  readonly #pool: Pool;
  readonly #target: Deployed;
  readonly #clients: { isWanted: boolean; readonly done: Promise<void> }[] = [];
  requests = 0;
  errors = 0;

  constructor(target: Deployed) {
    this.#target = target;
    this.#pool = new Pool(`http://${target.host}:${target.port}`, { connections: 200 });
  }

  /** Resolves when those who are too many have their last answer. */
  async resize(count: number): Promise<void> {
    while (this.#clients.length < count) {
      const client = { isWanted: true, done: Promise.resolve() };
      this.#clients.push(Object.assign(client, { done: this.#ask(client) }));
    }
    const leaving = this.#clients.splice(count);
    for (const client of leaving) client.isWanted = false;
    await Promise.all(leaving.map(({ done }) => done));
  }

  async close(): Promise<void> {
    await this.resize(0);
    await this.#pool.close();
  }

  async #ask(client: { readonly isWanted: boolean }): Promise<void> {
    const headers = { host: this.#target.authority };
    while (client.isWanted) {
      this.requests += 1;
      try {
        const path = `/?sleep=${REQUEST_MS}`;
        const answer = await this.#pool.request({ method: 'GET', path, headers });
        await answer.body.dump();
        if (answer.statusCode !== 200) this.errors += 1;
      } catch {
        this.errors += 1;
      }
    }
  }
}

async function climb(server: Server, target: Deployed, crowd: Crowd): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  for (const load of STEPS) {
    const stepBegan = performance.now();
    await crowd.resize(load);
    while (performance.now() - stepBegan < STEP_MS) {
      const states = await server.states(target.id);
      const running = states.filter((state) => ['booting', 'ready', 'busy'].includes(state)).length;
      const isSettled = performance.now() - stepBegan >= STEP_MS - LOOK_MS;
      const seconds = (performance.now() - began) / 1_000;
      samples.push({ seconds, load, wanted: wantedFor(load), running, isSettled });
      await sleep(SAMPLE_MS);
    }
  }
  return samples;
}

export const scale: Measure = {
  name: 'SCALE',
  title: 'instances while the load goes from 0 to 100 at once and back',
  async run(say) {
    const server = await Server.start();
    try {
      const target = await server.deploy({ limits: LIMITS });
      const crowd = new Crowd(target);
      let samples: readonly Sample[];
      try {
        samples = await climb(server, target, crowd);
      } finally {
        await crowd.close();
      }
      const settled = samples.filter(({ isSettled }) => isSettled);
      const wrong = settled.filter(({ running, wanted }) => running !== wanted);
      const most = Math.max(...samples.map(({ running }) => running));
      for (const one of wrong)
        say(
          `${one.seconds.toFixed(1)} s: load ${one.load} wants ${one.wanted}, ${one.running} run`,
        );
      say(
        `${crowd.requests} requests, ${settled.length} looks at the ends of ${STEPS.length} steps`,
      );
      await mkdir(RESULTS, { recursive: true });
      const line = (of: (sample: Sample) => number) =>
        samples.map((sample) => [sample.seconds, of(sample)] as const);
      const chart = stepChart(
        `Instances of ${PER_INSTANCE} requests each, under 0 to 100 requests at once`,
        [
          { name: 'load ÷ 10', colour: '#bbb', points: line(({ load }) => load / PER_INSTANCE) },
          {
            name: 'instances wanted',
            colour: '#d60',
            points: line(({ wanted }) => wanted),
            isDashed: true,
          },
          { name: 'instances running', colour: '#06c', points: line(({ running }) => running) },
        ],
      );
      await writeFile(`${RESULTS}/scale.svg`, chart);
      await writeFile(`${RESULTS}/scale.json`, `${JSON.stringify(samples, undefined, 1)}\n`);
      say(`chart: ${RESULTS}/scale.svg`);
      const count = (what: string, value: number, detail = {}) =>
        atMost(0, { name: 'scale', what, unit: 'count', value, detail });
      return [
        count('looks at the end of a step without exactly ceil(load ÷ 10) running', wrong.length, {
          looks: settled.length,
          wrong,
        }),
        count('instances beyond 10 at any time', Math.max(0, most - 10)),
        count('instances still running at the end', samples.at(-1)?.running ?? 0),
        count('errors', crowd.errors, { requests: crowd.requests }),
      ];
    } finally {
      await server.close();
    }
  },
};
