/** Automatic certificates from a real ACME server, which really looks at each proof. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ChallengeKind } from '../src/tls/challenges.ts';
import {
  DAY_MS,
  type Handshake,
  shake,
  startTls,
  type TlsWorld,
} from '../src/tls/fixtures/world.ts';
import { freePorts, type Pebble, startPebble } from './fixtures/pebble.ts';

let opened: AsyncDisposableStack;
let pebble: Pebble;
let httpPort: number;
let tlsPort: number;
/** Whose proofs the plain port shows; none while there is none. */
let world: TlsWorld | undefined;
/** Tokens that were asked for on the plain port. */
let asked: string[];
/** What the plain port answers when it leads elsewhere, as behind a wrong port forward. */
let elsewhere: string | undefined;
/** Whether the plain port takes questions and answers none. */
let isSilent: boolean;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  [httpPort = 0, tlsPort = 0] = await freePorts(2);
  world = undefined;
  asked = [];
  elsewhere = undefined;
  isSilent = false;
  const plain = createServer((req, res) => {
    const [host = ''] = req.headers.host?.split(':') ?? [];
    asked.push(`${host} ${req.url}`);
    if (isSilent) return;
    const answer = elsewhere ?? world?.challenges.challengeAnswer(host, req.url ?? '');
    res.statusCode = answer === undefined ? 404 : 200;
    res.setHeader('connection', 'close');
    res.end(answer);
  });
  await new Promise<void>((resolve) => plain.listen(httpPort, '127.0.0.1', resolve));
  opened.defer(() => {
    plain.closeAllConnections();
    return new Promise<void>((resolve) => plain.close(() => resolve()));
  });
  pebble = await startPebble({ httpPort, tlsPort });
  opened.defer(() => pebble.stop());
});
afterEach(() => opened.disposeAsync());

async function start(proofs: readonly ChallengeKind[], earlier?: TlsWorld): Promise<TlsWorld> {
  const { directory, trusted } = pebble;
  world = await startTls({
    isServed: (hostname) => /(?:^|\.)(?:berth\.test|localhost)$/.test(hostname),
    acme: { directory, trusted, proofs },
    ...(earlier ? { folder: earlier.folder, clock: earlier.clock } : {}),
  });
  const started = world;
  opened.defer(() => started.stop());
  await world.listen(tlsPort);
  return world;
}

async function visit(hostname: string): Promise<Handshake> {
  return shake(tlsPort, hostname, { trusted: await pebble.root() });
}

const events = (name: string) =>
  world?.reported.filter(({ event }) => event === name).map(({ facts }) => facts) ?? [];

test.each(['http-01', 'tls-alpn-01'] as const)(
  'the first visitor waits for a certificate by %s and trusts it, the next ones have it at once',
  async (proof) => {
    const { acme, certificates, folder } = await start([proof]);
    const seen = await Promise.all(
      ['shop', 'shop', 'blog'].map((name) => visit(`${name}.berth.test`)),
    );
    expect(seen.map(({ refused }) => refused)).toEqual([undefined, undefined, undefined]);
    expect(seen[0]?.names).toEqual(['shop.berth.test']);
    expect(seen[1]?.peer.serialNumber).toBe(seen[0]?.peer.serialNumber);
    expect(events('certificate.obtained')).toMatchObject([{ proof }, { proof }]);
    expect(asked.length > 0).toBe(proof === 'http-01');
    expect(acme?.attempts()).toEqual([]);
    expect(certificates.list().map(({ hostname, source }) => `${hostname} ${source}`)).toEqual([
      'berth.localhost local',
      'blog.berth.test acme',
      'shop.berth.test acme',
    ]);

    const [directory = ''] = await readdir(join(folder, 'acme'));
    const shelf = join(folder, 'acme', directory);
    for (const file of ['shop.berth.test.pem', 'account/account.pem']) {
      expect((await stat(join(shelf, file))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(shelf, file), 'utf8')).toContain('PRIVATE KEY');
    }
  },
);

test('a restart asks for nothing that is there, and the account stays', async () => {
  const first = await start(['http-01']);
  const { peer } = await visit('shop.berth.test');
  await first.acme?.close();
  [tlsPort = 0] = await freePorts(1);
  await start(['http-01'], first);
  expect((await visit('shop.berth.test')).peer.serialNumber).toBe(peer.serialNumber);
  expect(events('certificate.obtained')).toEqual([]);
  const account = async () => {
    const [directory = ''] = await readdir(join(first.folder, 'acme'));
    return readFile(join(first.folder, 'acme', directory, 'account/account.pem'), 'utf8');
  };
  const before = await account();
  await visit('blog.berth.test');
  expect(events('certificate.obtained')).toHaveLength(1);
  expect(await account()).toBe(before);
});

