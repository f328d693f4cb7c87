/** Automatic certificates: asked of an ACME server when a hostname is first visited, renewed in time, patient after failures. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { acmeBackoffMs, renewAt, whyNotPublic } from '../core/certificate.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { ChallengeKind } from './challenges.ts';
import { checkPair, type Leaf, type Pair } from './pair.ts';
import { openShelf, type Shelf } from './shelf.ts';
import type { Workshop } from './workshop.ts';

/** Orders under way at once: an authority takes a few seconds each, and bounds how many it takes. */
const MOST_AT_ONCE = 2;
/** Certificates may be kept and expire without our knowing: look again at least so often. Timers end at 24 days anyway. */
const LOOK_EVERY_MS = 12 * 3_600_000;
/** Never renewed sooner after it was got: an authority whose clock is far from ours would be asked without end. */
const LEAST_LIFE_MS = 3_600_000;
const ACCOUNT = 'account';

export interface AcmeOptions {
  /** Folder for account keys and certificates; each directory has its own below. */
  readonly folder: string;
  /** Where the authority hears about an account's certificates. Giving it agrees to the authority's terms. */
  readonly email: string;
  /** URL of the ACME directory; absent means Let's Encrypt's. */
  readonly directory?: string;
  /** PEM of who vouches for the directory's own address, for an authority of one's own. */
  readonly trusted?: string;
  /** Proofs that can be shown here, tried in turn. */
  readonly proofs: readonly ChallengeKind[];
  /** Whether a hostname leads to something here: only for those a certificate is asked. */
  readonly isServed: (hostname: string) => boolean;
  readonly workshop: Pick<Workshop, 'make'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly reporter: Reporter;
}

export interface AcmeCertificate {
  readonly pair: Pair;
  readonly leaf: Leaf;
  /** When to ask for the next one, ms since the epoch. */
  readonly renewAt: number;
}

/** A hostname for which a certificate is being asked, or could not be had. */
export interface AcmeAttempt {
  readonly hostname: string;
  readonly state: 'pending' | 'failed';
  readonly because: string;
}

export interface Acme {
  /** Renews from now on. */
  start(): void;
  /** The latest certificate of a hostname. */
  certificate(hostname: string): AcmeCertificate | undefined;
  /** All of them, by hostname. */
  certificates(): ReadonlyMap<string, AcmeCertificate>;
  attempts(): readonly AcmeAttempt[];
  /**
   * Asks for a certificate unless there is one that need not be renewed yet, one is being asked for, or it is too early
   * after a failure. Resolves when this attempt has ended, well or not; at once when there is none. Never rejects.
   */
  ensure(hostname: string): Promise<void>;
  /** Forgets a certificate. False: there was none. The next visit asks for a new one. */
  remove(hostname: string): Promise<boolean>;
  close(): Promise<void>;
}

interface Attempt {
  running: Promise<void> | undefined;
  failures: number;
  /** ms since the epoch; earlier than this nothing is asked. */
  retryAt: number;
  because: string;
}

/** Reads what is kept. Throws DATA_FOLDER. */
export async function openAcme(options: AcmeOptions): Promise<Acme> {
  const folder = join(options.folder, directoryName(options.directory));
  const shelf = await openShelf(folder, options.random);
  const accounts = await openShelf(join(folder, ACCOUNT), options.random);
  const acme = new Renewer(options, shelf, accounts);
  await acme.load();
  return acme;
}

class Renewer implements Acme {
  readonly #options: AcmeOptions;
  readonly #shelf: Shelf;
  readonly #accounts: Shelf;
  readonly #kept = new Map<string, AcmeCertificate>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #closing = new AbortController();
  readonly #queue: (() => void)[] = [];
  #underWay = 0;
  #accountKey: Promise<string> | undefined;
  #loop: Promise<void> | undefined;
  /** Aborts when the loop has something to look at sooner than it thought. */
  #wake = new AbortController();

  constructor(options: AcmeOptions, shelf: Shelf, accounts: Shelf) {
    this.#options = options;
    this.#shelf = shelf;
    this.#accounts = accounts;
  }

  async load(): Promise<void> {
    const { clock, reporter } = this.#options;
    for (const hostname of await this.#shelf.names()) {
      const pair = await this.#shelf.read(hostname);
      if (!pair) continue;
      try {
        const leaf = checkPair(hostname, pair, clock.now());
        this.#kept.set(hostname, { pair, leaf, renewAt: renewAt(leaf) });
      } catch (error) {
        // Expired while nobody looked, or damaged: the next visit asks for a new one.
        reporter.report('warn', 'certificate.unusable', { hostname, because: messageOf(error) });
      }
    }
  }

  start(): void {
    this.#loop ??= this.#renewForEver();
  }

  certificate(hostname: string): AcmeCertificate | undefined {
    return this.#kept.get(hostname);
  }

  certificates(): ReadonlyMap<string, AcmeCertificate> {
    return this.#kept;
  }

