/** The load generators: as fast as answers come, at a rate that does not wait for them, or as noise beside another. */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Pool } from 'undici';
import type { Target } from './first-byte.ts';

const run = promisify(execFile);

export interface Flood {
  readonly requests: number;
  readonly perSecond: number;
  /** Answers that were no 2xx or 3xx, and connections that failed. */
  readonly errors: number;
}

/** wrk: `connections` that ask again as soon as they have their answer. */
export async function flood(
  target: Target,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Flood> {
  const { stdout } = await run('wrk', [
    ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`],
    ...['--header', `Host: ${target.authority}`, urlOf(target)],
  ]);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const socketErrors = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  const failed = (socketErrors?.slice(1) ?? []).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec: +([\d.]+)/),
    errors: number(/Non-2xx or 3xx responses: (\d+)/) + failed,
  };
}

/** h2load: the same over HTTP/2 without TLS, on fewer connections with `streams` requests at once on each. */
export async function floodHttp2(
  target: Target,
  {
    connections,
    streams,
    seconds,
  }: { readonly connections: number; readonly streams: number; readonly seconds: number },
): Promise<Flood> {
  const { stdout } = await run('h2load', [
    ...['--threads', '1', '--clients', String(connections), '--duration', String(seconds)],
    ...['--max-concurrent-streams', String(streams)],
    ...['--connect-to', `${target.host}:${target.port}`],
    `http://${target.authority}${target.path ?? '/'}`,
  ]);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const requests = number(/status codes: (\d+) 2xx/);
  return {
    requests,
    perSecond: requests / seconds,
    errors: number(/(\d+) 4xx/) + number(/(\d+) 5xx/),
  };
}

export interface Pace {
  /** Over all connections. */
  readonly perSecond: number;
  readonly connections: number;
  readonly seconds: number;
  /** Loopback addresses to come from in turn, so that it is many clients and not one; absent: the usual one. */
  readonly from?: readonly string[];
}

export interface Paced {
  /** From the time a request was due to the end of its answer, in ms. */
  readonly ms: readonly number[];
  readonly errors: number;
}

/** How often each came: `200`, `429 QUEUE_FULL`, or the code of a connection that failed. */
export type Answers = Record<string, number>;

/**
 * Requests at a fixed rate, whether or not earlier ones were answered (undici, at most `connections` at once). wrk
 * has no rate, and h2load --rps sends one request of every connection at the same moment: it would measure that queue.
 */
export async function paced(target: Target, pace: Pace, answers: Answers = {}): Promise<Paced> {
  const { perSecond, connections, seconds } = pace;
  const pools = poolsTo(target, pace.from ?? [undefined], connections);
  const ms: number[] = [];
  let turn = 0;
  let errors = 0;
  const count = (kind: string) => {
    answers[kind] = (answers[kind] ?? 0) + 1;
  };
  const ask = async (due: number) => {
    const pool = pools[turn++ % pools.length] as Pool;
    try {
      const headers = { host: target.authority };
      const answer = await pool.request({ method: 'GET', path: target.path ?? '/', headers });
      await answer.body.dump();
      const code = answer.headers['x-berth-error'];
      count(
        code === undefined ? String(answer.statusCode) : `${answer.statusCode} ${String(code)}`,
      );
      if (answer.statusCode === 200) ms.push(performance.now() - due);
      else errors += 1;
    } catch (error) {
      count(error instanceof Error ? error.name : String(error));
      errors += 1;
    }
  };
  try {
    const asked: Promise<void>[] = [];
    const began = performance.now();
    const total = Math.round(perSecond * seconds);
    while (asked.length < total) {
      const due = began + (asked.length * 1_000) / perSecond;
      if (due <= performance.now()) asked.push(ask(due));
      else await sleep(1);
    }
    await Promise.all(asked);
    return { ms, errors };
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
  }
}

function poolsTo(
  { host, port }: Target,
  from: readonly (string | undefined)[],
  connections: number,
): readonly Pool[] {
  const share = Math.ceil(connections / from.length);
  return from.map(
    (localAddress) =>
      new Pool(`http://${host}:${port}`, {
        connections: share,
        ...(localAddress === undefined ? {} : { localAddress }),
      }),
  );
}

export interface Noise {
  readonly target: Target;
  readonly pace: Pace;
}

export interface Beside {
  /** Ends it; what it was answered so far. */
  stop(): Promise<Answers>;
}

/**
 * A load beside something else, from a process of its own, until it is stopped; it ends by itself after `seconds`. It
 * has only the CPU time that nobody else wants (SCHED_IDLE): elsewhere a flood comes from other machines, and with two
 * cores for all its client would slow the other client, the apps and Berth by merely being computed here. What it was
 * answered tells whether it kept its rate.
 */
export async function beside(noise: Noise): Promise<Beside> {
  const child = fork(fileURLToPath(new URL('noise.ts', import.meta.url)), [JSON.stringify(noise)], {
    env: { PATH: process.env.PATH ?? '' },
  });
  let answers: Answers = {};
  child.on('message', (told) => {
    answers = told as Answers;
  });
  const ended = once(child, 'exit');
  await run('chrt', ['--all-tasks', '--idle', '--pid', '0', String(child.pid)]);
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
      return answers;
    },
  };
}

function urlOf(target: Target): string {
  return `http://${target.host}:${target.port}${target.path ?? '/'}`;
}
