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
import { codeOf } from './attempt.ts';
import { ControlFrames } from './control-frames.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { Http2Request } from './http2-request.ts';
import { Http2Response } from './http2-response.ts';
import type { RouterLimits } from './limits.ts';
import { Overhead } from './overhead.ts';

/**
 * Why a connection was ended: too many pings and settings, too much beside its requests, or what Node itself bounds or
 * refuses (resets, continuations, frames that break the rules).
 */
export type Http2Abuse = 'control' | 'overhead' | 'protocol';

/** Hears of each request. */
export type OnStream = (req: Http2Request, res: Http2Response) => void;

export interface Http2Options {
  readonly limits: RouterLimits;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly onStream: OnStream;
  /** For a WebSocket's handshake: 16 bytes as base64. */
  readonly newKey: () => string;
  /** Hears of each connection that was ended for what its client sent, and from where that came. */
  readonly onAbuse: (abuse: Http2Abuse, client: string) => void;
}

/** How often what came is held against what it is for, in ms. */
const LOOK_MS = 500;
/** Of Node: what nghttp2 refused, and too many of such. */
const PROTOCOL_ERRORS: readonly string[] = ['ERR_HTTP2_ERROR', 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES'];
/** Bytes of what Node answers. */
const PONG_BYTES = 17;
const SETTINGS_ACK_BYTES = 9;

/** Never listens: it is given plain and decrypted sockets alike. */
export class Http2Speaker {
  readonly #server: Http2Server;
  readonly #options: Http2Options;
  /** With what looks at what came. */
  readonly #sessions = new Map<ServerHttp2Session, (now: number) => void>();
  readonly #sockets = new Set<Socket>();
  /** Of the session that is being made. */
  #socket: Socket | undefined;
  #isLooking = false;
  #isClosing = false;

  constructor(options: Http2Options) {
    this.#options = options;
    this.#server = createServer(settingsFor(options.limits));
    this.#server.on('session', (session) => {
      if (this.#socket !== undefined) this.#onSession(session, this.#socket);
    });
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
    for (const session of this.#sessions.keys()) session.close();
  }

  closeConnections(): void {
    for (const session of this.#sessions.keys()) session.destroy();
    // Node waits for the client's own end where it was told to come elsewhere; some never say it.
    for (const socket of this.#sockets) socket.destroy();
  }

  #onSession(session: ServerHttp2Session, socket: Socket): void {
    const { clock, limits, deadlines, onAbuse } = this.#options;
    const client = socket.remoteAddress ?? '';
    let open = 0;
    const leave = () => {
      session.close();
      // A head that never ends keeps a session from closing by itself.
      session.destroy();
      socket.destroySoon();
    };
    const calm = (abuse: Http2Abuse) => {
      if (session.destroyed) return;
      onAbuse(abuse, client);
      // Without an error, Node says that nothing was wrong.
      session.destroy(new Error(`too much: ${abuse}`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
      socket.destroySoon();
    };
    const overhead = new Overhead(socket, limits.http2OverheadBytes, clock.now());
    this.#sessions.set(session, (now) => {
      if (!overhead.isBearable(now)) calm('overhead');
    });
    if (!this.#isLooking) this.#look();
    let rest: Deadline | undefined = deadlines.add(limits.headersTimeoutMs, leave);
    session.on('stream', (stream: ServerHttp2Stream, _headers, _flags, raw: readonly string[]) => {
      overhead.explain(stream, raw);
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
    const control = new ControlFrames(socket, limits.http2ControlFrames, clock);
    const count = (answerBytes: number) => {
      if (!control.admits(answerBytes)) calm('control');
    };
    session.on('ping', () => count(PONG_BYTES));
    session.on('remoteSettings', () => count(SETTINGS_ACK_BYTES));
    session.on('error', (error) => {
      if (PROTOCOL_ERRORS.includes(codeOf(error))) onAbuse('protocol', client);
    });
    session.once('close', () => {
      this.#sessions.delete(session);
      if (rest !== undefined) deadlines.cancel(rest);
    });
    if (this.#isClosing) session.close();
  }

  /** One deadline for all: nothing tells when such bytes come. */
  #look(): void {
    this.#isLooking = this.#sessions.size > 0;
    if (!this.#isLooking) return;
    this.#options.deadlines.add(LOOK_MS, () => {
      const now = this.#options.clock.now();
      for (const look of this.#sessions.values()) look(now);
      this.#look();
    });
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
