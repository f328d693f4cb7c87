/** A certificate with its chain and its private key: read, judged before it is kept, and made ready for handshakes. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { validityState } from '../core/certificate.ts';
import { BerthError, type Problem } from '../core/errors.ts';

/** Both PEM; the leaf comes first, then who signed it. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** What a leaf says of itself. */
export interface Leaf {
  /** Hostnames it is valid for. */
  readonly names: readonly string[];
  /** The common name of who signed it, or whatever name that has. */
  readonly issuer: string;
  /** ms since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: string;
  readonly fingerprint256: string;
}

/** More certificates than any real chain has. */
const MOST_CERTIFICATES = 10;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^]+?-----END (?:[A-Z]+ )*PRIVATE KEY-----/;

/** One text with both, as it is kept in one file: so the two can never be of different ages. */
export function joinPair({ certificate, key }: Pair): string {
  return `${key.trim()}\n${certificate.trim()}\n`;
}

/** The inverse of `joinPair`; parts that are not there are empty. */
export function splitPair(text: string): Pair {
  return {
    key: KEY.exec(text)?.[0] ?? '',
    certificate: (text.match(CERTIFICATE) ?? []).join('\n'),
  };
}

/** What the first certificate of a PEM text says. Throws CERTIFICATE_INVALID. */
export function readLeaf(certificate: string): Leaf {
  return leafOf(parseChain(certificate)[0] as X509Certificate);
}

/**
 * Ready for handshakes. Without trust roots, which only clients' certificates would need: reading them takes tens of ms.
 * Throws CERTIFICATE_INVALID when OpenSSL refuses the pair, for example because its key is too short.
 */
export function contextOf({ certificate, key }: Pair): SecureContext {
  try {
    return createSecureContext({ cert: certificate, key, ca: [], minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw invalid([{ at: 'certificate', message: `is refused by OpenSSL: ${reasonOf(cause)}` }]);
  }
}

/** Judges a pair that is to serve `name` (a hostname or a wildcard). Throws CERTIFICATE_INVALID with all that is wrong. */
export function checkPair(name: string, pair: Pair, now: number): Leaf {
  const chain = parseChain(pair.certificate);
  const key = parseKey(pair.key);
  const leaf = leafOf(chain[0] as X509Certificate);
  const problems = [
    ...keyProblems(chain, key),
    ...nameProblems(name, leaf, chain[0] as X509Certificate),
    ...timeProblems(leaf, now),
    ...chainProblems(chain),
  ];
  if (problems.length > 0) throw invalid(problems);
  contextOf(pair);
  return leaf;
}

/** Judges an authority by itself: whether it can be read and its key is its own. Throws CERTIFICATE_INVALID. */
export function checkAuthority(pair: Pair): Leaf {
  const chain = parseChain(pair.certificate);
  const problems = keyProblems(chain, parseKey(pair.key));
  if (problems.length > 0) throw invalid(problems);
  return leafOf(chain[0] as X509Certificate);
}

function parseChain(text: string): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw invalid([{ at: 'certificate', message: 'has no PEM block BEGIN CERTIFICATE' }]);
  }
  if (blocks.length > MOST_CERTIFICATES) {
    const message = `has ${blocks.length} certificates; a chain may have ${MOST_CERTIFICATES}`;
    throw invalid([{ at: 'certificate', message }]);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      const message = `number ${index + 1} cannot be read: ${reasonOf(cause)}`;
      throw invalid([{ at: 'certificate', message }]);
    }
  });
}

function parseKey(text: string): KeyObject {
  const block = KEY.exec(text)?.[0];
  if (block === undefined) {
    throw invalid([{ at: 'key', message: 'has no PEM block BEGIN PRIVATE KEY' }]);
  }
  if (block.includes('ENCRYPTED')) {
    const message = 'is encrypted; `openssl pkey -in FILE -out PLAIN` takes the passphrase off';
    throw invalid([{ at: 'key', message }]);
  }
  try {
    return createPrivateKey(block);
  } catch (cause) {
    throw invalid([{ at: 'key', message: `cannot be read: ${reasonOf(cause)}` }]);
  }
}

function keyProblems(chain: readonly X509Certificate[], key: KeyObject): readonly Problem[] {
  const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (index === 0) return [];
  const message =
    index === -1
      ? 'does not belong to the certificate'
      : `belongs to certificate number ${index + 1}, which must come first`;
  return [{ at: 'key', message }];
}

function nameProblems(name: string, { names }: Leaf, leaf: X509Certificate): readonly Problem[] {
  const isFor = name.startsWith('*.')
    ? names.includes(name)
    : leaf.checkHost(name, { subject: 'never' }) !== undefined;
  if (isFor) return [];
  const whose = names.length > 0 ? `is for ${names.join(', ')}` : 'names no host (subjectAltName)';
  return [{ at: 'certificate', message: `${whose}, not for ${name}` }];
}

function timeProblems(leaf: Leaf, now: number): readonly Problem[] {
  switch (validityState(leaf, now)) {
    case 'valid':
      return [];
    case 'expired':
      return [{ at: 'certificate', message: `expired on ${dayOf(leaf.notAfter)}` }];
    case 'notYetValid':
      return [{ at: 'certificate', message: `is not valid before ${dayOf(leaf.notBefore)}` }];
  }
}

function chainProblems(chain: readonly X509Certificate[]): readonly Problem[] {
  return chain.flatMap((certificate, index) => {
    const issuer = chain[index + 1];
    if (issuer === undefined || isIssuedBy(certificate, issuer)) return [];
    return [
      {
        at: 'certificate',
        message: `number ${index + 2} did not sign number ${index + 1}: the chain is out of order`,
      },
    ];
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function leafOf(certificate: X509Certificate): Leaf {
  const alternatives = certificate.subjectAltName?.split(', ') ?? [];
  return {
    names: alternatives.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : [])),
    issuer: /^CN=(.+)$/m.exec(certificate.issuer)?.[1] ?? certificate.issuer.replaceAll('\n', ', '),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    serial: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
  };
}

function invalid(problems: readonly Problem[]): BerthError {
  const sentences = problems.map(({ at, message }) => `the ${at} ${message}`).join('; ');
  const detail = `${sentences.charAt(0).toUpperCase()}${sentences.slice(1)}.`;
  return new BerthError('CERTIFICATE_INVALID', { detail, problems });
}

/** OpenSSL's own words without its numbers: `error:0A00018F:SSL routines::ee key too small` → `ee key too small`. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^error:[^]*:/, '').trim();
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
