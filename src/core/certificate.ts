/** Which certificate serves a hostname, when one is renewed, and for which names one can be asked of an authority. */

/** Where a certificate comes from. */
export type CertificateSource = 'own' | 'acme' | 'local';

/** When a certificate is valid, ms since the epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate kept for a name: a hostname, or `*.` and a domain. */
export interface KeptCertificate extends Validity {
  readonly name: string;
  readonly source: CertificateSource;
}

const NAME_CHARS = 253;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME_FORM = new RegExp(`^(?:\\*\\.(?=.*\\.))?${LABEL}(?:\\.${LABEL})*$`);
const IPV4_FORM = /^\d+(?:\.\d+){3}$/;

/**
 * A hostname, or a wildcard such as `*.example.com`, in the form it is kept: lower case, no trailing dot. Undefined for
 * anything else, addresses and wildcards of a single label (which no client accepts) included.
 */
export function certificateName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length > NAME_CHARS || !NAME_FORM.test(name) || IPV4_FORM.test(name)) return undefined;
  return name;
}

/** The names whose certificates may serve a hostname: itself, then the wildcard beside it. */
export function namesServing(hostname: string): readonly string[] {
  const dot = hostname.indexOf('.');
  return dot === -1 ? [hostname] : [hostname, `*${hostname.slice(dot)}`];
}

export type ValidityState = 'valid' | 'expired' | 'notYetValid';

export function validityState({ notBefore, notAfter }: Validity, now: number): ValidityState {
  if (now < notBefore) return 'notYetValid';
  return now >= notAfter ? 'expired' : 'valid';
}

/**
 * The one that serves a hostname, of those kept for its names; undefined when none is valid now.
 *
 * | kept for | source | goes before |
 * |---|---|---|
 * | the hostname | own | everything |
 * | its wildcard | own | what was not chosen by hand |
 * | the hostname | acme | the wildcard |
 * | its wildcard | acme | a certificate that no browser knows |
 * | the hostname, its wildcard | local | nothing |
 */
export function chooseCertificate<Kept extends KeptCertificate>(
  hostname: string,
  kept: readonly Kept[],
  now: number,
): Kept | undefined {
  const names = namesServing(hostname);
  for (const source of ['own', 'acme', 'local'] as const) {
    for (const name of names) {
      const found = kept.find(
        (one) => one.source === source && one.name === name && validityState(one, now) === 'valid',
      );
      if (found) return found;
    }
  }
  return undefined;
}

/** When to renew: at two thirds of its life, so that a third is left to try again. */
export function renewAt({ notBefore, notAfter }: Validity): number {
  return notBefore + ((notAfter - notBefore) * 2) / 3;
}

/**
 * The name that the local authority signs so that it serves `hostname`. One wildcard covers all deployments of a domain
 * with a dot; clients refuse a wildcard right below a top-level name (`*.localhost`), so there each gets its own.
 */
export function nameToSign(hostname: string, domain: string): string {
  const isChild = hostname.slice(hostname.indexOf('.') + 1) === domain;
  return isChild && domain.includes('.') ? `*.${domain}` : hostname;
}

/** Why no public authority can be asked for a hostname; undefined when one can. */
export function whyNotPublic(hostname: string): string | undefined {
  if (IPV4_FORM.test(hostname) || hostname.includes(':')) return 'it is an address';
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) {
    return 'it names this machine only';
  }
  if (!hostname.includes('.')) return 'it has no domain';
  if (hostname.includes('_')) return 'it has an underscore';
  return hostname.includes('*') ? 'it is a wildcard' : undefined;
}

const MINUTE_MS = 60_000;
const LONGEST_MS = 12 * 60 * MINUTE_MS;

/**
 * How long to wait after failing to get a certificate: 1, 4, 16 minutes and so on up to 12 hours. Let's Encrypt allows
 * five failures of a hostname in an hour; this makes four.
 */
export function acmeBackoffMs(failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(LONGEST_MS, MINUTE_MS * 4 ** Math.min(failures - 1, 10));
}
