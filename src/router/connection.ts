/** A client of one connection at a time that tells its requests which socket they are on: undici itself keeps that secret. */
import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';

/** The one connection of a client, which may be made anew. */
export interface Connection {
  socket: Socket | undefined;
}

/** A handler that wants to know its connection. */
export interface ConnectionUser extends Dispatcher.DispatchHandler {
  connection: Connection | undefined;
}

/** For a pool's `factory`; every handler that is dispatched through such a pool is a `ConnectionUser`. */
export function tellingClient(origin: URL, options: Client.Options): Client {
  return new TellingClient(origin, options);
}

class TellingClient extends Client {
  readonly #connection: Connection;

  constructor(origin: URL, options: Client.Options) {
    const connection: Connection = { socket: undefined };
    const connect =
      typeof options.connect === 'function' ? options.connect : buildConnector(options.connect);
    super(origin, {
      ...options,
      connect: (to, callback) => {
        connect(to, (...result) => {
          connection.socket = result[1] ?? undefined;
          callback(...result);
        });
      },
    });
    this.#connection = connection;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: ConnectionUser): boolean {
    handler.connection = this.#connection;
    return super.dispatch(request, handler);
  }
}
