/** What the thread that makes certificates and the one that asks it say to each other. */
import type { Validity } from '../core/certificate.ts';
import type { Challenge, ChallengeKind } from './challenges.ts';
import type { Pair } from './pair.ts';

/** A certificate to be made; the serial number is hex. */
interface ToMake extends Validity {
  readonly serial: string;
}

/** A certificate that signs others, but only for names below `domains` and for loopback addresses. */
export interface AuthorityOrder extends ToMake {
  readonly commonName: string;
  readonly domains: readonly string[];
}

export interface LeafOrder extends ToMake {
  readonly authority: Pair;
  /** The first is the common name too. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** A certificate to be asked of an ACME server. */
export interface AcmeOrder {
  /** Absent: Let's Encrypt's. */
  readonly directory?: string;
  readonly email: string;
  /** PEM of who vouches for the directory's own address, beside the usual ones. */
  readonly trusted?: string;
  /** PEM. */
  readonly accountKey: string;
  readonly hostname: string;
  readonly proof: ChallengeKind;
}

export type Job =
  | { readonly kind: 'makeAuthority'; readonly order: AuthorityOrder }
  | { readonly kind: 'signLeaf'; readonly order: LeafOrder }
  /** A new key for an account, PEM. */
  | { readonly kind: 'makeKey' }
  | { readonly kind: 'obtain'; readonly order: AcmeOrder };

/** What each kind of job results in. */
export interface Results {
  readonly makeAuthority: Pair;
  readonly signLeaf: Pair;
  readonly makeKey: string;
  readonly obtain: Pair;
}

export type ToWorker =
  | { readonly kind: 'job'; readonly id: number; readonly job: Job }
  /** The proof can be looked at now. */
  | { readonly kind: 'presented'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'done'; readonly id: number; readonly result: Results[keyof Results] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'present'; readonly id: number; readonly challenge: Challenge }
  | { readonly kind: 'withdraw'; readonly id: number; readonly challenge: Challenge };
