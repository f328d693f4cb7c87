/** The connections to instances: a pool per instance, made with its first lease and gone when it rests. */
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';
import type { InstanceId } from '../core/model.ts';
import type { Lease } from '../ports/fleet.ts';
import {
  type Connect,
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
  type ConnectionUser,
} from './connection.ts';
import { PatientSocket } from './patient-socket.ts';

/** Half-open, so that an app that has sent all can still read, and the other way round. */
const overTcp: Connect = ({ host, port }) =>
  new PatientSocket({ allowHalfOpen: true }).connect({ host, port });

/** What connections need, without their owner. */
export type UpstreamOptions = Omit<ConnectionOptions, 'owner'>;

/** The pool of one instance, and how many requests use it now. */
export class Upstream implements ConnectionOwner {
  readonly host: string;
  readonly port: number;
  inUse = 0;
  readonly #options: ConnectionOptions;
  readonly #onDisconnected: () => void;
  readonly #connections = new Set<Connection>();
  /** The one that rests for the shortest time is the last. */
  readonly #idle: Connection[] = [];
  #isClosed = false;
  #session: ClientHttp2Session | undefined;

  /** `onDisconnected`: its last connection has ended. */
  constructor({ host, port }: Lease, options: UpstreamOptions, onDisconnected: () => void) {
    this.host = host;
    this.port = port;
    this.#options = { ...options, owner: this };
    this.#onDisconnected = onDisconnected;
  }

  /** Sends a request over a connection that rests, or a new one. @returns the connection, if it is known already. */
  send(user: ConnectionUser): Connection {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.use(user)) return idle;
    }
    const connection = new Connection(this, user, this.#options);
    this.#connections.add(connection);
    return connection;
  }

  onIdle(connection: Connection): void {
    this.#idle.push(connection);
  }

  onClosed(connection: Connection): void {
    const place = this.#idle.lastIndexOf(connection);
    if (place !== -1) this.#idle.splice(place, 1);
    this.#connections.delete(connection);
    if (this.#connections.size === 0 && !this.#isClosed) this.#onDisconnected();
  }

  /** For apps that speak HTTP/2: one connection takes all requests, and is made again when it is gone. */
  session(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const { host, port } = this;
      const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
      this.#session = connect(origin, { settings: { enablePush: false } });
      // Its streams tell what became of them.
      this.#session.on('error', () => {});
    }
    return this.#session;
  }

  get isConnected(): boolean {
    return this.#connections.size > 0 || this.#session?.destroyed === false;
  }

  /** Ends all connections at once; requests on them are told. */
  destroy(): void {
    this.#isClosed = true;
    this.#session?.destroy();
    for (const connection of this.#connections) connection.socket.destroy();
  }

  /** Ends them when what is under way has ended. */
  close(): void {
    this.#isClosed = true;
    this.#session?.close();
    for (const connection of this.#connections) connection.close();
  }
}

/**
 * All pools. A pooled connection must not outlive its instance's time awake: an app that was frozen finds its own
 * keep-alive timers long past when it thaws and closes the connection just when it is used. So `forget` is called
 * when an instance leaves `running`; and a lease on an instance that had to be woken never meets an older pool.
 */
export class Upstreams {
  readonly #options: UpstreamOptions;
  readonly #byInstance = new Map<InstanceId, Upstream>();

  constructor(options: UpstreamOptions) {
    this.#options = options;
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
      upstream = this.#open(lease);
      this.#byInstance.set(lease.instanceId, upstream);
    }
    upstream.inUse += 1;
    return upstream;
  }

  /** A connection of its own for one request, being made. */
  dial(lease: Lease): Socket {
    return (this.#options.connect ?? overTcp)(lease);
  }

  release(upstream: Upstream): void {
    upstream.inUse -= 1;
  }

  /** Closes the connections to an instance that leaves `running`. Requests in flight, if there are any, end by themselves. */
  forget(instanceId: InstanceId): void {
    const upstream = this.#byInstance.get(instanceId);
    if (upstream === undefined) return;
    this.#byInstance.delete(instanceId);
    if (upstream.inUse === 0) upstream.destroy();
    else upstream.close();
  }

  /** Closes every connection at once. */
  close(): void {
    for (const upstream of this.#byInstance.values()) upstream.destroy();
    this.#byInstance.clear();
  }

  /** A pool without connections holds nothing but memory: an instance that is never heard of again leaves no trace. */
  #open(lease: Lease): Upstream {
    const { instanceId } = lease;
    const upstream = new Upstream(lease, this.#options, () => {
      if (upstream.inUse > 0 || upstream.isConnected) return;
      if (this.#byInstance.get(instanceId) === upstream) this.forget(instanceId);
    });
    return upstream;
  }
}

function isStale(upstream: Upstream, lease: Lease): boolean {
  if (upstream.host !== lease.host || upstream.port !== lease.port) return true;
  return lease.start !== 'warm' && upstream.inUse === 0;
}
