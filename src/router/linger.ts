/**
 * Reads on after the answer, so that a client that is still sending comes to read it: a connection closed on unread
 * bytes is reset by TCP, and the reset takes the answer away.
 */
import type { RequestBody } from './body.ts';
import type { RouterContext } from './context.ts';
import type { InboundRequest, InboundResponse } from './inbound.ts';

/** Throws away the rest of the request, for at most `limits.lingerMs`; then ends an answer that was left open. */
export function linger(
  context: RouterContext,
  req: InboundRequest,
  res: InboundResponse,
  body: RequestBody,
): void {
  const tooLong = context.deadlines.add(context.limits.lingerMs, () => req.socket.destroy());
  res.on('close', () => context.deadlines.cancel(tooLong));
  body.discard(() => {
    context.deadlines.cancel(tooLong);
    if (!res.writableEnded) res.end();
  });
}
