/** WebSockets: the handshake goes through the same leases and attempts as any request, then the two sockets are spliced. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { responseHeaders } from './headers.ts';
import type { Http2Request } from './http2-request.ts';
import type { Http2Response } from './http2-response.ts';
import type { RouterContext } from './context.ts';
import { type ExchangeOptions, proxy, type Switched } from './proxy.ts';
import { type Side, Splice } from './splice.ts';

/** A client's socket that has left HTTP, with the bytes that came behind its request. */
export interface UpgradedClient {
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * A response object for a request that came as an upgrade: error pages and refusals of the app go through it like any
 * answer, then the connection is closed.
 */
export function responseFor(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.once('finish', () => socket.destroySoon());
  return res;
}

/** Serves a WebSocket from handshake to the closing of both sides; the lease is held as long. Never rejects. */
export async function proxyUpgrade(
  options: Omit<ExchangeOptions, 'onSwitch' | 'res'> & { readonly res: ServerResponse },
  client: UpgradedClient,
): Promise<void> {
  const { context, request, req, res, served } = options;
  const { socket } = client;
  // Node has let go of the socket: a client that leaves while it waits is seen only here.
  const onLeft = () => socket.destroy();
  socket.once('end', onLeft);
  await proxy({
    ...options,
    onSwitch: (message, received, upstream, head, onBusy) => {
      socket.removeListener('end', onLeft);
      res.detachSocket(socket);
      served.status = 101;
      const { headers, busy } = responseHeaders(received, false);
      onBusy(busy);
      headers.push('connection', 'Upgrade', 'upgrade', req.headers.upgrade ?? '');
      served.addHeaders(headers, request.id);
      socket.write(switchingHead(message, headers), 'latin1');
      const before = { read: socket.bytesRead, written: socket.bytesWritten };
      return splice(context, client, { socket: upstream, head }, () => {
        served.bytesIn = socket.bytesRead - before.read + client.head.length;
        served.bytesOut = socket.bytesWritten - before.written;
      });
    },
  });
}

/** The same for a stream of HTTP/2 (RFC 8441): to the app it is an upgrade of HTTP/1.1 like any other. */
export async function proxyConnect(
  options: Omit<ExchangeOptions, 'onSwitch' | 'req' | 'res'> & {
    readonly req: Http2Request;
    readonly res: Http2Response;
  },
): Promise<void> {
  const { context, request, req, res, served } = options;
  const { stream } = req;
  await proxy({
    ...options,
    onSwitch: (_message, received, upstream, head, onBusy) => {
      // What was sent as the answer to a request; that it is a WebSocket, the record says as ever.
      served.status = 101;
      const { headers, busy } = responseHeaders(received, false);
      onBusy(busy);
      served.addHeaders(headers, request.id);
      res.accept(headers);
      const client: Side = { socket: stream, head: NOTHING };
      const app: Side = { socket: upstream, head };
      const before = { read: upstream.bytesRead, written: upstream.bytesWritten };
      return splice(context, client, app, () => {
        served.bytesIn = upstream.bytesWritten - before.written;
        served.bytesOut = upstream.bytesRead - before.read + head.length;
      });
    },
  });
}

const NOTHING = Buffer.alloc(0);

function splice(context: RouterContext, client: Side, app: Side, onClosed: () => void): Switched {
  const { deadlines, limits, splices } = context;
  const { halfClosedMs, goodbyeMs } = limits;
  const joined = new Splice({ client, app, deadlines, halfClosedMs, goodbyeMs });
  splices.add(joined);
  void joined.closed.then(() => {
    splices.delete(joined);
    onClosed();
  });
  return joined;
}

function switchingHead(message: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 ${message || 'Switching Protocols'}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
