/**
 * Takes requests on a plain port and perhaps one with TLS: finds out where each belongs, and lets the platform answer, or passes it on to
 * an instance of a deployment, or says what is wrong with it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AppProtocol, DeploymentId, InstanceId } from '../core/model.ts';
import type { WakeRules } from '../core/wake.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fleet } from '../ports/fleet.ts';
import { Served } from './access-log.ts';
import type { Connect } from './connection.ts';
import { Absences } from './absences.ts';
import type { RouterContext } from './context.ts';
import { BufferBudget } from './buffer-budget.ts';
import { Deadlines } from './deadlines.ts';
import { answerHealth, HEALTH_PATH } from './health.ts';
import { Http2Request } from './http2-request.ts';
import type { Http2Response } from './http2-response.ts';
import { type Http2Abuse, Http2Speaker } from './http2-server.ts';
import { DEFAULT_ROUTER_LIMITS, type RouterLimits } from './limits.ts';
import { Losses } from './losses.ts';
import { proxy } from './proxy.ts';
import { Reception, type ReceptionOptions } from './reception.ts';
import { createServers, isHandshakeFailure, type Servers } from './servers.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { proxyConnect, proxyUpgrade, responseFor } from './upgrade.ts';
import { Upstreams } from './upstream.ts';

export interface RouterOptions extends ReceptionOptions {
  readonly fleet: Fleet;
  /** Answers on the hostnames of the platform: the API and the dashboard. */
  readonly platform: (req: IncomingMessage, res: ServerResponse) => void;
  /** WebSockets on the hostnames of the platform; without it they are answered as plain requests. */
  readonly platformUpgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly clock: Clock;
  /** Of Berth, for error pages. */
  readonly version: string;
  readonly limits?: Partial<RouterLimits>;
  /** `limits.duration` of a deployment, in ms. */
  readonly durationMs: (deploymentId: DeploymentId) => number;
  /** Addresses and CIDR ranges of proxies whose `x-forwarded-*`, `forwarded` and `x-request-id` are believed. @default none */
  readonly trustedProxies?: readonly string[];
  /** What the app of a deployment speaks; absent: HTTP/1.1, all of them. */
  readonly protocol?: (deploymentId: DeploymentId) => AppProtocol;
  /** Which requests may wake a deployment; absent, or undefined for one: all. */
  readonly wakeRules?: (deploymentId: DeploymentId) => WakeRules | undefined;
  /** Hears of each connection of HTTP/2 that was ended for what its client sent, with the address that it came from. */
  readonly onHttp2Abuse?: (abuse: Http2Abuse, client: string) => void;
  /** How instances are reached; absent: over TCP. The simulation has a network of its own. */
  readonly connect?: Connect;
}

export interface Router {
  /** Not listening yet: `server.listen(…)`. */
  readonly server: Server;
  /** The one with TLS, not listening either; undefined without `secure`. */
  readonly secureServer: SecureServer | undefined;
  /** Closes pooled connections to an instance. To be called whenever one leaves `running`, before it is frozen or stopped. */
  forget(instanceId: InstanceId): void;
  /**
   * Takes no more connections, lets requests in flight end (at most `limits.closeMs`), then says 1012 to WebSockets (at
   * most `limits.goodbyeMs`) and closes the rest.
   */
  close(): Promise<void>;
}

export function createRouter(options: RouterOptions): Router {
  return new HttpRouter(options);
}

class HttpRouter implements Router {
  readonly server: Server;
  readonly secureServer: SecureServer | undefined;
  readonly #servers: Servers;
  readonly #options: RouterOptions;
  readonly #context: RouterContext;
  readonly #upgraded = new Set<Duplex>();
  readonly #reception: Reception;
  /** Answers under way, those of the platform included, WebSockets not. */
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  /** Requests that may hold a lease. */
  #exchanges = 0;
  #onQuiet: (() => void) | undefined;

  constructor(options: RouterOptions) {
    const limits = { ...DEFAULT_ROUTER_LIMITS, ...options.limits };
    this.#options = options;
    const trusted = new TrustedProxies(options.trustedProxies ?? []);
    const deadlines = new Deadlines(options.clock);
    this.#context = {
      fleet: options.fleet,
      clock: options.clock,
      limits,
      version: options.version,
      deadlines,
      losses: new Losses(),
      absences: new Absences(deadlines, limits.absenceMs),
      splices: new Set(),
      upstreams: new Upstreams({ limits, deadlines, connect: options.connect }),
      buffers: new BufferBudget(limits.totalReplayBytes),
      durationMs: options.durationMs,
      protocol: options.protocol ?? (() => 'http1'),
      wakeRules: options.wakeRules ?? (() => undefined),
      hstsSeconds: options.secure?.hstsSeconds,
      isClosing: false,
    };
    this.#reception = new Reception(this.#context, options, trusted);
    const http2 = new Http2Speaker({
      limits,
      clock: options.clock,
      deadlines: this.#context.deadlines,
      onStream: (req, res) => this.#onStream(req, res),
      newKey: () => Buffer.from(options.random.id(16)).toString('base64'),
      onAbuse: (abuse, client) => options.onHttp2Abuse?.(abuse, client),
    });
    this.#servers = createServers(limits, http2, options.secure, trusted);
    this.server = this.#servers.plain;
    this.secureServer = this.#servers.secure;
    for (const server of this.#servers.all) this.#attach(server);
  }

