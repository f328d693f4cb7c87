/** One request to an instance, to see whether it is well. */
import type { AppProtocol } from '../core/model.ts';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Absent: HTTP/1.1. `h2c` by prior knowledge. */
  readonly protocol?: AppProtocol;
}

export interface Probe {
  /** Status of `GET path`; undefined when no answer came before `signal` aborted or the connection failed. */
  status(target: ProbeTarget, signal: AbortSignal): Promise<number | undefined>;
}
