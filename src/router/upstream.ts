/** The connections to instances: a pool per instance, made with its first lease and gone when it rests. */
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { type buildConnector, Pool } from 'undici';
import type { InstanceId } from '../core/model.ts';
import type { Lease } from '../ports/fleet.ts';
import { tellingClient } from './connection.ts';
import type { RouterLimits } from './limits.ts';
import { PatientSocket } from './patient-socket.ts';

/** Begins a connection to an instance: the socket says `connect` or `error` later. */
export type Connect = (to: { readonly host: string; readonly port: number }) => Socket;

/** Half-open, so that an app that has sent all can still read, and the other way round. */
const overTcp: Connect = ({ host, port }) =>
  new PatientSocket({ allowHalfOpen: true }).connect({ host, port });

/** The pool of one instance, and how many requests use it now. */
export class Upstream {
  readonly pool: Pool;
  readonly host: string;
  readonly port: number;
  inUse = 0;

  readonly #origin: string;
  #session: ClientHttp2Session | undefined;

  constructor({ host, port }: Lease, limits: RouterLimits, connect: Connect | undefined) {
    this.#origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.host = host;
    this.port = port;
    this.pool = new Pool(this.#origin, {
      pipelining: 1,
      factory: tellingClient,
      allowH2: false,
      // Time is bounded by `limits.duration`, for the answer as a whole.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: limits.connectTimeoutMs,
      ...(connect && { connect: connectorFor(connect, { host, port }) }),
      keepAliveTimeout: limits.upstreamKeepAliveMs,
      maxHeaderSize: limits.responseHeaderBytes,
    });
  }

  /** For apps that speak HTTP/2: one connection takes all requests, and is made again when it is gone. */
  session(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#origin, { settings: { enablePush: false } });
      // Its streams tell what became of them.
      this.#session.on('error', () => {});
    }
    return this.#session;
  }

  get isConnected(): boolean {
    return this.pool.stats.connected > 0 || this.#session?.destroyed === false;
  }

  /** Ends all connections at once. */
  async destroy(): Promise<void> {
    this.#session?.destroy();
    await this.pool.destroy();
  }

  /** Ends them when what is under way has ended. */
  async close(): Promise<void> {
    this.#session?.close();
    await this.pool.close();
  }
}

/**
 * All pools. A pooled connection must not outlive its instance's time awake: an app that was frozen finds its own
 * keep-alive timers long past when it thaws and closes the connection just when it is used. So `forget` is called
 * when an instance leaves `running`; and a lease on an instance that had to be woken never meets an older pool.
 */
export class Upstreams {
  readonly #limits: RouterLimits;
  readonly #connect: Connect | undefined;
  readonly #byInstance = new Map<InstanceId, Upstream>();

  /** Without `connect`, connections are TCP. */
  constructor(limits: RouterLimits, connect?: Connect) {
    this.#limits = limits;
    this.#connect = connect;
  }

  /** Instances with a pool. */
  get size(): number {
    return this.#byInstance.size;
  }

  /** The pool for a lease. Each call is paired with one `release`. */
  use(lease: Lease): Upstream {
    let upstream = this.#byInstance.get(lease.instanceId);
    if (upstream !== undefined && isStale(upstream, lease)) {
      this.forget(lease.instanceId);
      upstream = undefined;
    }
    if (upstream === undefined) {
      upstream = new Upstream(lease, this.#limits, this.#connect);
      this.#byInstance.set(lease.instanceId, upstream);
      this.#dropWhenDisconnected(lease.instanceId, upstream);
    }
    upstream.inUse += 1;
    return upstream;
  }

  /** A connection of its own for one request, being made. */
  dial(lease: Lease): Socket {
    return (this.#connect ?? overTcp)(lease);
  }

  release(upstream: Upstream): void {
    upstream.inUse -= 1;
  }

  /** Closes the connections to an instance that leaves `running`. Requests in flight, if there are any, end by themselves. */
  forget(instanceId: InstanceId): void {
    const upstream = this.#byInstance.get(instanceId);
    if (upstream === undefined) return;
    this.#byInstance.delete(instanceId);
    void (upstream.inUse === 0 ? upstream.destroy() : upstream.close());
  }

  /** Closes every connection at once. */
  async close(): Promise<void> {
    const pools = [...this.#byInstance.values()].map((upstream) => upstream.destroy());
    this.#byInstance.clear();
    await Promise.all(pools);
  }

  /** A pool without connections holds nothing but memory: an instance that is never heard of again leaves no trace. */
  #dropWhenDisconnected(instanceId: InstanceId, upstream: Upstream): void {
    const look = () => {
      if (upstream.inUse > 0 || upstream.isConnected) return;
      if (this.#byInstance.get(instanceId) === upstream) this.forget(instanceId);
    };
    upstream.pool.on('disconnect', look);
    upstream.pool.on('connectionError', look);
  }
}

function connectorFor(connect: Connect, to: Parameters<Connect>[0]): buildConnector.connector {
  return (_options, callback) => {
    const socket = connect(to);
    const fail = (error: Error) => callback(error, null);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      callback(null, socket);
    });
  };
}

function isStale(upstream: Upstream, lease: Lease): boolean {
  if (upstream.host !== lease.host || upstream.port !== lease.port) return true;
  return lease.start !== 'warm' && upstream.inUse === 0;
}
