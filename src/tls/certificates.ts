/** Which certificate serves a hostname: one's own, one of an ACME server, or one of the local authority. */
import type { SecureContext } from 'node:tls';
import {
  certificateName,
  type CertificateSource,
  chooseCertificate,
  type KeptCertificate,
  namesServing,
  nameToSign,
  validityState,
  whyNotPublic,
} from '../core/certificate.ts';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Acme } from './acme.ts';
import type { Authority, AuthorityFacts } from './authority.ts';
import { createLocalCertificates, type LocalCertificates, type Served } from './local.ts';
import { checkPair, contextOf, type Leaf, type Pair, readLeaf } from './pair.ts';
import { openShelf, type Shelf } from './shelf.ts';

/** A certificate as it is shown: everything but its key. `leaf` is absent while there is none. */
export interface CertificateView {
  /** What it is kept for: a hostname or a wildcard. */
  readonly hostname: string;
  readonly source: CertificateSource;
  readonly state: 'valid' | 'expired' | 'notYetValid' | 'pending' | 'failed';
  readonly leaf?: Leaf;
  /** What is being done about it, or why there is none. */
  readonly because?: string;
}

export interface CertificatesOptions {
  /** Where one's own pairs are kept. */
  readonly folder: string;
  /** Of deployments; clients that name no host get a certificate for it. */
  readonly domain: string;
  /** Whether a hostname leads to something here: the local authority signs for no other. */
  readonly isServed: (hostname: string) => boolean;
  readonly authority: Authority;
  readonly acme?: Acme;
  readonly clock: Clock;
  readonly random: Random;
  readonly reporter: Reporter;
}

export interface Certificates {
  /** For a handshake that names `hostname`; without a name, or for one that leads nowhere, the default one. */
  secureContextFor(hostname: string | undefined): Promise<SecureContext>;
  /** For handshakes that name no host: `berth.<domain>`, `<domain>`, `localhost` and loopback addresses. */
  defaultPair(): Promise<Pair>;
  /** All that are known, by hostname. */
  list(): readonly CertificateView[];
  /** The one that serves a hostname, or would at its next visit. Throws CERTIFICATE_NOT_FOUND, INVALID_INPUT. */
  find(hostname: string): CertificateView;
  /** Keeps one's own pair for a hostname or a wildcard; handshakes use it from now on. Throws CERTIFICATE_INVALID, INVALID_INPUT. */
  put(hostname: string, pair: Pair): Promise<CertificateView>;
  /** Removes one's own for exactly that name, else the automatic one. Throws CERTIFICATE_NOT_FOUND, INVALID_INPUT. */
  remove(hostname: string): Promise<void>;
  /** The local authority; made if need be. */
  authority(): Promise<AuthorityFacts>;
}

interface Own extends KeptCertificate {
  readonly pair: Pair;
  readonly leaf: Leaf;
}

/**
 * A first visitor waits so long for an automatic certificate before getting one that no browser knows. Clients give up
 * a handshake after 10 s and more.
 */
const PATIENCE_MS = 15_000;
/** Visitors who wait at once; more get the local certificate at once. */
const MOST_WAITING = 256;
const LOOPBACK = ['127.0.0.1', '::1'];

/** Reads what is kept; what cannot be used is reported and passed over. Throws DATA_FOLDER. */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const shelf = await openShelf(options.folder, options.random);
  const book = new CertificateBook(options, shelf);
  await book.load();
  return book;
}

class CertificateBook implements Certificates {
  readonly #options: CertificatesOptions;
  readonly #shelf: Shelf;
  readonly #own = new Map<string, Own>();
  readonly #local: LocalCertificates;
  readonly #contexts = new WeakMap<Pair, SecureContext>();
  #waiting = 0;

  constructor(options: CertificatesOptions, shelf: Shelf) {
    this.#options = options;
    this.#shelf = shelf;
    this.#local = createLocalCertificates(options.authority, options.clock, options.reporter);
  }

