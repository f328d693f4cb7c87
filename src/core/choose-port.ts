/** Which of an instance's listening ports requests go to. */
import { DEFAULT_PORT } from './limits.ts';

/** What is known about the app before it listens. */
export interface PortHints {
  /** From the configuration: nothing else is accepted. */
  readonly configured?: number;
  /** Found when the deployment was verified, if that port is one the app always uses. */
  readonly learned?: number;
  /** Named by EXPOSE. */
  readonly exposed: readonly number[];
}

export interface Listening {
  readonly port: number;
  readonly loopbackOnly: boolean;
}

export type PortChoice =
  | { readonly kind: 'found'; readonly port: number }
  /** A port listens, but a better one is expected: look again until `patienceMs` after the first sight. */
  | { readonly kind: 'expecting'; readonly port: number }
  | { readonly kind: 'loopbackOnly'; readonly ports: readonly number[] }
  | { readonly kind: 'none' };

/** How long another port than the expected one is held back, in ms. */
export const PORT_PATIENCE_MS = 1_000;

/**
 * | listening                        | choice                                        |
 * |----------------------------------|-----------------------------------------------|
 * | the configured or learned port   | that one                                      |
 * | 8080 (what PORT says)            | that one                                      |
 * | a port named by EXPOSE           | that one                                      |
 * | others, another one is expected  | expecting: the lowest, if nothing better comes |
 * | others                           | the lowest                                    |
 * | on loopback only                 | loopbackOnly                                  |
 *
 * With a configured port, the others never count.
 */
export function choosePort(listening: readonly Listening[], hints: PortHints): PortChoice {
  const reachable = listening.filter((entry) => !entry.loopbackOnly).map((entry) => entry.port);
  const has = (port: number | undefined): port is number =>
    port !== undefined && reachable.includes(port);
  if (hints.configured !== undefined) {
    if (has(hints.configured)) return { kind: 'found', port: hints.configured };
    if (listening.some((entry) => entry.loopbackOnly && entry.port === hints.configured)) {
      return { kind: 'loopbackOnly', ports: [hints.configured] };
    }
    return { kind: 'none' };
  }
  if (has(hints.learned)) return { kind: 'found', port: hints.learned };
  if (has(DEFAULT_PORT)) return { kind: 'found', port: DEFAULT_PORT };
  const exposed = hints.exposed.find(has);
  if (exposed !== undefined) return { kind: 'found', port: exposed };
  if (reachable.length > 0) {
    const port = Math.min(...reachable);
    return { kind: hints.learned === undefined ? 'found' : 'expecting', port };
  }
  if (listening.length > 0) {
    return {
      kind: 'loopbackOnly',
      ports: listening.map((entry) => entry.port).sort((a, b) => a - b),
    };
  }
  return { kind: 'none' };
}
