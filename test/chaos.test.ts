/** Faults of every kind on real containers under steady load: requests that may be sent again lose nothing. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/system/clock.ts';
import { Berth, podman } from './fixtures/berth.ts';

const DEPLOYMENTS = 3;
const CLIENTS_EACH = 3;
const ROUNDS = 8;
const PAUSE_MS = 700;

let berth: Berth;
let urls: readonly URL[];
let port: string;

beforeAll(async () => {
  berth = await Berth.up();
  const deployed: URL[] = [];
  for (let index = 0; index < DEPLOYMENTS; index += 1) {
    deployed.push(
      await berth.deploy('hello', {
        env: { GREETING: `App ${index}`, ANSWER_AFTER_MS: '20' },
        limits: { maxConcurrentReqs: 2, timeout: 2_000 },
      }),
    );
  }
  urls = deployed;
  port = (await berth.address()).split(':')[1] ?? '';
});

afterAll(() => berth.close());

interface Load {
  /** Ends the load; how many requests were answered, and what went wrong. */
  stop(): Promise<{ readonly answered: number; readonly failures: readonly string[] }>;
}

/** Clients that ask one GET after the other over kept connections until they are told to stop. */
function load(urls: readonly URL[]): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const ask = (url: URL) =>
    new Promise<string>((resolve) => {
      request({ host: '127.0.0.1', port, agent, headers: { host: url.host } }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => resolve(response.statusCode === 200 ? '200' : body));
        response.on('error', (error) => resolve(error.message));
      })
        .on('error', (error) => resolve(error.message))
        .end();
    });
  const client = async (url: URL) => {
    while (!isOver) {
      const result = await ask(url);
      if (result === '200') answered += 1;
      else failures.push(`${url.hostname}: ${result}`);
    }
  };
  const clients = urls.flatMap((url) => Array.from({ length: CLIENTS_EACH }, () => client(url)));
  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
      agent.destroy();
      return { answered, failures };
    },
  };
}

/** Containers of the first deployment that fits, as `{ name, pid }`; pid 0 when there is no process. */
async function containers(): Promise<readonly { readonly name: string; readonly pid: number }[]> {
  const names = urls.flatMap((url) => [
    '--filter',
    `name=berth-${url.hostname.split('.')[0] ?? ''}`,
  ]);
  const lines = await podman('ps', '--all', ...names, '--format', '{{.Names}} {{.Pid}}');
  return lines.map((line) => {
    const [name = '', pid = '0'] = line.split(' ');
    return { name, pid: Number(pid) };
  });
}

/** Signals that arrive too late are no failure of the test: the process was just being replaced. */
function killQuietly(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ESRCH') throw error;
  }
}

async function underLoad(fault: (round: number) => Promise<void>): Promise<void> {
  const running = load(urls);
  for (let round = 0; round < ROUNDS; round += 1) {
    await fault(round);
    await systemClock.sleep(PAUSE_MS);
  }
  const { answered, failures } = await running.stop();
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
  for (const url of urls) {
    const states = await berth.until(url, (seen) =>
      seen.every((state) => state === 'frozen' || state === 'parked'),
    );
    expect(states.length).toBeGreaterThan(0);
  }
}

test('instances that are killed one after the other', async () => {
  await underLoad(async (round) => {
    const found = await containers();
    killQuietly(found[round % Math.max(1, found.length)]?.pid ?? 0);
  });
});

test('instances whose monitor (conmon) is killed, and then they themselves', async () => {
  await underLoad(async (round) => {
    const found = (await containers()).filter(({ pid }) => pid > 1);
    const target = found[round % Math.max(1, found.length)];
    if (!target) return;
    const stat = await readFile(`/proc/${target.pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(/\) \S+ (\d+)/.exec(stat)?.[1] ?? 0);
    const name = await readFile(`/proc/${parent}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'conmon') killQuietly(parent);
    killQuietly(target.pid);
  });
});

test('containers that are removed behind our back, asleep or awake', async () => {
  await underLoad(async (round) => {
    const found = await containers();
    const target = found[round % Math.max(1, found.length)];
    if (target)
      await podman('rm', '--force', '--ignore', '--time', '0', target.name).catch(() => undefined);
  });
});

test('a Podman service that is killed', async () => {
  await underLoad(async (round) => {
    if (round % 3 !== 0) return;
    const note = await readFile(berth.file('podman/service.json'), 'utf8');
    killQuietly((JSON.parse(note) as { readonly pid: number }).pid);
    const [target] = await containers();
    killQuietly(target?.pid ?? 0);
  });
});

test('instances that reach limits.duration under load', async () => {
  const url = await berth.deploy('hello', {
    env: { GREETING: 'Short-lived', ANSWER_AFTER_MS: '20' },
    limits: { maxConcurrentReqs: 2, duration: 2_000, timeout: 2_000 },
  });
  const running = load([url]);
  const seen = new Set<string>();
  for (let look = 0; look < 20; look += 1) {
    for (const { id, state } of await berth.instances(url)) if (state === 'busy') seen.add(id);
    await systemClock.sleep(400);
  }
  const { answered, failures } = await running.stop();
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
  // Two are needed for the load, and each was replaced at least once.
  expect(seen.size).toBeGreaterThanOrEqual(4);
});
