/** What only the passphrase opens: a key by scrypt, and AES-256-GCM with it. */
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto';
import { BerthError } from '../core/errors.ts';

/** As they stand in the header of a backup. */
export interface KeyParameters {
  readonly kdf: 'scrypt';
  /** Cost: memory is 128 · N · r bytes. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64. */
  readonly salt: string;
}

/** 128 MiB and some 0.4 s for each guess. */
const COST = { N: 131_072, r: 8, p: 1 } as const;
/** A file must not make its reader take all memory or time. */
const MOST = { N: 1_048_576, r: 32, p: 16 } as const;
export const SALT_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Short ones can be tried out. */
export const LEAST_PASSPHRASE = 8;

/** Parameters for a new backup; `salt` is drawn for it alone. */
export function keyParameters(salt: Buffer): KeyParameters {
  return { kdf: 'scrypt', ...COST, salt: salt.toString('base64') };
}

/** Off the thread that asks. Throws BACKUP_INVALID for parameters that no Berth writes. */
export async function deriveKey(passphrase: string, parameters: KeyParameters): Promise<Buffer> {
  const { kdf, N, r, p } = parameters;
  const isSane = [
    [N, MOST.N],
    [r, MOST.r],
    [p, MOST.p],
  ].every(([given = 0, most = 0]) => Number.isInteger(given) && given > 0 && given <= most);
  if (kdf !== 'scrypt' || !isSane) {
    throw new BerthError('BACKUP_INVALID', {
      detail: 'The header names a way from passphrase to key that this version does not take.',
    });
  }
  const salt = Buffer.from(parameters.salt, 'base64');
  // The same passphrase typed on another keyboard or system is to be the same bytes.
  const text = passphrase.normalize('NFC');
  return new Promise((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Seals with a key that is used for one backup: a counter is nonce enough. `context` is authenticated with it. */
export function createSealer(key: Buffer): (bytes: Buffer, context: string) => Buffer {
  let count = 0;
  return (bytes, context) => {
    count += 1;
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeUInt32BE(count, NONCE_BYTES - 4);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  };
}

/** Undefined when it was sealed with another key, for another place, or was changed. */
export function openSealed(sealed: Buffer, key: Buffer, context: string): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag);
    const rest = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(rest), decipher.final()]);
  } catch {
    return undefined;
  }
}