  async load(): Promise<void> {
    const { reporter } = this.#options;
    for (const hostname of await this.#shelf.names()) {
      const pair = await this.#shelf.read(hostname);
      if (!pair) continue;
      try {
        // One that expired since is kept, to be shown as what it is.
        const leaf = readLeaf(pair.certificate);
        checkPair(hostname, pair, leaf.notBefore);
        this.#keep(hostname, pair, leaf);
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error);
        reporter.report('warn', 'certificate.unusable', { hostname, because });
      }
    }
  }

  async secureContextFor(hostname: string | undefined): Promise<SecureContext> {
    const name = hostname === undefined ? undefined : certificateName(hostname);
    if (name === undefined) return this.#default();
    const chosen = this.#choose(name);
    if (chosen) {
      if (chosen.source === 'acme') void this.#options.acme?.ensure(name);
      return this.#contextOf(chosen.pair);
    }
    if (!this.#options.isServed(name)) return this.#default();
    const obtained = await this.#ask(name);
    if (obtained) return this.#contextOf(obtained.pair);
    const { domain } = this.#options;
    const local = await this.#local.get(nameToSign(name, domain));
    return local?.context ?? this.#default();
  }

  async defaultPair(): Promise<Pair> {
    return (await this.#defaultServed()).pair;
  }

  list(): readonly CertificateView[] {
    const { acme } = this.#options;
    const views: CertificateView[] = [...this.#own.values()].map((own) => this.#view(own));
    for (const kept of this.#acmeCertificates()) views.push(this.#view(kept));
    for (const { hostname, state, because } of acme?.attempts() ?? []) {
      // While one is renewed, the one there is says so.
      const index = views.findIndex((view) => view.hostname === hostname && view.source === 'acme');
      const known = views[index];
      if (known) views[index] = { ...known, because };
      else views.push({ hostname, source: 'acme', state, because });
    }
    for (const [name, { leaf }] of this.#local.kept()) {
      views.push(this.#view({ name, source: 'local', leaf, ...validityOf(leaf) }));
    }
    return views.sort(
      (a, b) => a.hostname.localeCompare(b.hostname) || a.source.localeCompare(b.source),
    );
  }

  find(hostname: string): CertificateView {
    const name = nameOf(hostname);
    const own = this.#own.get(name);
    const chosen = this.#choose(name) ?? own;
    if (chosen) return this.#view(chosen);
    const attempt = this.#options.acme?.attempts().find((one) => one.hostname === name);
    if (attempt) return { ...attempt, source: 'acme' };
    const signed = nameToSign(name, this.#options.domain);
    const local = this.#local.kept().get(signed);
    if (local) {
      const { leaf } = local;
      return this.#view({ name: signed, source: 'local', leaf, ...validityOf(leaf) });
    }
    throw notFound(name);
  }

  async put(hostname: string, pair: Pair): Promise<CertificateView> {
    const name = nameOf(hostname);
    const leaf = checkPair(name, pair, this.#options.clock.now());
    await this.#shelf.write(name, pair);
    const own = this.#keep(name, pair, leaf);
    const { issuer, notAfter } = leaf;
    this.#options.reporter.report('info', 'certificate.added', {
      hostname: name,
      issuer,
      notAfter,
    });
    return this.#view(own);
  }

  async remove(hostname: string): Promise<void> {
    const name = nameOf(hostname);
    if (this.#own.delete(name)) await this.#shelf.remove(name);
    else if (!(await this.#options.acme?.remove(name))) throw notFound(name);
    this.#options.reporter.report('info', 'certificate.removed', { hostname: name });
  }

  authority(): Promise<AuthorityFacts> {
    return this.#options.authority.facts();
  }

  #keep(name: string, pair: Pair, leaf: Leaf): Own {
    const own: Own = { name, source: 'own', pair, leaf, ...validityOf(leaf) };
    this.#own.set(name, own);
    return own;
  }

  #choose(name: string): Own | undefined {
    const kept: Own[] = [];
    for (const serving of namesServing(name)) {
      const own = this.#own.get(serving);
      if (own) kept.push(own);
    }
    const automatic = this.#options.acme?.certificate(name);
    if (automatic) {
      kept.push({ name, source: 'acme', ...automatic, ...validityOf(automatic.leaf) });
    }
    return chooseCertificate(name, kept, this.#options.clock.now());
  }

  *#acmeCertificates(): Generator<Own> {
    for (const [name, { pair, leaf }] of this.#options.acme?.certificates() ?? []) {
      yield { name, source: 'acme', pair, leaf, ...validityOf(leaf) };
    }
  }

  /** An automatic certificate, waited for a while if one is being asked for. */
  async #ask(name: string): Promise<Own | undefined> {
    const { acme, clock } = this.#options;
    if (!acme || whyNotPublic(name) !== undefined) return undefined;
    const asked = acme.ensure(name);
    if (this.#waiting >= MOST_WAITING) return undefined;
    this.#waiting += 1;
    const enough = new AbortController();
    try {
      await Promise.race([asked, clock.sleep(PATIENCE_MS, enough.signal)]);
    } finally {
      this.#waiting -= 1;
      enough.abort();
    }
    return this.#choose(name);
  }

  #contextOf(pair: Pair): SecureContext {
    const known = this.#contexts.get(pair);
    if (known) return known;
    const context = contextOf(pair);
    this.#contexts.set(pair, context);
    return context;
  }

  async #default(): Promise<SecureContext> {
    return (await this.#defaultServed()).context;
  }

  async #defaultServed(): Promise<Served> {
    const { domain } = this.#options;
    const names = new Set(['localhost', domain, ...(domain.includes('.') ? [`*.${domain}`] : [])]);
    const served = await this.#local.get(`berth.${domain}`, {
      names: [...names],
      addresses: LOOPBACK,
    });
    if (served) return served;
    throw new BerthError('INTERNAL', { detail: 'Too many certificates are being made.' });
  }

  #view({ name, source, leaf }: KeptCertificate & { readonly leaf: Leaf }): CertificateView {
    const state = validityState(leaf, this.#options.clock.now());
    return { hostname: name, source, state, leaf };
  }
}

function validityOf({ notBefore, notAfter }: Leaf) {
  return { notBefore, notAfter };
}

function nameOf(hostname: string): string {
  const name = certificateName(hostname);
  if (name !== undefined) return name;
  throw new BerthError('INVALID_INPUT', {
    detail: `${hostname} is neither a hostname nor a wildcard such as *.example.com.`,
  });
}

function notFound(name: string): BerthError {
  return new BerthError('CERTIFICATE_NOT_FOUND', { detail: `No certificate is kept for ${name}.` });
}
