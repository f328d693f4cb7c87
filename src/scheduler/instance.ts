/** One instance as the scheduler holds it: where it is reached, and its engine calls one after the other. */
import type { InstanceId } from '../core/model.ts';

/** Where the time of the last start went, in ms. */
export interface StartTimes {
  /** Until the app's own process ran. */
  readonly bootMs: number;
  /** From then until its port was found. */
  readonly portMs: number;
}

export class Instance {
  readonly id: InstanceId;
  host: string | undefined;
  port: number | undefined;
  times: StartTimes = { bootMs: 0, portMs: 0 };
  readonly #lost = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: InstanceId) {
    this.id = id;
  }

  /** Aborts when every request on this instance has to end. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.#lost.abort();
  }

  /** Runs an engine call after those that were asked for before, whether they succeeded or not. */
  inOrder<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call, call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
