/** One instance as the scheduler holds it: where it is reached, and its engine calls one after the other. */
import { Bag } from '../core/bag.ts';
import type { InstanceId } from '../core/model.ts';
import type { HeldLease } from './held-lease.ts';

/** Where the time of making a container went, in ms; created without being parked, where the engine cannot. */
export interface PrepareTimes {
  readonly createMs: number;
  readonly parkMs: number;
}

/** Where the time of the last start went, in ms. */
export interface StartTimes extends Partial<PrepareTimes> {
  /** Until the app's own process ran; what was made for this start is contained in it. */
  readonly bootMs: number;
  /** From then until its port was found. */
  readonly portMs: number;
}

export class Instance {
  readonly id: InstanceId;
  host: string | undefined;
  port: number | undefined;
  /** Until when the store knows it to be busy, ms since the epoch. */
  keptBusyUntil = 0;
  /** It said something about being busy that could not be read. */
  hasMisspoken = false;
  /** Of those who use it now. */
  readonly leases = new Bag<HeldLease>();
  times: StartTimes = { bootMs: 0, portMs: 0 };
  readonly #lost = new AbortController();
  #span = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: InstanceId) {
    this.id = id;
  }

  /** Aborts when every request on this instance has to end. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.endSpan();
    this.#lost.abort();
  }

  /** A signal for what watches over this span of running; the one before it is over. */
  beginSpan(): AbortSignal {
    this.endSpan();
    this.#span = new AbortController();
    return this.#span.signal;
  }

  endSpan(): void {
    this.#span.abort();
  }

  /** Runs an engine call after those that were asked for before, whether they succeeded or not. */
  inOrder<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call, call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
