/** Steady load, WebSockets, and an instance killed every second: no request lost, no lease leaked, no memory either. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';
import { containersOf, deploySeveral, killQuietly, load } from './fixtures/steady-load.ts';

/** BERTH_SOAK_SECONDS makes it longer or shorter. */
const SECONDS = Number(process.env.BERTH_SOAK_SECONDS ?? 60);
const DEPLOYMENTS = 3;
const ECHO_EVERY_MS = 20;

let berth: Berth;
let urls: readonly URL[];
let port: string;

beforeAll(async () => {
  berth = await Berth.up();
  urls = await deploySeveral(berth, '../test/fixtures/echo', DEPLOYMENTS);
  port = await berth.port();
});

afterAll(() => berth.close());

/** A client that sends a message, waits for its echo, and so on; it connects again when the connection ends. */
class Echoing {
  echoes = 0;
  connections = 0;
  readonly wrong: string[] = [];
  readonly #host: string;
  readonly #over = new AbortController();
  readonly #done: Promise<void>;

  constructor(url: URL) {
    this.#host = url.host;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#talk();
      // It ended because its instance was killed; a browser would wait longer.
      await systemClock.sleep(50, this.#over.signal);
    }
  }

  #talk(): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: this.#host } });
      const leave = () => socket.close();
      const say = () => socket.send(String(this.echoes));
      this.#over.signal.addEventListener('abort', leave, { once: true });
      socket.on('open', () => {
        this.connections += 1;
        say();
      });
      socket.on('message', (data: Buffer) => {
        if (data.toString() !== String(this.echoes)) this.wrong.push(data.toString());
        this.echoes += 1;
        void systemClock.sleep(ECHO_EVERY_MS).then(() => {
          if (socket.readyState === WebSocket.OPEN) say();
        });
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#over.signal.removeEventListener('abort', leave);
        resolve();
      });
    });
  }
}

/** Resident memory of the server, in MiB. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

test(`${SECONDS} s of load on ${DEPLOYMENTS} deployments with an instance killed every second`, {
  timeout: SECONDS * 1_000 + 240_000,
}, async () => {
  const note = await readFile(berth.file('server.json'), 'utf8');
  const { pid } = JSON.parse(note) as { readonly pid: number };
  const running = load({ port, urls, clientsEach: 3, pauseMs: 20 });
  const sockets = urls.map((url) => new Echoing(url));
  const memory: { readonly at: number; readonly mib: number }[] = [];
  let kills = 0;
  const began = systemClock.now();
  for (let second = 0; second < SECONDS; second += 1) {
    const found = (await containersOf(urls)).filter((one) => one.pid > 1);
    const target = found[Math.floor(Math.random() * found.length)];
    if (target) {
      killQuietly(target.pid);
      kills += 1;
    }
    do {
      const at = (systemClock.now() - began) / (SECONDS * 1_000);
      memory.push({ at, mib: await residentMiB(pid) });
      await systemClock.sleep(200);
    } while (systemClock.now() < began + (second + 1) * 1_000);
  }
  const { answered, failures } = await running.stop();
  for (const socket of sockets) await socket.stop();

  // Medians of a quarter each: one collection of garbage more or less does not move them.
  const between = (from: number, to: number) =>
    median(memory.filter(({ at }) => at >= from && at < to).map(({ mib }) => mib));
  const [early, late] = [between(0.25, 0.5), between(0.75, 1)];
  const echoes = sockets.reduce((sum, one) => sum + one.echoes, 0);
  const connections = sockets.reduce((sum, one) => sum + one.connections, 0);
  console.log(
    `${answered} requests, ${failures.length} failed; ${echoes} echoes over ${connections} WebSockets; ` +
      `${kills} kills; resident ${early.toFixed(1)} MiB, later ${late.toFixed(1)} MiB`,
  );
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(SECONDS * 20);
  for (const { wrong } of sockets) expect(wrong).toEqual([]);
  expect(echoes).toBeGreaterThan(SECONDS * 10);
  expect(kills).toBeGreaterThan(SECONDS / 2);
  // Less is no leak: the heap of the first deploys may be given back late.
  expect(late / early).toBeLessThan(1.1);

  for (const url of urls) {
    // An instance with a leaked lease never comes to rest.
    await berth.until(url, (states) =>
      states.every((state) => state === 'frozen' || state === 'parked'),
    );
    for (const instance of await berth.instances(url)) expect(instance.inFlight).toBe(0);
  }
});