  attempts(): readonly AcmeAttempt[] {
    return [...this.#attempts].map(([hostname, { running, because }]) => ({
      hostname,
      state: running ? 'pending' : 'failed',
      because,
    }));
  }

  ensure(hostname: string): Promise<void> {
    const { clock, isServed } = this.#options;
    const attempt = this.#attempts.get(hostname);
    if (attempt?.running) return attempt.running;
    const kept = this.#kept.get(hostname);
    const now = clock.now();
    const isEarly = (attempt?.retryAt ?? 0) > now || (kept && kept.renewAt > now);
    if (isEarly || this.#closing.signal.aborted) return Promise.resolve();
    if (whyNotPublic(hostname) !== undefined || !isServed(hostname)) return Promise.resolve();
    return this.#begin(hostname, attempt);
  }

  async remove(hostname: string): Promise<boolean> {
    await this.#attempts.get(hostname)?.running;
    this.#attempts.delete(hostname);
    await this.#shelf.remove(hostname);
    return this.#kept.delete(hostname);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    for (const begin of this.#queue.splice(0)) begin();
    await this.#loop;
    await Promise.all([...this.#attempts.values()].flatMap(({ running }) => running ?? []));
  }

  #begin(hostname: string, earlier: Attempt | undefined): Promise<void> {
    const attempt: Attempt = {
      running: undefined,
      failures: earlier?.failures ?? 0,
      retryAt: 0,
      because: 'a certificate is being asked for',
    };
    this.#attempts.set(hostname, attempt);
    attempt.running = this.#turn()
      .then(() => this.#obtain(hostname, attempt))
      .finally(() => {
        attempt.running = undefined;
        this.#underWay -= 1;
        this.#queue.shift()?.();
        this.#wake.abort();
      });
    return attempt.running;
  }

  /** Resolves when this order may begin. */
  async #turn(): Promise<void> {
    if (this.#underWay >= MOST_AT_ONCE) {
      await new Promise<void>((resolve) => {
        this.#queue.push(resolve);
      });
    }
    this.#underWay += 1;
  }

  async #obtain(hostname: string, attempt: Attempt): Promise<void> {
    const { clock, random, reporter, proofs, workshop, directory, email, trusted } = this.#options;
    if (this.#closing.signal.aborted) return;
    const proof = proofs[attempt.failures % proofs.length] ?? 'http-01';
    const startedAt = clock.now();
    try {
      const accountKey = await this.#account();
      const server = {
        email,
        ...(directory === undefined ? {} : { directory }),
        ...(trusted === undefined ? {} : { trusted }),
      };
      const order = { ...server, accountKey, hostname, proof };
      const pair = await workshop.make({ kind: 'obtain', order });
      const leaf = checkPair(hostname, pair, clock.now());
      await this.#shelf.write(hostname, pair);
      const soonest = clock.now() + LEAST_LIFE_MS;
      this.#kept.set(hostname, { pair, leaf, renewAt: Math.max(soonest, renewAt(leaf)) });
      this.#attempts.delete(hostname);
      reporter.report('info', 'certificate.obtained', {
        hostname,
        proof,
        issuer: leaf.issuer,
        notAfter: new Date(leaf.notAfter).toISOString(),
        elapsedMs: Math.round(clock.now() - startedAt),
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      attempt.failures += 1;
      // Up to a tenth later, so that many hostnames that failed together do not come back together.
      const waitMs = acmeBackoffMs(attempt.failures) * (1 + random.fraction() / 10);
      attempt.retryAt = clock.now() + waitMs;
      attempt.because = `${proof} failed: ${messageOf(error)}`;
      reporter.report('warn', 'certificate.failed', {
        hostname,
        because: attempt.because,
        failures: attempt.failures,
        retryAt: new Date(attempt.retryAt).toISOString(),
      });
    }
  }

  /** The key of our account there, made with the first order. */
  #account(): Promise<string> {
    this.#accountKey ??= this.#loadAccount().catch((error: unknown) => {
      this.#accountKey = undefined;
      throw error;
    });
    return this.#accountKey;
  }

  async #loadAccount(): Promise<string> {
    const kept = await this.#accounts.read(ACCOUNT);
    if (kept?.key) return kept.key;
    const key = await this.#options.workshop.make({ kind: 'makeKey' });
    await this.#accounts.write(ACCOUNT, { key, certificate: '' });
    return key;
  }

  async #renewForEver(): Promise<void> {
    const { clock, isServed } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const now = clock.now();
      let next = now + LOOK_EVERY_MS;
      for (const [hostname, kept] of this.#kept) {
        // What leads nowhere any more is not renewed: it serves until it expires.
        if (!isServed(hostname)) continue;
        const attempt = this.#attempts.get(hostname);
        const due = Math.max(kept.renewAt, attempt?.retryAt ?? 0);
        if (attempt?.running) continue;
        if (due <= now) void this.ensure(hostname);
        else next = Math.min(next, due);
      }
      for (const [hostname, { running }] of this.#attempts) {
        if (!running && !isServed(hostname)) this.#attempts.delete(hostname);
      }
      await clock.sleep(next - now, this.#wake.signal);
    }
  }
}

/** A folder per directory: certificates of a test directory are never taken for real ones. */
function directoryName(directory: string | undefined): string {
  if (directory === undefined) return 'letsencrypt';
  const readable = directory.replace(/^https?:\/\//, '').replace(/[^a-z0-9.-]+/gi, '-');
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8);
  return `${readable.slice(0, 80)}-${hash}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
