/**
 * AES-256-GCM twice: each value with a key of its own, that key with the master key. What it belongs to is authenticated
 * with it, so that rows of the data file cannot change places.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { SecretKey } from '../ports/secret-store.ts';

/** Length of every key, in bytes. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** So many bytes that nobody can guess. */
export type Draw = (bytes: number) => Buffer;

export interface MasterKey {
  /** Follows from the bytes; says which key wrapped something, and nothing else. */
  readonly id: string;
  readonly bytes: Buffer;
}

export function masterKeyFrom(bytes: Buffer): MasterKey {
  const id = createHash('sha256').update('berth master key\0').update(bytes).digest('hex');
  return { id: id.slice(0, 16), bytes };
}

export interface Envelope {
  /** Base64, both. */
  readonly sealed: string;
  readonly wrappedKey: string;
  readonly masterKeyId: string;
}

/** Takes 0.1 ms for the largest value there may be. */
export function seal(value: string, of: SecretKey, master: MasterKey, draw: Draw): Envelope {
  const key = draw(KEY_BYTES);
  return {
    sealed: encrypt(Buffer.from(value), key, valueContext(of), draw),
    wrappedKey: encrypt(key, master.bytes, keyContext(of, master), draw),
    masterKeyId: master.id,
  };
}

/** Undefined when this is not what was sealed: another key, another row, or changed bytes. */
export function open(
  { sealed, wrappedKey }: Pick<Envelope, 'sealed' | 'wrappedKey'>,
  of: SecretKey,
  master: MasterKey,
): string | undefined {
  const key = decrypt(wrappedKey, master.bytes, keyContext(of, master));
  return key && decrypt(sealed, key, valueContext(of))?.toString();
}

/** The same key under another master key; undefined when `from` does not open it. */
export function rewrap(
  wrappedKey: string,
  of: SecretKey,
  from: MasterKey,
  to: MasterKey,
  draw: Draw,
): string | undefined {
  const key = decrypt(wrappedKey, from.bytes, keyContext(of, from));
  return key && encrypt(key, to.bytes, keyContext(of, to), draw);
}

function encrypt(text: Buffer, key: Buffer, context: string, draw: Draw): string {
  const nonce = draw(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const encrypted = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64');
}

function decrypt(text: string, key: Buffer, context: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag);
    return Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    return undefined;
  }
}

function valueContext({ team, name, version }: SecretKey): string {
  return ['berth secret value', team, name, version].join('\0');
}

function keyContext({ team, name, version }: SecretKey, master: MasterKey): string {
  return ['berth secret key', team, name, version, master.id].join('\0');
}
