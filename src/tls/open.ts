/** Everything about certificates, put together from where they are kept and whom they are asked of. */
import { join } from 'node:path';
import { type Acme, openAcme } from './acme.ts';
import { openAuthority } from './authority.ts';
import { type Certificates, openCertificates } from './certificates.ts';
import { Challenges } from './challenges.ts';
import { type Door, openDoor } from './door.ts';
import { openWorkshop } from './workshop.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Reporter } from '../ports/reporter.ts';

/** Whom automatic certificates are asked of. */
export interface AcmeSettings {
  /** Where the authority hears about an account's certificates. Giving it agrees to the authority's terms. */
  readonly email: string;
  /** URL of an ACME directory; absent means Let's Encrypt's. */
  readonly directory?: string;
  /** PEM of who vouches for the directory's own address, for an authority of one's own. */
  readonly trusted?: string;
}

export interface TlsOptions {
  /** Holds all certificates and keys. */
  readonly folder: string;
  /** What deployments' hostnames end in. */
  readonly domain: string;
  /** Whether a hostname leads to something here. */
  readonly isServed: (hostname: string) => boolean;
  /** Absent: none are asked for. */
  readonly acme?: AcmeSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly reporter: Reporter;
}

export interface Tls {
  readonly certificates: Certificates;
  /** The answer to a plain request that is a question for a proof of ours; undefined for every other request. */
  challengeAnswer(hostname: string, path: string): string | undefined;
  /** Renews automatic certificates from now on. To be called when hostnames are known and proofs can be asked for. */
  renew(): void;
  /** For a listener; makes the local authority if need be. */
  door(): Promise<Door>;
  close(): Promise<void>;
}

/** Reads what is kept, and makes nothing yet. Throws DATA_FOLDER. */
export async function openTls(options: TlsOptions): Promise<Tls> {
  const { acme: settings, ...common } = options;
  const { folder, clock, reporter } = options;
  await using opened = new AsyncDisposableStack();
  const challenges = new Challenges();
  const workshop = openWorkshop({ clock, challenges });
  opened.defer(() => workshop.close());
  const shared = { ...common, workshop };
  const authority = openAuthority({ ...shared, folder: join(folder, 'authority') });
  let acme: Acme | undefined;
  if (settings) {
    const proofs = ['http-01', 'tls-alpn-01'] as const;
    acme = await openAcme({ ...shared, ...settings, proofs, folder: join(folder, 'acme') });
    // Orders under way hear that it is over before the thread that works on them ends.
    const closing = acme;
    opened.defer(async () => {
      const closed = closing.close();
      await workshop.close();
      await closed;
    });
  }
  const certificates = await openCertificates({
    ...shared,
    folder: join(folder, 'own'),
    authority,
    ...(acme ? { acme } : {}),
  });
  const running = opened.move();
  return {
    certificates,
    challengeAnswer: (hostname, path) => challenges.challengeAnswer(hostname, path),
    renew: () => acme?.start(),
    door: () => openDoor(certificates, challenges, reporter),
    close: () => running.disposeAsync(),
  };
}
