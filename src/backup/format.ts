/** What a backup is made of: a tar archive with a header first and a list of contents last, and behind its end one line with the checksum of all of it. */
import type { KeyParameters } from './seal.ts';

/** Of the container; a reader refuses a higher one. */
export const FORMAT = 1;

/** The first entry. */
export const HEADER = 'berth-backup.json';
/** The last entry. */
export const CONTENTS = 'contents.json';
export const DATABASE = 'berth.db';
/** Behind the names of what is encrypted. */
export const SEALED = '.sealed';
export const KEY_FILE = 'secrets.key';
export const CERTIFICATES = 'certificates/';
export const BLOBS = 'blobs/';
export const IMAGES = 'images/';

/** What is known before anything is read. */
export interface Header {
  readonly kind: 'berth backup';
  readonly format: number;
  /** Form of the data file: the number of its last migration. */
  readonly form: number;
  /** Of the Berth that wrote it. */
  readonly version: string;
  /** By which what it made is known on a machine. */
  readonly ledger: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** How the key is made of the passphrase. */
  readonly key: KeyParameters;
  /** Sealed with that key, base64: opens with the right passphrase only. */
  readonly proof: string;
}

/** One entry besides header and contents, in the order of the archive. */
export interface Content {
  readonly name: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface Contents {
  readonly entries: readonly Content[];
  /** Ids of the images in it; the archives of images are cut into parts. */
  readonly images: readonly string[];
  /** Ids of images that deployments run and the engine did not have. */
  readonly missingImages: readonly string[];
  /** Bytes of all entries. */
  readonly bytes: number;
}

/** A name to be trusted: none that leads out of the data folder. */
export const SAFE_NAME: Readonly<Record<string, RegExp>> = {
  [BLOBS]: /^blobs\/[0-9a-f]{2}\/[0-9a-f]{62}$/,
  [CERTIFICATES]:
    /^certificates\/(?:[A-Za-z0-9+_-][A-Za-z0-9.+_-]*\/)*[A-Za-z0-9+_-][A-Za-z0-9.+_-]*\.sealed$/,
  [IMAGES]: /^images\/\d{3}\.tar\.zst\.\d{6}$/,
};

/** `images/002.tar.zst.000017`: the parts of one archive belong together, in order. */
export function imagePart(archive: number, part: number): string {
  const number = `${part}`.padStart(6, '0');
  return `${IMAGES}${`${archive}`.padStart(3, '0')}.tar.zst.${number}`;
}

/** Longest last line, in bytes. */
export const TRAILER_BYTES = 4_096;
const TRAILER = /\nberth-backup-(sha256|failed) ([^\n]*)\n$/;

/** The line behind the archive. Tar programs stop before it. */
export function goodTrailer(sha256: string): string {
  return `\nberth-backup-sha256 ${sha256}\n`;
}

/** Instead of the other when it could not be finished: the reader hears why. */
export function badTrailer(failure: { readonly code: string; readonly detail: string }): string {
  const { code, detail } = failure;
  return `\nberth-backup-failed ${JSON.stringify({ code, detail: detail.slice(0, 1_000) })}\n`;
}

export type Trailer =
  | { readonly kind: 'good'; readonly sha256: string; readonly bytes: number }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

/** From the last bytes of a file; undefined when it ends otherwise. `bytes` is the length of the line. */
export function readTrailer(tail: Buffer): Trailer | undefined {
  const [line = '', kind, said = ''] = TRAILER.exec(tail.toString('latin1')) ?? [];
  if (kind === 'sha256') return { kind: 'good', sha256: said, bytes: line.length };
  if (kind !== 'failed') return undefined;
  try {
    const text = Buffer.from(said, 'latin1').toString('utf8');
    const { code, detail } = JSON.parse(text) as {
      readonly code: unknown;
      readonly detail: unknown;
    };
    return { kind: 'failed', code: String(code), detail: String(detail) };
  } catch {
    return undefined;
  }
}
