/** Where the server listens, and the URLs that follow from it. */
import { portSuffix } from '../system/listen.ts';

export class Addresses {
  readonly #domain: string;
  /** Plain requests for deployments are sent on to https. */
  readonly #redirects: boolean;
  /** `host:port`, as wanted until it is bound. */
  plain: string;
  /** The same of TLS; undefined until it is bound. */
  tls: string | undefined;

  constructor(domain: string, plain: string, redirects: boolean) {
    this.#domain = domain;
    this.#redirects = redirects;
    this.plain = plain;
  }

  /** Of the platform's own pages. */
  platformUrl(): string {
    if (this.#domain === 'localhost') return `http://127.0.0.1${portSuffix(this.plain)}`;
    const host = `berth.${this.#domain}`;
    if (this.tls !== undefined) return `https://${host}${portSuffix(this.tls, 443)}`;
    return `http://${host}${portSuffix(this.plain)}`;
  }

  urlOf(host: string): string {
    return this.tls !== undefined && this.#redirects
      ? `https://${host}${portSuffix(this.tls, 443)}`
      : `http://${host}${portSuffix(this.plain)}`;
  }
}