  #attach(server: Server | SecureServer): void {
    const onRequest = (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res);
    server.on('request', onRequest);
    // The app says whether to continue, or the router when it has read all it wants to.
    server.on('checkContinue', onRequest);
    server.on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket as Socket, head));
    server.on('clientError', (error, duplex) => {
      const socket = duplex as Socket;
      if (isHandshakeFailure(socket, error)) socket.destroy();
      else this.#reception.refuseUnread(error, socket);
    });
  }

  forget(instanceId: InstanceId): void {
    this.#context.upstreams.forget(instanceId);
  }

  async close(): Promise<void> {
    const { clock, limits, upstreams, deadlines, splices } = this.#context;
    this.#context.isClosing = true;
    const closed = this.#servers.close();
    const idle = new AbortController();
    const allAnswered = clock.sleep(limits.closeMs, idle.signal);
    this.#onIdle = () => idle.abort();
    if (this.#inFlight === 0) idle.abort();
    await allAnswered;
    const leaving = [...splices].map((splice) => {
      splice.leave();
      return splice.closed;
    });
    await Promise.all(leaving);
    for (const socket of this.#upgraded) socket.destroy();
    this.#servers.closeConnections();
    await closed;
    // Node calls its server closed before those who wait for the end of an answer have heard of it.
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      if (this.#exchanges === 0) resolve();
    });
    upstreams.close();
    deadlines.close();
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    // Pipelined behind another request: its turn comes when that one is answered. Until then it holds nothing.
    if (res.socket === null) res.once('socket', () => this.#handle(req, res));
    else this.#handle(req, res);
  }

  #onStream(req: Http2Request, res: Http2Response): void {
    if (req.isWebSocket) this.#onConnect(req, res);
    else this.#handle(req, res);
  }

  /** A WebSocket over HTTP/2. Those of the platform's own are answered as plain requests. */
  #onConnect(req: Http2Request, res: Http2Response): void {
    const { stream } = req;
    this.#upgraded.add(stream);
    stream.once('close', () => this.#upgraded.delete(stream));
    const route = this.#reception.receive(req, res);
    if (route === undefined) return;
    const { target, request } = route;
    if (target.kind === 'platform') {
      this.#toPlatform(req, res);
      return;
    }
    const served = new Served();
    const { deploymentId } = target;
    this.#exchanges += 1;
    void proxyConnect({ context: this.#context, request, deploymentId, req, res, served }).then(
      () => {
        this.#onExchangeEnded();
        const isCutOff =
          served.status === 0 || (served.status === 101 && served.error !== undefined);
        this.#reception.record(req, request, served, isCutOff, deploymentId);
      },
    );
  }

  #handle(req: IncomingMessage | Http2Request, res: ServerResponse | Http2Response): void {
    this.#inFlight += 1;
    res.on('close', () => this.#onResponseClosed());
    const route = this.#reception.receive(req, res);
    if (route === undefined) return;
    const { target, request } = route;
    if (target.kind === 'platform') {
      // Only deployments have a say in `Expect`; without this a client of the API would wait for its answer.
      if (req.headers.expect !== undefined) res.writeContinue();
      this.#toPlatform(req, res);
      return;
    }
    const { deploymentId } = target;
    if (request.path === HEALTH_PATH && (req.method === 'GET' || req.method === 'HEAD')) {
      answerHealth(this.#context.fleet, deploymentId, request.id, req, res);
      return;
    }
    const served = new Served();
    this.#exchanges += 1;
    void proxy({ context: this.#context, request, deploymentId, req, res, served }).then(() =>
      this.#onExchangeEnded(),
    );
    res.on('close', () =>
      this.#reception.record(req, request, served, !res.writableFinished, deploymentId),
    );
  }

  #toPlatform(req: IncomingMessage | Http2Request, res: ServerResponse | Http2Response): void {
    const { platform } = this.#options;
    if (!(req instanceof Http2Request)) {
      platform(req, res as ServerResponse);
      return;
    }
    const { stream, headers, rawHeaders } = req;
    // Node makes them to be used as if they were those of HTTP/1.1.
    const request = new Http2ServerRequest(
      stream,
      { ...headers, host: rawHeaders[1] },
      {},
      rawHeaders,
    );
    platform(
      request as unknown as IncomingMessage,
      new Http2ServerResponse(stream) as unknown as ServerResponse,
    );
  }

  #onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    // Whoever uses the socket sees its end by 'close'.
    socket.on('error', () => {});
    const res = responseFor(req, socket);
    const route = this.#reception.receive(req, res);
    if (route === undefined) return;
    const { target, request } = route;
    if (target.kind === 'platform') {
      const { platform, platformUpgrade } = this.#options;
      if (platformUpgrade === undefined) {
        platform(req, res);
        return;
      }
      res.detachSocket(socket);
      platformUpgrade(req, socket, head);
      return;
    }
    const served = new Served();
    const { deploymentId } = target;
    this.#exchanges += 1;
    void proxyUpgrade(
      { context: this.#context, request, deploymentId, req, res, served },
      { socket, head },
    ).then(() => {
      this.#onExchangeEnded();
      const isCutOff = served.status === 0 || (served.status === 101 && served.error !== undefined);
      this.#reception.record(req, request, served, isCutOff, deploymentId);
    });
  }

  #onResponseClosed(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #onExchangeEnded(): void {
    this.#exchanges -= 1;
    if (this.#exchanges === 0) this.#onQuiet?.();
  }
}
