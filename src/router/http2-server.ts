/** HTTP/2 on connections that others have accepted, and the bounds of each: what a hostile client may cost. */
import {
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { Http2Request } from './http2-request.ts';
import { Http2Response } from './http2-response.ts';
import type { RouterLimits } from './limits.ts';

/** Hears of each request. */
export type OnStream = (req: Http2Request, res: Http2Response) => void;

export interface Http2Options {
  readonly limits: RouterLimits;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly onStream: OnStream;
  /** For a WebSocket's handshake: 16 bytes as base64. */
  readonly newKey: () => string;
}

/** Never listens: it is given plain and decrypted sockets alike. */
export class Http2Speaker {
  readonly #server: Http2Server;
  readonly #options: Http2Options;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  /** Of the session that is being made. */
  #socket: Socket | undefined;
  #isClosing = false;

  constructor(options: Http2Options) {
    this.#options = options;
    this.#server = createServer(settingsFor(options.limits));
    this.#server.on('session', (session) => this.#onSession(session));
    this.#server.on('stream', (stream, headers, _flags, raw) => {
      // Its own end is seen by 'close'.
      stream.once('aborted', () => endAborted(stream));
      const req = new Http2Request(stream, headers, raw, options.newKey);
      options.onStream(req, new Http2Response(stream, req.method));
    });
    // A session that fails closes, and its streams with it.
    this.#server.on('sessionError', () => {});
  }

  take(socket: Socket): void {
    // Listeners of HTTP/1.1 leave half of a connection open. Here that half would stay for ever, with its requests' leases.
    socket.once('end', () => socket.destroy());
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#socket = socket;
    this.#server.emit('connection', socket);
    this.#socket = undefined;
  }

  /** Tells clients to come elsewhere next time; sessions end with their last stream. */
  close(): void {
    this.#isClosing = true;
    for (const session of this.#sessions) session.close();
  }

  closeConnections(): void {
    for (const session of this.#sessions) session.destroy();
    // Node waits for the client's own end where it was told to come elsewhere; some never say it.
    for (const socket of this.#sockets) socket.destroy();
  }

  #onSession(session: ServerHttp2Session): void {
    const { limits, deadlines } = this.#options;
    this.#sessions.add(session);
    const socket = this.#socket;
    let open = 0;
    const leave = () => {
      session.close();
      // A head that never ends keeps a session from closing by itself.
      session.destroy();
      socket?.destroySoon();
    };
    let rest: Deadline | undefined = deadlines.add(limits.headersTimeoutMs, leave);
    session.on('stream', (stream: ServerHttp2Stream) => {
      open += 1;
      if (rest !== undefined) deadlines.cancel(rest);
      rest = undefined;
      stream.once('close', () => {
        open -= 1;
        // By the clock and not by the silence: bytes that never become a request do not keep a connection.
        if (open === 0 && !session.destroyed) {
          rest = deadlines.add(limits.keepAliveTimeoutMs, leave);
        }
      });
    });
    const calm = this.#countControl(session);
    session.on('ping', calm);
    session.on('remoteSettings', calm);
    session.once('close', () => {
      this.#sessions.delete(session);
      if (rest !== undefined) deadlines.cancel(rest);
    });
    if (this.#isClosing) session.close();
  }

  /** Frames that ask for an answer and carry no request: Node acknowledges every one. */
  #countControl(session: ServerHttp2Session): () => void {
    const { limits, clock } = this.#options;
    let since = clock.now();
    let count = 0;
    return () => {
      const now = clock.now();
      if (now - since > 10_000) {
        since = now;
        count = 0;
      }
      count += 1;
      if (count > limits.http2ControlFrames && !session.destroyed) {
        session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
    };
  }
}

/**
 * A stream that its client closed without an error stays open in Node until all that came has been read, and that may be
 * never where reading is paused. Not at once: one that the router itself closes has its reason still to send.
 */
function endAborted(stream: ServerHttp2Stream): void {
  process.nextTick(() => stream.destroy());
}

function settingsFor(limits: RouterLimits): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.http2Streams,
      maxHeaderListSize: limits.headerBytes,
      enableConnectProtocol: true,
    },
    maxHeaderListPairs: limits.headerCount + PSEUDO_HEADERS,
    // Above what a client may do by mistake, far below what hurts: CVE-2023-44487 and its kin.
    streamResetBurst: limits.http2Resets,
    streamResetRate: Math.ceil(limits.http2Resets / 10),
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSettings: 32,
    // Apps may send a header twice that HTTP wants once; that is between them and their clients.
    strictSingleValueFields: false,
  };
}

/** `:method`, `:scheme`, `:authority`, `:path` and `:protocol` count as headers there. */
const PSEUDO_HEADERS = 5;
