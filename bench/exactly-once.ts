/** P9: requests over scale-downs, kills and deploys: how many are lost, and how many that must not be are served twice. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Pool } from 'undici';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';

const run = promisify(execFile);

/** The measure is meant for a million; `BERTH_BENCH_P9=1000000` takes its time for that. */
const REQUESTS = Number(process.env.BERTH_BENCH_P9 ?? 100_000);
const CLIENTS = 32;
const DEPLOYMENTS = 3;
const KILL_EVERY_MS = 1_000;
const DEPLOY_EVERY_MS = 8_000;
/** Waves of load, so that instances come to rest in between. */
const WAVE_MS = 8_000;
const LULL_MS = 1_800;
const CONFIGURATION = { limits: { timeout: 1_000, duration: 1_800_000, maxConcurrentReqs: 4 } };

interface Tally {
  sent: number;
  served: number;
  /** POSTs that an instance had read when it was killed: nobody can know whether they took effect. */
  readByKilled: number;
  readonly lost: string[];
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export const exactlyOnce: Measure = {
  name: 'P9',
  title: `${REQUESTS} requests, half of them POST, over scale-downs, kills and deploys`,
  async run(say) {
    const server = await Server.start();
    const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: CLIENTS });
    const tally: Tally = { sent: 0, served: 0, readByKilled: 0, lost: [] };
    const over = new AbortController();
    let kills = 0;
    let deploys = 0;
    try {
      const targets: Deployed[] = [...(await server.deployMany(DEPLOYMENTS, CONFIGURATION))];
      const everyone = [...targets];
      const faults = Promise.all([
        until(over.signal, KILL_EVERY_MS, async () => {
          kills += (await killOne(everyone)) ? 1 : 0;
        }),
        until(over.signal, DEPLOY_EVERY_MS, async () => {
          const fresh = await server.deploy({
            ...CONFIGURATION,
            env: { VERSION: String(deploys) },
          });
          everyone.push(fresh);
          targets[deploys % DEPLOYMENTS] = fresh;
          deploys += 1;
        }),
      ]);
      const served = new Served();
      await loadInWaves(targets, pool, tally, () => served.collect(server, everyone));
      over.abort();
      await faults;
      await served.collect(server, everyone);
      say(`${served.count} POSTs were seen in the logs of the apps`);
      say(
        `${tally.sent} sent, ${tally.served} served, ${tally.readByKilled} POSTs read by an instance that was then killed`,
      );
      say(
        `${kills} instances killed, ${deploys} deploys; first losses: ${tally.lost.slice(0, 3).join(' | ') || 'none'}`,
      );
      const detail = {
        requests: tally.sent,
        served: tally.served,
        readByKilled: tally.readByKilled,
        kills,
        deploys,
      };
      return [
        atMost(0, {
          name: 'P9',
          what: `requests lost of ${tally.sent}`,
          unit: 'count',
          value: tally.lost.length,
          detail,
        }),
        atMost(0, {
          name: 'P9',
          what: 'non-idempotent requests served twice',
          unit: 'count',
          value: served.twice,
          detail: {},
        }),
      ];
    } finally {
      over.abort();
      await pool.destroy();
      await server.close();
    }
  },
};

async function until(
  signal: AbortSignal,
  everyMs: number,
  act: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await act();
  }
}

async function loadInWaves(
  targets: readonly Deployed[],
  pool: Pool,
  tally: Tally,
  inLull: () => Promise<void>,
): Promise<void> {
  while (tally.sent < REQUESTS) {
    const end = performance.now() + WAVE_MS;
    const client = async () => {
      while (performance.now() < end && tally.sent < REQUESTS) {
        const number = tally.sent;
        tally.sent += 1;
        const target = targets[number % targets.length];
        if (target) await one(target, pool, number, tally);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    await sleep(LULL_MS);
    await inLull();
  }
}

async function one(target: Deployed, pool: Pool, number: number, tally: Tally): Promise<void> {
  const method = number % 2 === 0 ? 'GET' : 'POST';
  const answer = await ask(target, pool, method, number);
  if (answer.status === 200) {
    tally.served += 1;
    return;
  }
  if (method === 'POST' && answer.status === 502 && answer.body.includes('"INSTANCE_DIED"')) {
    tally.readByKilled += 1;
    return;
  }
  tally.lost.push(`${method} ${answer.status} ${answer.body.slice(0, 300)}`);
}

async function ask(
  { authority }: Deployed,
  pool: Pool,
  method: 'GET' | 'POST',
  id: number,
): Promise<Answer> {
  try {
    const headers = { host: authority };
    const answer = await pool.request({ method, path: `/?id=${id}`, headers });
    return { status: answer.statusCode, body: await answer.body.text() };
  } catch (error) {
    return { status: 0, body: error instanceof Error ? error.message : String(error) };
  }
}

/** Kills the process of one instance that runs, frozen ones included; false when there is none. */
async function killOne(deployed: readonly Deployed[]): Promise<boolean> {
  const filters = deployed.flatMap(({ id }) => ['--filter', `name=berth-${id}`]);
  const { stdout } = await run('podman', ['ps', ...filters, '--format', '{{.Pid}}']);
  const pids = stdout
    .trim()
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 1);
  const pid = pids[Math.floor(Math.random() * pids.length)];
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Which instances wrote down which id. Looked at after every wave, before old logs are pruned. */
class Served {
  readonly #by = new Map<string, Set<string>>();

  async collect(server: Server, deployed: readonly Deployed[]): Promise<void> {
    for (const { id } of deployed) {
      for (const { instance, text } of await server.logLines(id)) {
        const number = /^served (\d+)$/.exec(text)?.[1];
        if (number === undefined) continue;
        const instances = this.#by.get(number) ?? new Set();
        instances.add(instance);
        this.#by.set(number, instances);
      }
    }
  }

  get count(): number {
    return this.#by.size;
  }

  /** Ids that more than one instance served. */
  get twice(): number {
    let count = 0;
    for (const instances of this.#by.values()) count += instances.size > 1 ? 1 : 0;
    return count;
  }
}
