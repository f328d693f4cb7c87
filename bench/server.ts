/** Berth as a user runs it: `berth serve` on a data folder of its own, with deployments made by `berth deploy`. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './bare.ts';
import type { Target } from './first-byte.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '/root',
  BERTH_NODE: process.execPath,
};
const run = promisify(execFile);
/** Logs of a hundred thousand lines. */
const MOST_OUTPUT_BYTES = 256 * 1024 * 1024;

export interface Deployed extends Target {
  readonly id: string;
}

/** Name of its log in its data folder. */
const LOG = 'serve.log';

interface Settings {
  /** Of `berth serve`. */
  readonly options?: readonly string[];
  /** Whether what it logs is kept, for `logged`. */
  readonly isLogged?: boolean;
}

export interface LogLine {
  readonly instance: string;
  readonly text: string;
}

interface Instance {
  readonly deployment: string;
  readonly state: string;
  /** `host:port`, once it is known. */
  readonly address?: string;
}

export class Server {
  readonly port: number;
  readonly #data: string;
  readonly #options: readonly string[];
  readonly #isLogged: boolean;
  #process: ReturnType<typeof spawn>;
  /** From the last start of its process until it was healthy, in ms. */
  startMs = 0;

  private constructor(port: number, data: string, { options = [], isLogged = false }: Settings) {
    this.port = port;
    this.#data = data;
    this.#options = options;
    this.#isLogged = isLogged;
    this.#process = this.#spawn();
  }

  /** @throws Error when it does not become healthy within a minute. */
  static async start(options: readonly string[] = [], isLogged = false): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), 'berth-bench.'));
    const server = new Server(await freePort(), data, { options, isLogged });
    await server.#healthy();
    return server;
  }

  /** Ends it without touching an instance, does `offline` with its data folder, and starts it again. */
  async restart(offline: (data: string) => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.#end('SIGTERM');
    await offline(this.#data);
    this.#process = this.#spawn();
    await this.#healthy();
  }

  /** As `berth down --instances` and another start: it runs nothing then, and has everything still to be waked. */
  async restartWithoutInstances(offline: (data: string) => Promise<void>): Promise<void> {
    await this.#end('SIGUSR2');
    await offline(this.#data);
    this.#process = this.#spawn();
    await this.#healthy();
  }

  #spawn(): ReturnType<typeof spawn> {
    const { port } = this;
    const data = this.#data;
    const words = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, ...this.#options];
    const log = openSync(this.#isLogged ? join(data, LOG) : '/dev/null', 'a');
    try {
      // The launcher keeps compiled code and sets flags; it becomes the server, so that its process is the server's.
      return spawn(join(ROOT, 'berth'), words, {
        env: ENVIRONMENT,
        stdio: ['ignore', log, 'inherit'],
      });
    } finally {
      closeSync(log);
    }
  }

  async #healthy(): Promise<void> {
    const began = performance.now();
    while (performance.now() - began < 60_000) {
      const health = await fetch(`http://127.0.0.1:${this.port}/api/v1/health`).catch(
        () => undefined,
      );
      this.startMs = performance.now() - began;
      if (health?.ok) return;
      await sleep(25);
    }
    throw new Error('berth serve did not become healthy');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }

  /** Deploys the bench app with this `berth.json`. */
  async deploy(configuration: Readonly<Record<string, unknown>>): Promise<Deployed> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-bench-app.'));
    try {
      await cp(join(ROOT, 'bench/app'), folder, { recursive: true });
      await writeFile(
        join(folder, 'berth.json'),
        JSON.stringify({ name: 'bench', ...configuration }),
      );
      return await this.deployFolder(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** `berth deploy` of a folder as it is. */
  async deployFolder(folder: string): Promise<Deployed> {
    const { id, url } = JSON.parse(await this.#berth('deploy', folder, '--json')) as {
      id: string;
      url: string;
    };
    return { id, ...this.at(new URL(url).host) };
  }

  /** Whatever answers at this hostname, as the clients of the benches ask for it. */
  at(authority: string): Target {
    return { host: '127.0.0.1', port: this.port, authority };
  }

  /** Deployments of the same image, made different by a variable. */
  async deployMany(
    count: number,
    configuration: Readonly<Record<string, unknown>>,
  ): Promise<readonly Deployed[]> {
    const deployed: Deployed[] = [];
    for (let index = 0; index < count; index += 1) {
      deployed.push(await this.deploy({ ...configuration, env: { BENCH: String(index) } }));
    }
    return deployed;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** States of a deployment's instances, sorted. */
  async states(deploymentId: string): Promise<readonly string[]> {
    return (await this.#instances(deploymentId)).map((instance) => instance.state).sort();
  }

  /** Where its instances are reached without the router, `host:port`. */
  async addresses(deploymentId: string): Promise<readonly string[]> {
    return (await this.#instances(deploymentId)).flatMap(({ address }) => address ?? []);
  }

  async #instances(deploymentId: string): Promise<readonly Instance[]> {
    const answer = await this.ask('GET', `/instances?deployment=${deploymentId}`);
    return answer as readonly Instance[];
  }

  /** A call of its API, for example `/deployments`. @throws Error with what it answered when that is no success. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const token = (await readFile(join(this.#data, 'token'), 'utf8')).trim();
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  /** Lines of its log with this event, oldest first; for one that was started with a log. */
  async logged(event: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const lines = (await readFile(join(this.#data, LOG), 'utf8')).split('\n');
    return lines
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  /** Waits until every deployment has come to this rest. @throws Error after a minute. */
  async until(
    deployed: readonly Deployed[],
    isAsWanted: (states: readonly string[]) => boolean,
  ): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (const { id } of deployed) {
      for (;;) {
        const states = await this.states(id);
        if (isAsWanted(states)) break;
        if (performance.now() > deadline)
          throw new Error(`${id} did not come to rest: ${states.join(', ')}`);
        await sleep(50);
      }
    }
  }

  /** What the instances of a deployment wrote, the newest 100,000 lines. */
  async logLines(deploymentId: string): Promise<readonly LogLine[]> {
    const text = await this.#berth('logs', deploymentId, '--lines', '100000', '--json');
    return JSON.parse(text) as readonly LogLine[];
  }

  /** Removes everything it deployed, ends the server and its data folder. */
  async close(): Promise<void> {
    const ids = (JSON.parse(await this.#berth('ls', '--json')) as readonly { id: string }[]).map(
      ({ id }) => id,
    );
    if (ids.length > 0) await this.#berth('rm', '--yes', ...ids);
    await this.#end('SIGTERM');
    await rm(this.#data, { recursive: true, force: true });
  }

  async #berth(...words: readonly string[]): Promise<string> {
    // The launcher, as a user starts it: it keeps compiled code, which a start without it has to make again.
    const { stdout } = await run(join(ROOT, 'berth'), [...words, '--data', this.#data], {
      env: ENVIRONMENT,
      maxBuffer: MOST_OUTPUT_BYTES,
    });
    return stdout;
  }
}
