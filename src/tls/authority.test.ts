/** The local authority is made once, kept closed, known by clients that trust it, and able to vouch for nobody else's names. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DAY_MS, startTls, type TlsWorld, type TlsWorldOptions } from './fixtures/world.ts';
import { readLeaf } from './pair.ts';

const worlds: TlsWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0).reverse()) await world.stop();
});
async function start(options?: TlsWorldOptions): Promise<TlsWorld> {
  const world = await startTls(options);
  worlds.push(world);
  return world;
}

/** What OpenSSL says of a certificate to a client that trusts the authority. */
async function judge(world: TlsWorld, certificate: string): Promise<string> {
  const [trusted, leaf] = [join(world.folder, 'ca'), join(world.folder, 'leaf')];
  await Promise.all([writeFile(trusted, await world.trusted()), writeFile(leaf, certificate)]);
  try {
    return execFileSync('openssl', ['verify', '-purpose', 'sslserver', '-CAfile', trusted, leaf], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

test('nothing is made before it is needed, then one authority for all who ask at once', async () => {
  const world = await start();
  await expect(readdir(join(world.folder, 'authority'))).rejects.toThrow('ENOENT');
  const pairs = await Promise.all(
    ['a.localhost', 'b.localhost', 'c.localhost'].map((name) => world.authority.sign([name])),
  );
  const { certificate, path } = await world.authority.facts();
  const authority = new X509Certificate(certificate);
  for (const pair of pairs) {
    expect(new X509Certificate(pair.certificate).verify(authority.publicKey)).toBe(true);
  }
  expect(new Set(pairs.map((pair) => readLeaf(pair.certificate).serial)).size).toBe(3);
  expect(await readFile(path, 'utf8')).toBe(`${certificate.trim()}\n`);
  expect(world.reported.map(({ event }) => event)).toEqual(['authority.made']);
});

test('its key is for its owner alone, and its certificate for everybody', async () => {
  const world = await start();
  const { path } = await world.authority.facts();
  const folder = join(world.folder, 'authority');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'localhost.pem'))).mode & 0o777).toBe(0o600);
  expect((await stat(path)).mode & 0o777).toBe(0o644);
  expect(await readFile(path, 'utf8')).not.toContain('PRIVATE');
});

test('clients accept what it signs for its domain and below, and for loopback, and nothing else', async () => {
  const world = await start({ domain: 'apps.test' });
  const { authority } = world;
  const good = await authority.sign(
    ['shop.apps.test', '*.apps.test', 'a.localhost'],
    ['127.0.0.1', '::1'],
  );
  expect(await judge(world, good.certificate)).toMatch(/: OK$/);
  for (const name of ['bank.test', 'bank.com', 'xapps.test']) {
    const bad = await authority.sign([name]);
    expect(await judge(world, bad.certificate)).toContain('permitted subtree violation');
  }
  const elsewhere = await authority.sign(['a.apps.test'], ['192.0.2.1']);
  expect(await judge(world, elsewhere.certificate)).toContain('permitted subtree violation');
});

test('what it signs lives as long as browsers allow, and cannot sign in its turn', async () => {
  const world = await start();
  const { certificate } = await world.authority.sign(['a.localhost']);
  const { notBefore, notAfter, names } = readLeaf(certificate);
  expect(names).toEqual(['a.localhost']);
  expect(notAfter - notBefore).toBe(90 * DAY_MS);
  expect(notBefore).toBeLessThan(world.clock.now() - 30 * 60_000);
  expect(new X509Certificate(certificate).ca).toBe(false);
});

test('it is the same after a restart, another one for another domain, and the first one again after that', async () => {
  const first = await start();
  const { fingerprint256 } = await first.authority.facts();
  const { folder } = first;
  const again = await start({ folder });
  expect((await again.authority.facts()).fingerprint256).toBe(fingerprint256);
  const other = await start({ folder, domain: 'apps.test' });
  expect((await other.authority.facts()).fingerprint256).not.toBe(fingerprint256);
  const back = await start({ folder });
  expect((await back.authority.facts()).fingerprint256).toBe(fingerprint256);
});

test('it is replaced, and that said, when its end is near or its file is damaged', async () => {
  const world = await start();
  const { fingerprint256, notAfter } = await world.authority.facts();
  world.clock.jump(notAfter - world.clock.now() - 89 * DAY_MS);
  const second = await world.authority.facts();
  expect(second.fingerprint256).not.toBe(fingerprint256);
  expect(world.reported.find(({ event }) => event === 'authority.replaced')?.facts).toMatchObject({
    because: 'its end is near',
  });
  const { certificate } = await world.authority.sign(['a.localhost']);
  expect(await judge(world, certificate)).not.toContain('signature');

  await writeFile(join(world.folder, 'authority', 'localhost.pem'), 'not a key');
  const third = await start({ folder: world.folder, clock: world.clock });
  expect((await third.authority.facts()).fingerprint256).not.toBe(second.fingerprint256);
  expect(third.reported.map(({ event }) => event)).toEqual([
    'authority.replaced',
    'authority.made',
  ]);
});

test('a folder that cannot be used is said, and asked again the next time', async () => {
  const world = await start();
  await writeFile(join(world.folder, 'authority'), 'in the way');
  await expect(world.authority.facts()).rejects.toMatchObject({ code: 'DATA_FOLDER' });
  await expect(world.authority.sign(['a.localhost'])).rejects.toMatchObject({
    code: 'DATA_FOLDER',
  });
});
