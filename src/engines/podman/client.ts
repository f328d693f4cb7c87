/** A small typed HTTP client for libpod over a unix socket: keep-alive, deadlines, capped calls, coded errors. */
import { type Dispatcher, Pool } from 'undici';
import { BerthError } from '../../core/errors.ts';
import { createGate, type Gate } from './gate.ts';

/** Podman serves this path prefix from 4.0 on and still does in 5. */
const PREFIX = '/v4.0.0/libpod';
const OLDEST_MAJOR = 4;
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * How many calls of a kind run at once. Parallel calls contend on Podman's locks, and starts must never wait behind creates.
 *
 * | lane | for | limit |
 * |---|---|---|
 * | `boot` | start of what somebody waits for | 16 |
 * | `change` | create, init, stop, remove | 6 |
 * | `read` | inspect, list | 8 |
 * | `long` | pull, events: slow, and idle most of the time | none |
 */
export type Lane = 'boot' | 'change' | 'read' | 'long';
const LANE_LIMITS = { boot: 16, change: 6, read: 8, long: Number.POSITIVE_INFINITY } as const;

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/libpod`, for example `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly lane: Lane;
  /** Longest silence before the call fails, in ms; 30 s. */
  readonly timeoutMs?: number;
  /** May be sent again after the service died under it; true unless said otherwise. */
  readonly isIdempotent?: boolean;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** The parsed JSON, or undefined for an empty body. */
  readonly value: unknown;
}

/** The engine's own words about a call that it refused. */
export interface Refusal {
  readonly message: string;
  readonly cause: string;
}

export interface PodmanClient {
  /** Any status is an answer. Throws only ENGINE_UNAVAILABLE. */
  ask(call: Call): Promise<Answer>;
  /** Throws ENGINE_FAILED for a status of 400 and above. */
  request(call: Call): Promise<unknown>;
  /** The values of a stream of JSON documents, one a line, until it ends or `signal` aborts. */
  stream(call: Call, onValue: (value: unknown) => void, onOpen?: () => void): Promise<void>;
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly socketPath: string;
  /** Called when nobody answers; resolves when the service answers again, or throws ENGINE_UNAVAILABLE. */
  revive(): Promise<void>;
}

export function createClient(options: ClientOptions): PodmanClient {
  const pool = createPool(options.socketPath);
  const gates = new Map<Lane, Gate>(
    Object.entries(LANE_LIMITS).map(([lane, limit]) => [lane as Lane, createGate(limit)]),
  );

  const send = (call: Call): Promise<Dispatcher.ResponseData> => {
    const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const query = Object.entries(call.query ?? {})
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&');
    return pool.request({
      method: call.method,
      path: `${PREFIX}${call.path}${query === '' ? '' : `?${query}`}`,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(call.signal ? { signal: call.signal } : {}),
      ...(call.body === undefined
        ? {}
        : { body: JSON.stringify(call.body), headers: { 'content-type': 'application/json' } }),
    });
  };

  /** Once more after the service was revived, where that cannot do harm. */
  const exchange = async <Result>(call: Call, once: () => Promise<Result>): Promise<Result> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once();
      } catch (error) {
        if (error instanceof BerthError) throw error;
        const failure = connectionFailure(error);
        const isRetried =
          attempt <= 2 &&
          call.signal?.aborted !== true &&
          (failure === 'not sent' || (failure === 'cut' && call.isIdempotent !== false));
        if (failure !== 'other') await options.revive();
        if (!isRetried) throw unavailable(call, error);
      }
    }
  };

  const ask = (call: Call): Promise<Answer> =>
    throughGate(gates, call.lane, () =>
      exchange(call, async () => {
        const response = await send(call);
        return { status: response.statusCode, value: parseJson(await response.body.text()) };
      }),
    );

  return {
    ask,
    async request(call) {
      const answer = await ask(call);
      if (answer.status >= 400) throw refused(call, answer);
      return answer.value;
    },
    async stream(call, onValue, onOpen) {
      const response = await exchange(call, () => send({ ...call, timeoutMs: 0 }));
      if (response.statusCode >= 400) {
        const value = parseJson(await response.body.text());
        throw refused(call, { status: response.statusCode, value });
      }
      onOpen?.();
      let rest = '';
      response.body.setEncoding('utf8');
      for await (const chunk of response.body) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') onValue(parseJson(line));
      }
      if (rest.trim() !== '') onValue(parseJson(rest));
    },
    close: () => pool.destroy(),
  };
}

/** Asks once whether a Podman of a version we speak answers at this socket. Throws ENGINE_UNAVAILABLE with the reason. */
export async function ping(socketPath: string, timeoutMs: number): Promise<void> {
  const pool = createPool(socketPath);
  try {
    const response = await pool.request({
      method: 'GET',
      path: `${PREFIX}/_ping`,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    await response.body.dump();
    const version = response.headers['libpod-api-version'];
    if (typeof version !== 'string') {
      throw new BerthError('ENGINE_UNAVAILABLE', { detail: `No Podman answers at ${socketPath}.` });
    }
    if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
      throw new BerthError('ENGINE_UNAVAILABLE', {
        detail: `Podman ${version} is too old: ${OLDEST_MAJOR}.0 or newer is needed.`,
      });
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw new BerthError('ENGINE_UNAVAILABLE', {
      detail: `Nothing answers at ${socketPath}: ${messageOf(error)}.`,
      cause: error,
    });
  } finally {
    await pool.destroy();
  }
}

/** The words of an answer with a status of 400 and above. */
export function refusalOf(answer: Answer): Refusal {
  const { message, cause } = (answer.value ?? {}) as { message?: unknown; cause?: unknown };
  return {
    message: typeof message === 'string' ? message : `status ${answer.status}`,
    cause: typeof cause === 'string' ? cause : '',
  };
}

/** ENGINE_FAILED with Podman's own message. */
export function refused(call: Call, answer: Answer): BerthError {
  const { message } = refusalOf(answer);
  return new BerthError('ENGINE_FAILED', {
    detail: `Podman refused ${call.method} ${call.path}: ${message}`,
  });
}

function throughGate<Result>(
  gates: ReadonlyMap<Lane, Gate>,
  lane: Lane,
  call: () => Promise<Result>,
): Promise<Result> {
  return gates.get(lane)?.run(call) ?? call();
}

function createPool(socketPath: string): Pool {
  return new Pool('http://podman', {
    socketPath,
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    connect: { timeout: 5_000 },
  });
}

/** `not sent`: nobody took the call. `cut`: the service vanished under it. `other`: it was silent too long, or we gave up. */
function connectionFailure(error: unknown): 'not sent' | 'cut' | 'other' {
  const code = (error as { code?: unknown }).code;
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'not sent';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'cut';
    default:
      return 'other';
  }
}

function unavailable(call: Call, error: unknown): BerthError {
  return new BerthError('ENGINE_UNAVAILABLE', {
    detail: `Podman did not answer ${call.method} ${call.path}: ${messageOf(error)}.`,
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Refusals by Go's HTTP server itself are plain text.
    return { message: text.trim() };
  }
}
