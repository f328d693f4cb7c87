/** Each hostname is served by the right certificate, from the next handshake on after a change. */
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import {
  DAY_MS,
  foreignPair,
  shake,
  startTls,
  strangeKey,
  type TlsWorld,
  type TlsWorldOptions,
} from './fixtures/world.ts';

const worlds: TlsWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0).reverse()) await world.stop();
});
async function start(options?: TlsWorldOptions): Promise<TlsWorld> {
  const world = await startTls(options);
  worlds.push(world);
  return world;
}
const kept = (world: TlsWorld) =>
  world.certificates.list().map(({ hostname, source, state }) => `${hostname} ${source} ${state}`);

describe('the local authority', () => {
  test('serves every hostname that leads here with a certificate that its clients trust', async () => {
    const world = await start();
    const { port } = await world.listen();
    const trusted = await world.trusted();
    for (const name of ['hello-abcd1234.localhost', 'localhost', 'berth.localhost']) {
      const seen = await shake(port, name, { trusted });
      expect(seen.refused).toBeUndefined();
      expect(seen.names).toContain(name);
    }
    expect((await shake(port, 'a.localhost')).refused).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('serves all deployments of a domain with one wildcard', async () => {
    const world = await start({ domain: 'apps.test' });
    const { port } = await world.listen();
    const trusted = await world.trusted();
    const seen = await Promise.all(
      ['a.apps.test', 'b.apps.test', 'c.apps.test'].map((name) => shake(port, name, { trusted })),
    );
    expect(seen.map(({ refused }) => refused)).toEqual([undefined, undefined, undefined]);
    expect(new Set(seen.map(({ peer }) => peer.fingerprint256)).size).toBe(1);
    expect(seen[0]?.names).toEqual(['*.apps.test']);
  });

  test('signs nothing for names that lead nowhere: those and clients without a name get the default', async () => {
    const world = await start({ isServed: (name) => name === 'a.localhost' });
    const { port } = await world.listen();
    for (const name of ['x.example.com', 'b.localhost', 'a..b', '*.localhost', undefined]) {
      const seen = await shake(port, name);
      expect(seen.names).toContain('berth.localhost');
      expect(seen.names).toContain('IP Address:127.0.0.1');
    }
    await shake(port, 'a.localhost');
    expect(kept(world)).toEqual(['a.localhost local valid', 'berth.localhost local valid']);
  });

  test('signs once for many who come at once', async () => {
    const world = await start();
    const { port } = await world.listen();
    const seen = await Promise.all(Array.from({ length: 30 }, () => shake(port, 'a.localhost')));
    expect(new Set(seen.map(({ peer }) => peer.fingerprint256)).size).toBe(1);
  });

  test('is trusted by curl, at a name and at an address', async () => {
    const world = await start();
    const { port } = await world.listen();
    const { path } = await world.certificates.authority();
    const curl = (host: string) =>
      promisify(execFile)('curl', [
        ...['--silent', '--show-error', '--cacert', path, '--http0.9', '--noproxy', '*'],
        ...['--resolve', `a.localhost:${port}:127.0.0.1`, `https://${host}:${port}/`],
      ]);
    expect((await curl('a.localhost')).stdout).toBe('hello');
    expect((await curl('127.0.0.1')).stdout).toBe('hello');
  });

  test('renews at two thirds of a life, beside the handshake that sees it', async () => {
    const world = await start();
    const { port } = await world.listen();
    const first = await shake(port, 'a.localhost');
    const nameless = await shake(port, undefined);
    world.clock.jump(59 * DAY_MS);
    expect((await shake(port, 'a.localhost')).peer.serialNumber).toBe(first.peer.serialNumber);
    world.clock.jump(2 * DAY_MS);
    expect((await shake(port, 'a.localhost')).peer.serialNumber).toBe(first.peer.serialNumber);
    const serial = async (name?: string) => (await shake(port, name)).peer.serialNumber;
    await expect.poll(() => serial('a.localhost')).not.toBe(first.peer.serialNumber);
    await expect.poll(() => serial()).not.toBe(nameless.peer.serialNumber);
  });

  test('is not used once expired: the handshake waits for a new one', async () => {
    const world = await start();
    const { port } = await world.listen();
    const first = await shake(port, 'a.localhost');
    world.clock.jump(91 * DAY_MS);
    expect((await shake(port, 'a.localhost')).peer.serialNumber).not.toBe(first.peer.serialNumber);
  });
});

describe("one's own certificate", () => {
  test('serves its hostname from the next handshake on, and no longer when it is removed', async () => {
    const world = await start();
    const { port } = await world.listen();
    const serial = async () => (await shake(port, 'shop.test')).peer.serialNumber;
    const local = await serial();
    const [one, two] = [await foreignPair(['shop.test']), await foreignPair(['shop.test'])];

    const view = await world.certificates.put('Shop.TEST', one.pair);
    expect(view).toMatchObject({ hostname: 'shop.test', source: 'own', state: 'valid' });
    expect(await serial()).toBe(view.leaf?.serial);
    expect((await shake(port, 'shop.test', { trusted: one.authority.certificate })).refused).toBe(
      undefined,
    );
    const replaced = await world.certificates.put('shop.test', two.pair);
    expect(await serial()).toBe(replaced.leaf?.serial);
    await world.certificates.remove('shop.test');
    expect(await serial()).toBe(local);
    await expect(world.certificates.remove('shop.test')).rejects.toMatchObject({
      code: 'CERTIFICATE_NOT_FOUND',
    });
  });

  test('goes before a wildcard, which serves what is beside it', async () => {
    const world = await start();
    const { port } = await world.listen();
    const exact = await world.certificates.put(
      'a.shop.test',
      (await foreignPair(['a.shop.test'])).pair,
    );
    const wild = await world.certificates.put(
      '*.shop.test',
      (await foreignPair(['*.shop.test'])).pair,
    );
    const serial = async (name: string) => (await shake(port, name)).peer.serialNumber;
    expect(await serial('a.shop.test')).toBe(exact.leaf?.serial);
    expect(await serial('b.shop.test')).toBe(wild.leaf?.serial);
    expect([wild.leaf?.serial, exact.leaf?.serial]).not.toContain(await serial('a.b.shop.test'));
    expect(world.certificates.find('b.shop.test').hostname).toBe('*.shop.test');
  });

  test('keeps serving when what is to replace it is refused', async () => {
    const world = await start();
    const { port } = await world.listen();
    const { pair } = await foreignPair(['shop.test']);
    const { leaf } = await world.certificates.put('shop.test', pair);
    for (const bad of [
      { ...pair, key: strangeKey() },
      (await foreignPair(['other.test'])).pair,
      (
        await foreignPair(['shop.test'], {
          notBefore: Date.now() - 3 * DAY_MS,
          notAfter: Date.now() - DAY_MS,
        })
      ).pair,
    ]) {
      await expect(world.certificates.put('shop.test', bad)).rejects.toMatchObject({
        code: 'CERTIFICATE_INVALID',
      });
    }
    for (const name of ['127.0.0.1', '*.com', '../x', '']) {
      await expect(world.certificates.put(name, pair)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
    expect((await shake(port, 'shop.test')).peer.serialNumber).toBe(leaf?.serial);
  });

  test('gives way when it expires, and is shown as what it is', async () => {
    const world = await start();
    const { port } = await world.listen();
    const soon = { notAfter: world.clock.now() + 30 * 60_000 };
    await world.certificates.put(
      'shop.localhost',
      (await foreignPair(['shop.localhost'], soon)).pair,
    );
    world.clock.jump(40 * 60_000);
    const seen = await shake(port, 'shop.localhost', { trusted: await world.trusted() });
    expect(seen.refused).toBeUndefined();
    expect(kept(world)).toContain('shop.localhost own expired');
  });

  test('is kept over a restart in a file for its owner alone, and a damaged one is passed over and said', async () => {
    const first = await start();
    const { pair } = await foreignPair(['shop.test', '*.shop.test']);
    const { leaf } = await first.certificates.put('shop.test', pair);
    await first.certificates.put('*.shop.test', pair);
    const folder = join(first.folder, 'own');
    expect((await readdir(folder)).sort()).toEqual(['+.shop.test.pem', 'shop.test.pem']);
    for (const file of await readdir(folder)) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
    await writeFile(join(folder, 'bad.test.pem'), 'half a fi');
    // As when somebody copied it there by hand.
    await chmod(join(folder, 'shop.test.pem'), 0o644);
    const again = await start({ folder: first.folder });
    expect((await stat(join(folder, 'shop.test.pem'))).mode & 0o777).toBe(0o600);
    const { port } = await again.listen();
    expect((await shake(port, 'shop.test')).peer.serialNumber).toBe(leaf?.serial);
    expect((await shake(port, 'x.shop.test')).peer.serialNumber).toBe(leaf?.serial);
    expect(again.reported).toContainEqual({
      level: 'warn',
      event: 'certificate.unusable',
      facts: {
        hostname: 'bad.test',
        because: 'The certificate has no PEM block BEGIN CERTIFICATE.',
      },
    });
  });

  test('shows nothing of its key in any view or report', async () => {
    const world = await start();
    const { pair } = await foreignPair(['shop.test']);
    await world.certificates.put('shop.test', pair);
    const secret = pair.key.split('\n')[1] ?? '';
    expect(await readFile(join(world.folder, 'own', 'shop.test.pem'), 'utf8')).toContain(secret);
    const shown = JSON.stringify([world.certificates.list(), world.reported]);
    expect(shown).not.toContain(secret);
  });
});
