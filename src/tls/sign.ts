/** Makes certificates: an authority for this machine, and what it signs. Some 5 ms each, so not for the thread that serves. */
import { webcrypto } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { AuthorityOrder, LeafOrder } from './messages.ts';
import type { Pair } from './pair.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const { subtle } = webcrypto;

/** Signs nothing beyond its domains and loopback: a copy of its key is worth little to whoever steals it. */
export async function makeAuthority(order: AuthorityOrder): Promise<Pair> {
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: order.serial,
    name: [{ CN: [order.commonName] }, { O: ['Berth'] }],
    ...datesOf(order),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      constrainedTo(order.domains),
    ],
  });
  return pairOf(certificate, keys.privateKey);
}

/** A certificate for servers. */
export async function signLeaf(order: LeafOrder): Promise<Pair> {
  const authority = new X509Certificate(order.authority.certificate);
  const [signingKey, keys] = await Promise.all([
    importKey(order.authority.key),
    subtle.generateKey(ALGORITHM, true, ['sign', 'verify']),
  ]);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: order.serial,
    // RFC 5280 bounds a common name at 64 characters; clients read the alternative names only.
    subject: [{ CN: [(order.names[0] ?? '').slice(0, 64)] }],
    issuer: authority.subjectName,
    ...datesOf(order),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...order.names.map((value) => ({ type: 'dns' as const, value })),
        ...order.addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  return pairOf(certificate, keys.privateKey);
}

function constrainedTo(domains: readonly string[]): Extension {
  const permitted = [
    ...domains.map((dNSName) => new GeneralName({ dNSName })),
    new GeneralName({ iPAddress: '127.0.0.0/8' }),
    new GeneralName({ iPAddress: '::1/128' }),
  ];
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(permitted.map((base) => new GeneralSubtree({ base }))),
  });
  return new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

function datesOf({
  notBefore,
  notAfter,
}: {
  readonly notBefore: number;
  readonly notAfter: number;
}) {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

async function pairOf(certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<Pair> {
  const raw = await subtle.exportKey('pkcs8', key);
  return { certificate: certificate.toString('pem'), key: PemConverter.encode(raw, 'PRIVATE KEY') };
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);
}
