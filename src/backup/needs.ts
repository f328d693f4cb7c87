/** What a backup is made of, handed in by the wiring, and what crosses to the thread that makes it. */
import type { EngineProgram } from '../ports/engine.ts';
import type { Header } from './format.ts';

/** Everything the thread needs; the passphrase is only ever in memory. */
export interface Order {
  readonly header: Omit<Header, 'proof'>;
  readonly passphrase: string;
  /** A copy of the data file. */
  readonly database: string;
  /** Text of the key file before the copy was made; the file may have changed since. */
  readonly keysBefore: string | undefined;
  readonly keyFile: string;
  readonly blobs: string;
  readonly certificates: string;
  readonly imageIds: readonly string[];
  readonly missingImages: readonly string[];
  readonly exports: readonly EngineProgram[];
}

export type ToWorker = { readonly kind: 'more' };

export type FromWorker =
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };
