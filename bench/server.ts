/** Berth as a user runs it: `berth serve` on a data folder of its own, with deployments made by `berth deploy`. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
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

export interface Deployed extends Target {
  readonly id: string;
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
  readonly #process: ReturnType<typeof spawn>;

  private constructor(port: number, data: string, process: ReturnType<typeof spawn>) {
    this.port = port;
    this.#data = data;
    this.#process = process;
  }

  /** @throws Error when it does not become healthy within a minute. */
  static async start(options: readonly string[] = []): Promise<Server> {
    const port = await freePort();
    const data = await mkdtemp(join(tmpdir(), 'berth-bench.'));
    const child = spawn(
      process.execPath,
      [
        join(ROOT, 'src/main.ts'),
        'serve',
        '--data',
        data,
        '--listen',
        `127.0.0.1:${port}`,
        ...options,
      ],
      { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const server = new Server(port, data, child);
    for (let tries = 0; tries < 600; tries += 1) {
      const health = await fetch(`http://127.0.0.1:${port}/api/v1/health`).catch(() => undefined);
      if (health?.ok) return server;
      await sleep(100);
    }
    throw new Error('berth serve did not become healthy');
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
      const { id, url } = JSON.parse(await this.#berth('deploy', folder, '--json')) as {
        id: string;
        url: string;
      };
      return { id, host: '127.0.0.1', port: this.port, authority: new URL(url).host };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
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
    const token = (await readFile(join(this.#data, 'token'), 'utf8')).trim();
    const answer = await fetch(
      `http://127.0.0.1:${this.port}/api/v1/instances?deployment=${deploymentId}`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );
    if (!answer.ok) throw new Error(`instances: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as readonly Instance[];
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
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
    await rm(this.#data, { recursive: true, force: true });
  }

  async #berth(...words: readonly string[]): Promise<string> {
    const { stdout } = await run(
      process.execPath,
      [join(ROOT, 'src/main.ts'), ...words, '--data', this.#data],
      {
        env: ENVIRONMENT,
      },
    );
    return stdout;
  }
}
