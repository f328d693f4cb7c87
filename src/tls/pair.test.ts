/** A pair that would fail at the first visitor is refused when it is given, with everything that is wrong. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { systemClock } from '../system/clock.ts';
import { DAY_MS, foreignPair, strangeKey } from './fixtures/world.ts';
import { checkPair, joinPair, type Pair, splitPair } from './pair.ts';

const now = systemClock.now();
const { pair, authority } = await foreignPair(['shop.test', '*.wild.test']);
const stranger = await foreignPair(['x.test']);
const chained = { ...pair, certificate: `${pair.certificate}\n${authority.certificate}` };

function refusal(name: string, given: Pair, at = now): string {
  try {
    checkPair(name, given, at);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'CERTIFICATE_INVALID') return error.detail;
    throw error;
  }
  return 'accepted';
}

describe('a pair', () => {
  test.each([
    ['for its hostname', 'shop.test', pair],
    ['with its chain', 'shop.test', chained],
    ['for its wildcard', '*.wild.test', pair],
    ['for a hostname below its wildcard', 'a.wild.test', pair],
    ['read back from one file', 'shop.test', splitPair(joinPair(chained))],
    ['with words around its blocks', 'shop.test', splitPair(`# mine\n${joinPair(pair)}# end\n`)],
  ])('is accepted %s', (_, name, given) => {
    expect(refusal(name, given)).toBe('accepted');
  });

  test.each<[string, string, Pair, string]>([
    [
      'of another hostname',
      'other.test',
      pair,
      'is for shop.test, *.wild.test, not for other.test',
    ],
    ['that has no such wildcard', '*.test', pair, 'not for *.test'],
    ['below its wildcard too deeply', 'a.b.wild.test', pair, 'not for a.b.wild.test'],
    [
      'with a strange key',
      'shop.test',
      { ...pair, key: strangeKey() },
      'The key does not belong to',
    ],
    [
      'whose authority comes first',
      'shop.test',
      { ...pair, certificate: `${authority.certificate}\n${pair.certificate}` },
      'belongs to certificate number 2, which must come first',
    ],
    [
      'with a chain that did not sign it',
      'shop.test',
      { ...pair, certificate: `${pair.certificate}\n${stranger.authority.certificate}` },
      'number 2 did not sign number 1',
    ],
    [
      'without a certificate',
      'shop.test',
      { ...pair, certificate: 'hello' },
      'no PEM block BEGIN CERT',
    ],
    [
      'without a key',
      'shop.test',
      { ...pair, key: pair.certificate },
      'no PEM block BEGIN PRIVATE KEY',
    ],
    [
      'that is cut short',
      'shop.test',
      { ...pair, certificate: pair.certificate.replace(/.{40}\n-----END/s, '\n-----END') },
      'number 1 cannot be read',
    ],
    [
      'with a key that is cut short',
      'shop.test',
      { ...pair, key: pair.key.replace(/.{40}\n-----END/s, '\n-----END') },
      'The key cannot be read',
    ],
    [
      'with more certificates than a chain has',
      'shop.test',
      { ...pair, certificate: `${pair.certificate}\n`.repeat(11) },
      'has 11 certificates',
    ],
  ])('is refused %s', (_, name, given, said) => {
    expect(refusal(name, given)).toContain(said);
  });

  test('is refused after its end and before its beginning, with the day', async () => {
    const day = new Date(now + 30 * DAY_MS).toISOString().slice(0, 10);
    expect(refusal('shop.test', pair, now + 31 * DAY_MS)).toContain(`expired on ${day}`);
    expect(refusal('shop.test', pair, now - 2 * DAY_MS)).toContain('is not valid before');
  });

  test('is refused with all its faults at once', () => {
    const said = refusal('other.test', { ...pair, key: strangeKey() }, now + 31 * DAY_MS);
    expect(said).toMatch(/key does not belong.*not for other\.test.*expired on/);
  });

  test('is refused with an encrypted key, and told how to decrypt it', () => {
    const key = createPrivateKey(pair.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();
    expect(refusal('shop.test', { ...pair, key })).toContain('openssl pkey');
  });

  test('is refused with a key too short for any client, in the words of OpenSSL', () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-weak-'));
    try {
      execFileSync(
        'openssl',
        'req -x509 -newkey rsa:1024 -nodes -keyout k -out c -days 2 -subj /CN=x -addext subjectAltName=DNS:shop.test'.split(
          ' ',
        ),
        { cwd: folder, stdio: 'ignore' },
      );
      const weak = {
        certificate: readFileSync(join(folder, 'c'), 'utf8'),
        key: readFileSync(join(folder, 'k'), 'utf8'),
      };
      expect(refusal('shop.test', weak, systemClock.now())).toBe(
        'The certificate is refused by OpenSSL: ee key too small.',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('never puts a key into what is said about it', () => {
    const lines = pair.key.split('\n').filter((line) => line.length > 20 && !line.includes('---'));
    const said = refusal('other.test', { certificate: pair.certificate, key: `${pair.key}junk` });
    for (const line of lines) expect(said).not.toContain(line);
  });
});
