/** Clients that keep their connections: each sends one request after the other on the same one. */
import { Agent } from 'node:http';
import type { Router } from '../src/router/router.ts';
import { type Activity, type MemorySocket, socketPair } from './network.ts';

/** One client, at one router: when that is gone, so is it. */
export class KeptConnection extends Agent {
  readonly #router: Router;
  readonly #activity: Activity;
  readonly #routerEnds = new Set<MemorySocket>();
  /** Connections that were made in turn, as one broke or was closed. */
  opened = 0;

  constructor(router: Router, activity: Activity) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#router = router;
    this.#activity = activity;
  }

  override createConnection(): MemorySocket {
    const [near, far] = socketPair(this.#activity);
    this.opened += 1;
    this.#routerEnds.add(far);
    far.once('close', () => this.#routerEnds.delete(far));
    this.#router.server.emit('connection', far);
    return near;
  }

  /** Berth is killed: the kernel closes its side. */
  cutOff(): void {
    for (const socket of this.#routerEnds) socket.cut('reset');
    this.destroy();
  }
}
