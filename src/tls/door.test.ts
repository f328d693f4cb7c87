/** Proofs are shown to whoever knocks for them, and ordinary clients never see one. */
import { connect as connectPlain, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foreignPair, shake, startTls, type TlsWorld } from './fixtures/world.ts';

let world: TlsWorld;
let port: number;
beforeEach(async () => {
  world = await startTls();
  ({ port } = await world.listen());
});
afterEach(() => world.stop());

const KNOCK = { protocols: ['acme-tls/1'] };
async function expectProof(hostname: string) {
  const { pair } = await foreignPair([hostname]);
  const challenge = { kind: 'tls-alpn-01', hostname, pair } as const;
  world.challenges.present(challenge);
  return challenge;
}

test('a knock sees the proof and its protocol, everybody else the certificate', async () => {
  await expectProof('shop.localhost');
  const [knocked, visited] = await Promise.all([
    shake(port, 'shop.localhost', KNOCK),
    shake(port, 'shop.localhost', { trusted: await world.trusted(), protocols: ['http/1.1'] }),
  ]);
  expect(knocked).toMatchObject({ protocol: 'acme-tls/1', names: ['shop.localhost'] });
  expect(knocked.refused).toBeDefined();
  expect(visited.refused).toBeUndefined();
  expect(visited.peer.serialNumber).not.toBe(knocked.peer.serialNumber);
});

test('a knock for a hostname without a proof sees none, and one when nothing is asked is an ordinary handshake', async () => {
  const challenge = await expectProof('shop.localhost');
  const other = await shake(port, 'other.localhost', KNOCK);
  expect(other.names).not.toContain('shop.localhost');
  world.challenges.withdraw(challenge);
  expect((await shake(port, 'shop.localhost', KNOCK)).protocol).toBe(false);
});

test('a knock that comes byte by byte is understood, and so is an ordinary handshake', async () => {
  await expectProof('shop.localhost');
  for (const [protocols, expected] of [
    [['acme-tls/1'], 'acme-tls/1'],
    [['http/1.1'], false],
  ] as const) {
    const socket = connectPlain(port, '127.0.0.1');
    const tls = connect({
      socket: dribble(socket),
      servername: 'shop.localhost',
      ALPNProtocols: [...protocols],
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve, reject) => {
      tls.once('secureConnect', resolve);
      tls.once('error', reject);
    });
    expect(tls.alpnProtocol).toBe(expected);
    tls.destroy();
    socket.destroy();
  }
});

test('what is no handshake is turned away while proofs are asked for', async () => {
  await expectProof('shop.localhost');
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff', '\x16']) {
    const socket = connectPlain(port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume();
    socket.end(bytes, 'latin1');
    await closed;
  }
  expect((await shake(port, 'shop.localhost', KNOCK)).protocol).toBe('acme-tls/1');
});

test('tokens are answered for their host and path only', () => {
  const challenge = {
    kind: 'http-01',
    hostname: 'shop.test',
    token: 'tok',
    answer: 'proof',
  } as const;
  const { challenges } = world;
  const path = '/.well-known/acme-challenge/tok';
  expect(challenges.challengeAnswer('shop.test', path)).toBeUndefined();
  challenges.present(challenge);
  expect(challenges.challengeAnswer('shop.test', path)).toBe('proof');
  expect(challenges.challengeAnswer('shop.test', `${path}?x=1`)).toBe('proof');
  expect(challenges.challengeAnswer('other.test', path)).toBeUndefined();
  expect(challenges.challengeAnswer('shop.test', `${path}x`)).toBeUndefined();
  expect(challenges.challengeAnswer('shop.test', '/tok')).toBeUndefined();
  challenges.withdraw(challenge);
  expect(challenges.challengeAnswer('shop.test', path)).toBeUndefined();
});

/** The same connection, whose bytes leave one at a time. */
function dribble(socket: Socket): Duplex {
  socket.setNoDelay(true);
  const slow = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      const bytes = [...chunk];
      const next = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) done();
        else socket.write(Buffer.of(byte), () => setImmediate(next));
      };
      next();
    },
  });
  socket.on('data', (chunk) => slow.push(chunk));
  socket.on('end', () => slow.push(null));
  return slow;
}
