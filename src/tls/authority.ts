/** The local certificate authority, for development: made on first need, kept in the data folder, signs on demand. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';
import { checkAuthority, type Leaf, type Pair } from './pair.ts';
import { openShelf } from './shelf.ts';
import type { Workshop } from './workshop.ts';

const DAY_MS = 24 * 3_600_000;
/** As long as people keep a machine; they trust it by hand, so a short life would be a nuisance. */
const AUTHORITY_MS = 3_650 * DAY_MS;
/** Replaced when it could not vouch for a whole life of what it signs. */
const LEAF_MS = 90 * DAY_MS;
/** Clients whose clock is behind ours see a certificate that is valid all the same. */
const SKEW_MS = 3_600_000;
/** Five bits each: 80 bits of chance, of at most 20 bytes in all (RFC 5280 4.1.2.2). */
const SERIAL_CHARS = 16;

export interface AuthorityFacts extends Leaf {
  /** PEM, without the key. */
  readonly certificate: string;
  /** A file with just that, to be trusted. */
  readonly path: string;
  /** What it can sign for, loopback addresses aside: these and all below. */
  readonly domains: readonly string[];
}

export interface Authority {
  /** Makes the authority if need be. */
  facts(): Promise<AuthorityFacts>;
  /** A certificate for servers of these names and addresses, with its key. */
  sign(names: readonly string[], addresses?: readonly string[]): Promise<Pair>;
}

export interface AuthorityOptions {
  readonly folder: string;
  /** Of deployments. An authority vouches for this and `localhost`; another domain has another authority. */
  readonly domain: string;
  readonly workshop: Pick<Workshop, 'make'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly reporter: Reporter;
}

/** Nothing is made or read before it is asked. Failures of the disk are DATA_FOLDER. */
export function openAuthority(options: AuthorityOptions): Authority {
  const { folder, domain, workshop, clock, random, reporter } = options;
  const domains = [...new Set(['localhost', domain])];
  const path = join(folder, `berth-authority-${domain}.crt`);
  let loading: Promise<Loaded> | undefined;

  interface Loaded {
    readonly pair: Pair;
    readonly leaf: Leaf;
  }

  /** Single-flight, and asked again when the last one failed or grew old. */
  async function load(): Promise<Loaded> {
    loading ??= loadOrMake().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    const loaded = await loading;
    if (clock.now() + LEAF_MS <= loaded.leaf.notAfter) return loaded;
    loading = undefined;
    return load();
  }

  async function loadOrMake(): Promise<Loaded> {
    const shelf = await openShelf(folder, random);
    const kept = await shelf.read(domain);
    if (kept) {
      const why = whyNot(kept);
      if (why === undefined) return { pair: kept, leaf: await publish(kept) };
      reporter.report('warn', 'authority.replaced', { because: why, path });
    }
    const now = clock.now();
    const pair = await workshop.make({
      kind: 'makeAuthority',
      order: {
        // A name of its own: two authorities on one machine are told apart by it.
        commonName: `Berth local authority ${random.id(6)} (${domain})`.slice(0, 64),
        domains,
        serial: serial(),
        notBefore: now - SKEW_MS,
        notAfter: now - SKEW_MS + AUTHORITY_MS,
      },
    });
    await shelf.write(domain, pair);
    const leaf = await publish(pair);
    reporter.report('info', 'authority.made', { path, domains });
    return { pair, leaf };
  }

  function whyNot(kept: Pair): string | undefined {
    try {
      const { notAfter } = checkAuthority(kept);
      return clock.now() + LEAF_MS > notAfter ? 'its end is near' : undefined;
    } catch (error) {
      if (error instanceof BerthError) return error.detail;
      throw error;
    }
  }

  /** The certificate alone, for whoever is to trust it; the data folder itself is closed to others. */
  async function publish(pair: Pair): Promise<Leaf> {
    await writeFile(path, `${pair.certificate.trim()}\n`);
    await chmod(path, 0o644);
    return checkAuthority(pair);
  }

  /** Hex of plain characters: the first bit is never set, so that the number is positive. */
  function serial(): string {
    return Buffer.from(random.id(SERIAL_CHARS), 'latin1').toString('hex');
  }

  return {
    async facts() {
      const { pair, leaf } = await load();
      return { ...leaf, certificate: pair.certificate, path, domains };
    },
    async sign(names, addresses = []) {
      const { pair, leaf } = await load();
      const notBefore = clock.now() - SKEW_MS;
      return workshop.make({
        kind: 'signLeaf',
        order: {
          authority: pair,
          names,
          addresses,
          serial: serial(),
          notBefore,
          notAfter: Math.min(notBefore + LEAF_MS, leaf.notAfter),
        },
      });
    },
  };
}
