/** Certificates of the local authority, made for the names that are asked for and kept in memory while they are used. */
import type { SecureContext } from 'node:tls';
import { renewAt, validityState } from '../core/certificate.ts';
import type { Clock } from '../ports/clock.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Authority } from './authority.ts';
import { contextOf, type Leaf, type Pair, readLeaf } from './pair.ts';

/** Ready for handshakes. */
export interface Served {
  readonly pair: Pair;
  readonly leaf: Leaf;
  readonly context: SecureContext;
}

const BOUNDS: LocalBounds = {
  /** Some 10 kB each; making one anew takes 10 ms on another thread. */
  mostKept: 1_000,
  /** Signings asked for at once; a flood of names beyond that is refused. */
  mostPending: 100,
};

/** What else the certificate of a name is for; the same at each call. */
export interface Beside {
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
}

export interface LocalCertificates {
  /** Of a name: kept, or made now. Undefined when too many are being made. Rejects when none can be made. */
  get(name: string, beside?: Beside): Promise<Served | undefined>;
  /** What is kept now, by name. */
  kept(): ReadonlyMap<string, Served>;
}

export interface LocalBounds {
  readonly mostKept: number;
  readonly mostPending: number;
}

export function createLocalCertificates(
  authority: Pick<Authority, 'sign'>,
  clock: Clock,
  reporter: Reporter,
  bounds: LocalBounds = BOUNDS,
): LocalCertificates {
  /** In order of last use: the first is the one to go. */
  const kept = new Map<string, Served>();
  const making = new Map<string, Promise<Served>>();

  async function make(name: string, { names = [], addresses }: Beside): Promise<Served> {
    const pair = await authority.sign([name, ...names], addresses);
    const served = { pair, leaf: readLeaf(pair.certificate), context: contextOf(pair) };
    kept.set(name, served);
    const [oldest] = kept.keys();
    if (kept.size > bounds.mostKept && oldest !== undefined) kept.delete(oldest);
    return served;
  }

  /** Whoever asks for a name that is being made gets that one. */
  function makeOnce(name: string, beside: Beside): Promise<Served> {
    const underWay = making.get(name);
    if (underWay) return underWay;
    const made = make(name, beside).finally(() => making.delete(name));
    making.set(name, made);
    return made;
  }

  return {
    async get(name, beside = {}) {
      const now = clock.now();
      const found = kept.get(name);
      if (found && validityState(found.leaf, now) === 'valid') {
        kept.delete(name);
        kept.set(name, found);
        // Renewed beside the handshake, which goes on with the old one.
        if (renewAt(found.leaf) <= now && making.size < bounds.mostPending) {
          makeOnce(name, beside).catch((error: unknown) =>
            reporter.report('warn', 'certificate.failed', { name, because: String(error) }),
          );
        }
        return found;
      }
      if (making.size >= bounds.mostPending && !making.has(name)) return undefined;
      return makeOnce(name, beside);
    },
    kept: () => kept,
  };
}
