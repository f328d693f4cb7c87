/** All of time: nothing else in Berth reads a clock or sets a timer. */
export interface Clock {
  /** ms since the epoch, with fractions; never goes backwards within a process. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts: look at the signal afterwards. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