test('at two thirds of its life it is renewed without a visitor', async () => {
  const { acme, clock } = await start(['http-01']);
  const { peer } = await visit('shop.berth.test');
  const leaf = acme?.certificate('shop.berth.test')?.leaf;
  expect(leaf?.serial).toBe(peer.serialNumber);
  const { notBefore = 0, notAfter = 0 } = leaf ?? {};
  const due = notBefore + ((notAfter - notBefore) * 2) / 3;
  clock.jump(due - clock.now() - DAY_MS);
  expect(acme?.attempts()).toEqual([]);
  clock.jump(DAY_MS + 60_000);
  await expect.poll(() => events('certificate.obtained').length, { timeout: 30_000 }).toBe(2);
  const renewed = acme?.certificate('shop.berth.test')?.leaf.serial;
  expect(renewed).not.toBe(peer.serialNumber);
  expect((await visit('shop.berth.test')).peer.serialNumber).toBe(renewed);
  expect(acme?.attempts()).toEqual([]);
  expect(events('certificate.obtained')).toHaveLength(2);
});

test('a failed proof is said with its reason, waited for, tried again by the next proof, and serving goes on', async () => {
  const { acme, certificates, clock } = await start(['http-01', 'tls-alpn-01']);
  elsewhere = 'somebody else';
  const first = await visit('shop.berth.test');
  expect(first.refused).toBeDefined();
  expect(first.peer.issuer.CN).toContain('Berth local authority');
  const [attempt] = acme?.attempts() ?? [];
  expect(attempt).toMatchObject({ hostname: 'shop.berth.test', state: 'failed' });
  expect(attempt?.because).toMatch(/^http-01 failed: .*somebody else/);
  expect(certificates.find('shop.berth.test')).toMatchObject({ source: 'acme', state: 'failed' });
  expect(events('certificate.failed')).toMatchObject([
    { hostname: 'shop.berth.test', failures: 1 },
  ]);

  // Too early: nothing is asked.
  clock.jump(55_000);
  expect((await visit('shop.berth.test')).refused).toBeDefined();
  expect(events('certificate.obtained')).toEqual([]);
  expect(events('certificate.failed')).toHaveLength(1);

  clock.jump(12_000);
  expect((await visit('shop.berth.test')).refused).toBeUndefined();
  expect(events('certificate.obtained')).toMatchObject([{ proof: 'tls-alpn-01' }]);
  expect(acme?.attempts()).toEqual([]);
});

test('a visitor does not wait for ever, nor do many who come at once keep each other waiting', async () => {
  const { acme, clock } = await start(['http-01']);
  const names = Array.from({ length: 5 }, (_, index) => `n${index}.berth.test`);
  const seen = await Promise.all(names.map((name) => visit(name)));
  expect(seen.map(({ refused }) => refused)).toEqual(names.map(() => undefined));

  isSilent = true;
  const visited = visit('slow.berth.test');
  await expect.poll(() => asked.some((one) => one.startsWith('slow.berth.test'))).toBe(true);
  expect(acme?.attempts()).toMatchObject([{ hostname: 'slow.berth.test', state: 'pending' }]);
  clock.jump(15_000);
  expect((await visited).peer.issuer.CN).toContain('Berth local authority');
  expect(acme?.attempts()).toMatchObject([{ state: 'pending' }]);
});

test('nothing is asked for names that lead nowhere, are this machine’s own, or have a certificate of their own', async () => {
  await start(['http-01', 'tls-alpn-01']);
  for (const name of ['elsewhere.test', 'localhost', 'a.localhost']) {
    expect((await visit(name)).peer.issuer.CN).toContain('Berth local authority');
    await world?.acme?.ensure(name);
  }
  expect(world?.acme?.attempts()).toEqual([]);
  expect(events('certificate.obtained')).toEqual([]);
});

test('an authority that cannot be reached is said, and closing does not wait for it', async () => {
  const started = await start(['http-01']);
  await pebble.stop();
  const [gone = 0] = await freePorts(1);
  world = await startTls({
    acme: { directory: `https://127.0.0.1:${gone}/dir`, proofs: ['http-01'] },
    folder: started.folder,
  });
  await world.acme?.ensure('shop.berth.test');
  expect(world.acme?.attempts()[0]?.because).toContain('ECONNREFUSED');
  await world.stop();
});

test('a removed certificate is asked for anew at the next visit', async () => {
  const { certificates } = await start(['http-01']);
  const { peer } = await visit('shop.berth.test');
  await certificates.remove('shop.berth.test');
  expect((await visit('shop.berth.test')).peer.serialNumber).not.toBe(peer.serialNumber);
  await expect(certificates.remove('blog.berth.test')).rejects.toMatchObject({
    code: 'CERTIFICATE_NOT_FOUND',
  });
});
