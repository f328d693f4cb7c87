/**
 * Proof that an app has read nothing of a request, from what the kernel says of the connection on the app's side.
 *
 * | the row of the connection, while the app stands still | the request is |
 * |-------------------------------------------------------|----------------|
 * | nothing of it was sent yet                            | unread         |
 * | waits to be accepted (its socket has no owner)        | unread         |
 * | as many bytes wait unread as were sent of it, or more | unread         |
 * | fewer wait: the app took some, or they are on the way | perhaps read   |
 * | there is none, or more than one                       | perhaps read   |
 *
 * Bytes are read in the order in which they were sent, so the last n unread ones are the last n sent: what an earlier
 * request on the same connection left unread makes more of them, never fewer.
 */

/** A connection that stands, seen from the app's end. Half-closed ones are not among these: their end counts as a byte. */
export interface PeerConnection {
  /** Address and port of the other end. */
  readonly peerHost: string;
  readonly peerPort: number;
  /** The app has taken it from the queue of its listening socket. */
  readonly isAccepted: boolean;
  /** Bytes that have arrived and that the app has not taken. */
  readonly unreadBytes: number;
}

/** What was sent of one request that has no answer yet, and from which end of which connection. */
export interface Sent {
  readonly localHost: string;
  readonly localPort: number;
  /** Of this request alone; bytes still on their way out are counted too. */
  readonly bytes: number;
}

/** Of a request that is still on its way to a connection. */
export const NOTHING_SENT: Sent = { localHost: '', localPort: 0, bytes: 0 };

/** True when it is proven; `undefined` is something that nobody can tell, or an answer that has begun. */
export function isUnread(sent: Sent | undefined, connections: readonly PeerConnection[]): boolean {
  if (sent === undefined) return false;
  if (sent.bytes === 0) return true;
  const [connection, another] = connections.filter(
    ({ peerHost, peerPort }) => peerPort === sent.localPort && peerHost === sent.localHost,
  );
  if (connection === undefined || another !== undefined) return false;
  return !connection.isAccepted || connection.unreadBytes >= sent.bytes;
}
