/** The listeners: one for plain HTTP, and one for TLS where that is wanted; both speak the same HTTP by the same rules. */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { codeOf } from './attempt.ts';
import { Crowd } from './crowd.ts';
import type { Http2Speaker } from './http2-server.ts';
import type { RouterLimits } from './limits.ts';
import { PrefaceReader } from './preface.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** What TLS needs beside the rules of HTTP, handed in by who has the certificates. */
export interface SecureOptions {
  /** Certificates, for one hostname or by name. */
  readonly tls: Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'minVersion' | 'SNICallback'>;
  /** Looks at connections before their handshake. */
  readonly guard?: (server: SecureServer) => void;
  /** For `strict-transport-security` on answers of deployments, in seconds; absent: not sent. */
  readonly hstsSeconds?: number | undefined;
  /** Port of https that plain requests for deployments are sent to; absent: they are served. */
  readonly redirectPort?: (() => number) | undefined;
}

export interface Servers {
  readonly plain: Server;
  readonly secure: SecureServer | undefined;
  readonly all: readonly (Server | SecureServer)[];
  /** Takes no more connections; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Ends every connection that is not a WebSocket, those in the midst of a handshake too. */
  closeConnections(): void;
}

export function createServers(
  limits: RouterLimits,
  http2: Http2Speaker,
  options: SecureOptions | undefined,
  trusted: TrustedProxies,
): Servers {
  const http: ServerOptions = {
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    // Uploads may take long; `limits.duration` bounds a request as a whole.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, Math.ceil(limits.headersTimeoutMs / 3)),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    noDelay: true,
    // Finds out about clients that are gone without a word.
    keepAlive: true,
    keepAliveInitialDelay: limits.tcpKeepAliveMs,
    // Checked by us, so that the answer has our code.
    requireHostHeader: false,
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: isWebSocket,
  };
  const plain = createServer(http);
  const secure =
    options &&
    createSecureServer({
      ...http,
      ...options.tls,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: limits.headersTimeoutMs,
    });
  const all = secure ? [plain, secure] : [plain];
  // Node would silently leave headers out; `checkForm` refuses instead.
  for (const server of all) server.maxHeadersCount = 0;

  const http1 = takeOver(plain, 'connection');
  const preface = new PrefaceReader(
    { http1, http2: (socket) => http2.take(socket) },
    limits.headersTimeoutMs,
  );
  const crowd = new Crowd(limits.socketsPerClient, trusted);
  plain.on('connection', (socket: Socket) => {
    if (crowd.admits(socket)) preface.take(socket);
    else socket.end(TOO_MANY, () => socket.destroy());
  });

  const connections = new Set<Socket>();
  if (secure) {
    const secureHttp1 = takeOver(secure, 'secureConnection');
    secure.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') http2.take(socket);
      else secureHttp1(socket);
    });
    options.guard?.(secure);
    const accept = takeOver(secure, 'connection');
    secure.on('connection', (socket: Socket) => {
      if (crowd.admits(socket)) accept(socket);
      else socket.destroy();
    });
    // Node knows of a connection only from the end of its handshake on.
    secure.prependListener('connection', (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
  }
  return {
    plain,
    secure,
    all,
    async close() {
      preface.close();
      http2.close();
      await Promise.all(
        all.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      );
    },
    closeConnections() {
      for (const server of all) server.closeAllConnections();
      http2.closeConnections();
      for (const socket of connections) socket.destroy();
    },
  };
}

/** Said before anything was asked, and so the same for all. */
const TOO_MANY =
  'HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 1\r\nx-berth-error: TOO_MANY_CONNECTIONS\r\n\r\n';

/** Takes new connections away from a server; what is given back speaks its HTTP/1.1 on those that it shall have. */
function takeOver(
  server: Server | SecureServer,
  event: 'connection' | 'secureConnection',
): (socket: Socket) => void {
  const listeners = server.listeners(event) as ((socket: Socket) => void)[];
  server.removeAllListeners(event);
  return (socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
}

/** Whether a client failed before there was any HTTP: in its handshake. */
export function isHandshakeFailure(socket: Socket, error: Error): boolean {
  return isSecure(socket) && !/^(?:HPE_|ERR_HTTP_)/.test(codeOf(error));
}

/** Whether a connection is encrypted. */
export function isSecure(socket: object): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** `https://shop.example.com:8443`; without the port that clients take by themselves. */
export function originOf(proto: 'http' | 'https', hostname: string, port?: number): string {
  const isUsual = port === undefined || port === (proto === 'https' ? 443 : 80);
  return `${proto}://${hostname}${isUsual ? '' : `:${port}`}`;
}

/** Other upgrades (`h2c`, which curl offers) may be ignored by HTTP's own rules: such a request is served as it is. */
function isWebSocket(req: IncomingMessage): boolean {
  const { headers } = req;
  return (
    req.method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  );
}
