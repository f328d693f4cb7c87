/** Real chance, from the operating system. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../ports/random.ts';

/** 32 characters, so that five bits of a byte choose one without bias; no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export const systemRandom: Random = {
  id: (length) => Array.from(randomBytes(length), (byte) => ALPHABET.charAt(byte & 31)).join(''),
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};

/** Bytes for keys, which no seed may ever replay. */
export function drawBytes(length: number): Buffer {
  return randomBytes(length);
}
