/** Proofs that an ACME server asks for while it looks whether a hostname leads here: a token, or a certificate that says so. */
import type { SecureContext } from 'node:tls';
import { contextOf, type Pair } from './pair.ts';

/** One proof for one hostname. */
export type Challenge =
  | {
      readonly kind: 'http-01';
      readonly hostname: string;
      readonly token: string;
      readonly answer: string;
    }
  | { readonly kind: 'tls-alpn-01'; readonly hostname: string; readonly pair: Pair };

export type ChallengeKind = Challenge['kind'];

/** Where a token is asked for (RFC 8555 8.3). */
const TOKEN_PATH = '/.well-known/acme-challenge/';

/** The proofs that are asked for now. */
export class Challenges {
  readonly #answers = new Map<string, string>();
  readonly #contexts = new Map<string, SecureContext>();

  /** True while a handshake may ask for a proof. */
  get isExpectingHandshake(): boolean {
    return this.#contexts.size > 0;
  }

  present(challenge: Challenge): void {
    if (challenge.kind === 'tls-alpn-01') {
      this.#contexts.set(challenge.hostname, contextOf(challenge.pair));
    } else this.#answers.set(keyOf(challenge.hostname, challenge.token), challenge.answer);
  }

  withdraw(challenge: Challenge): void {
    if (challenge.kind === 'tls-alpn-01') this.#contexts.delete(challenge.hostname);
    else this.#answers.delete(keyOf(challenge.hostname, challenge.token));
  }

  /**
   * The answer to a plain request for `path` (with or without a query) at `host` (lower case, without port), or undefined
   * when it asks for no proof of ours: then it may be meant for an app that gets its own certificates.
   */
  challengeAnswer(host: string, path: string): string | undefined {
    if (this.#answers.size === 0 || !path.startsWith(TOKEN_PATH)) return undefined;
    const token = path.slice(TOKEN_PATH.length).split('?', 1)[0] ?? '';
    return this.#answers.get(keyOf(host, token));
  }

  /** The certificate for a handshake that asks for `acme-tls/1`. */
  contextFor(hostname: string): SecureContext | undefined {
    return this.#contexts.get(hostname.toLowerCase());
  }
}

function keyOf(hostname: string, token: string): string {
  return `${hostname} ${token}`;
}
