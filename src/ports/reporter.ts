/** Where the parts say what they did: one record per event, for the log of `berth serve`. */
export interface Reporter {
  /** `event` is `noun.verb`, for example `instance.ready`; facts are plain values. */
  report(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    facts: Readonly<Record<string, unknown>>,
  ): void;
}
