/** One HTTP request to an instance, to see whether it is well. */
export interface Probe {
  /** Status of `GET path`; undefined when no answer came before `signal` aborted or the connection failed. */
  status(
    host: string,
    port: number,
    path: string,
    signal: AbortSignal,
  ): Promise<number | undefined>;
}
