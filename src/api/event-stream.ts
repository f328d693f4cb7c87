/** Server-sent events: one stream to one client, alive as long as the client is. */
import type { FastifyReply } from 'fastify';
import type { Clock } from '../ports/clock.ts';

/** Proxies and clients take a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** A client that leaves more than this unread is let go; it may come back and resume. In bytes. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** How soon a client should come back, in ms. */
const RETRY_MS = 1_000;

export interface EventStream {
  /** Aborts when the client left or the stream ended. */
  readonly signal: AbortSignal;
  /** `id` is what a client that comes back names in `Last-Event-ID`. */
  send(event: string, data: unknown, id?: string): void;
  end(): void;
}

/** Takes the answer over from Fastify and begins the stream; its signal aborts when `closing` does, too, or the token ends. */
export function openEventStream(
  reply: FastifyReply,
  clock: Clock,
  closing: AbortSignal,
): EventStream {
  reply.hijack();
  const { raw } = reply;
  const gone = new AbortController();
  const stop = () => gone.abort();
  const notRevoked = reply.request.untilRevoked?.(() => {
    gone.abort();
    // Nothing more for a token that is good no longer, not even what was on its way.
    raw.destroy();
  });
  closing.addEventListener('abort', stop, { once: true });
  if (closing.aborted) stop();
  raw.on('close', () => {
    closing.removeEventListener('abort', stop);
    notRevoked?.();
    gone.abort();
  });
  raw.on('error', () => gone.abort());
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  void beat();

  async function beat(): Promise<void> {
    for (;;) {
      await clock.sleep(HEARTBEAT_MS, gone.signal);
      if (gone.signal.aborted) return;
      raw.write(': still here\n\n');
    }
  }

  return {
    signal: gone.signal,
    send(event, data, id) {
      if (gone.signal.aborted) return;
      const idLine = id === undefined ? '' : `id: ${id}\n`;
      raw.write(`event: ${event}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
      if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy();
    },
    end() {
      gone.abort();
      raw.end();
    },
  };
}
