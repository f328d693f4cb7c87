/**
 * Clients that are gone while nobody reads on in their upload, because it waits for an instance or for an app that does not
 * read: Node hears of the end of a connection only by reading it, and then the lease would stay to `limits.duration`.
 */
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { Bag, type BagMember } from '../core/bag.ts';
import type { Deadlines } from './deadlines.ts';
import type { Inlet } from './inbound.ts';

/** A client that is looked after. */
export interface Watched extends BagMember {
  readonly socket: Socket;
}

export class Absences {
  readonly #deadlines: Deadlines;
  readonly #everyMs: number;
  readonly #watched = new Bag<Watched>();
  #isLooking = false;

  constructor(deadlines: Deadlines, everyMs: number) {
    this.#deadlines = deadlines;
    this.#everyMs = everyMs;
  }

  /**
   * Destroys the client's connection when it was reset, or has not answered TCP's questions for long. A connection that was
   * closed in order is not seen as long as bytes before its end are unread. Undefined: a stream of HTTP/2, which needs none of
   * this, as its connection is always read.
   */
  watch(inlet: Inlet): Watched | undefined {
    if (!(inlet instanceof Socket)) return undefined;
    const watched = { socket: inlet, bagIndex: -1 };
    this.#watched.add(watched);
    if (!this.#isLooking) this.#look();
    return watched;
  }

  unwatch(watched: Watched): void {
    this.#watched.remove(watched);
  }

  #look(): void {
    this.#isLooking = this.#watched.size > 0;
    if (!this.#isLooking) return;
    this.#deadlines.add(this.#everyMs, () => {
      for (const { socket } of this.#watched.take(isGone)) socket.destroy();
      this.#look();
    });
  }
}

/** What Node has below a socket. Its public `remoteAddress` remembers its first answer. */
interface WithHandle {
  readonly _handle?: { getpeername?(answer: object): number } | null;
}

/** The kernel knows no other end any more: about a microsecond, nothing is read. */
function isGone({ socket }: Watched): boolean {
  const { _handle: handle } = socket as WithHandle;
  return handle?.getpeername?.({}) === -constants.errno.ENOTCONN;
}
