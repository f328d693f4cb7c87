/** WebSockets: the handshake goes through the same leases and attempts as any request, then the two sockets are spliced. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Deadlines } from './deadlines.ts';
import { responseHeaders } from './headers.ts';
import type { Http2Request } from './http2-request.ts';
import type { Http2Response } from './http2-response.ts';
import { type ExchangeOptions, proxy } from './proxy.ts';

/** A client's socket that has left HTTP, with the bytes that came behind its request. */
export interface UpgradedClient {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** One end of a spliced connection. */
interface Side {
  readonly socket: Socket | ServerHttp2Stream;
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
    onSwitch: async (message, received, upstream, head, onBusy) => {
      socket.removeListener('end', onLeft);
      res.detachSocket(socket);
      served.status = 101;
      const { headers, busy } = responseHeaders(received, false);
      onBusy(busy);
      headers.push('connection', 'Upgrade', 'upgrade', req.headers.upgrade ?? '');
      served.addHeaders(headers, request.id);
      socket.write(switchingHead(message, headers), 'latin1');
      const before = { read: socket.bytesRead, written: socket.bytesWritten };
      await splice(
        client,
        { socket: upstream, head },
        context.deadlines,
        context.limits.halfClosedMs,
      );
      served.bytesIn = socket.bytesRead - before.read + client.head.length;
      served.bytesOut = socket.bytesWritten - before.written;
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
    onSwitch: async (_message, received, upstream, head, onBusy) => {
      // What was sent as the answer to a request; that it is a WebSocket, the record says as ever.
      served.status = 101;
      const { headers, busy } = responseHeaders(received, false);
      onBusy(busy);
      served.addHeaders(headers, request.id);
      res.accept(headers);
      const client: Side = { socket: stream, head: NOTHING };
      const app: Side = { socket: upstream, head };
      const before = { read: upstream.bytesRead, written: upstream.bytesWritten };
      await splice(client, app, context.deadlines, context.limits.halfClosedMs);
      served.bytesIn = upstream.bytesWritten - before.written;
      served.bytesOut = upstream.bytesRead - before.read + head.length;
    },
  });
}

const NOTHING = Buffer.alloc(0);

function switchingHead(message: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 ${message || 'Switching Protocols'}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/**
 * Passes bytes both ways, with backpressure and without reading them, until both sockets are closed. An end on one side
 * is passed on as an end; if the other side has not ended `halfClosedMs` later, both are closed. A side that fails takes
 * the other with it.
 */
async function splice(
  client: Side,
  upstream: Side,
  deadlines: Deadlines,
  halfClosedMs: number,
): Promise<void> {
  const sides = [client.socket, upstream.socket] as const;
  const tooLong = { deadline: undefined as ReturnType<Deadlines['add']> | undefined };
  const closed = sides.map(
    (side) =>
      new Promise<void>((resolve) => {
        if (side.destroyed) resolve();
        side.once('close', resolve);
      }),
  );
  const pass = (from: Side, to: Side) => {
    if (from.socket instanceof Socket) {
      from.socket.setNoDelay(true);
      from.socket.setTimeout(0);
    }
    from.socket.on('error', () => to.socket.destroy());
    from.socket.once('close', () => {
      if (to.socket instanceof Socket) to.socket.destroySoon();
      else endStream(to.socket);
    });
    from.socket.once('end', () => {
      tooLong.deadline ??= deadlines.add(halfClosedMs, () => {
        for (const side of sides) side.destroy();
      });
    });
    if (from.head.length > 0) to.socket.write(from.head);
    from.socket.pipe(to.socket);
  };
  pass(client, upstream);
  pass(upstream, client);
  if (client.socket.destroyed) upstream.socket.destroy();
  if (upstream.socket.destroyed) client.socket.destroy();
  await Promise.all(closed);
  if (tooLong.deadline !== undefined) deadlines.cancel(tooLong.deadline);
}

/** Both ways at once, as a socket that is destroyed; but what was written arrives before. */
function endStream(stream: ServerHttp2Stream): void {
  // Not `close`, which waits for what the client might still say, though nobody is there to hear it.
  stream.end(() => stream.destroy());
}
