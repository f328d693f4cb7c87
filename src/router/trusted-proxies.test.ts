/** Proves that only trusted proxies may say who asked, and that what anybody else says of it is replaced. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import {
  APP,
  APP_HOST,
  call,
  dial,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import type { RouterOptions } from './router.ts';
import { TrustedProxies } from './trusted-proxies.ts';

let world: World;
afterEach(() => world.stop());

const SAID = {
  'X-Forwarded-For': '6.6.6.6',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'shop.example.com',
  'X-Forwarded-Port': '443',
  'X-Real-IP': '6.6.6.6',
  Forwarded: 'for=6.6.6.6',
  'X-Request-Id': 'theirs',
};

async function start(options: Partial<RouterOptions> = {}): Promise<void> {
  world = await startWorld(options);
  await world.fleet.serve(APP, (req, res) => res.end(JSON.stringify(req.headers)));
}

async function seen(): Promise<Record<string, string>> {
  return JSON.parse((await call(world, { headers: SAID })).text) as Record<string, string>;
}

const OTHERS = { trustedProxies: ['10.0.0.0/8', '::1'] };

describe('what a request says of who asked', () => {
  it.each<[string, Partial<RouterOptions>]>([
    ['nobody is trusted', {}],
    ['others are trusted', OTHERS],
  ])('is replaced when %s', async (_name, options) => {
    await start(options);
    const headers = await seen();
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': APP_HOST,
      forwarded: `for=127.0.0.1;host="${APP_HOST}";proto=http`,
    });
    expect(headers['x-request-id']).toBe(headers['x-berth-id']);
    expect(headers).not.toHaveProperty('x-forwarded-port');
    expect(headers).not.toHaveProperty('x-real-ip');
  });

  it('is kept and added to when a trusted proxy says it', async () => {
    await start({ trustedProxies: ['127.0.0.1'] });
    expect(await seen()).toMatchObject({
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example.com',
      'x-forwarded-port': '443',
      'x-real-ip': '6.6.6.6',
      forwarded: `for=6.6.6.6, for=127.0.0.1;host="${APP_HOST}";proto=https`,
      'x-request-id': 'theirs',
    });
  });

  it('is added where a trusted proxy says nothing', async () => {
    await start({ trustedProxies: ['127.0.0.0/8'] });
    const headers = JSON.parse((await call(world)).text) as Record<string, string>;
    expect(headers).toMatchObject({
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
      ...{ 'x-forwarded-host': APP_HOST, 'x-request-id': headers['x-berth-id'] },
    });
  });

  it('is replaced over HTTP/2 as well', async () => {
    await start();
    const session = connect(`http://127.0.0.1:${world.port}`);
    const stream = session.request({ ':authority': APP_HOST, 'x-forwarded-for': '6.6.6.6' });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)));
    await once(stream, 'end');
    expect(JSON.parse(text)).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
    session.destroy();
  });
});

describe('a trusted proxy', () => {
  it('that has ended TLS itself is not sent to https', async () => {
    const secure = { tls: {}, redirectPort: () => 443 };
    await start({ secure, trustedProxies: ['127.0.0.1'] });
    expect((await call(world, { headers: SAID })).status).toBe(200);
    expect((await call(world)).status).toBe(308);
  });

  it('brings many clients, and so is not counted as one', async () => {
    await start({ limits: { socketsPerClient: 1 }, trustedProxies: ['127.0.0.1'] });
    const held = [await dial(world), await dial(world)];
    for (const socket of held) socket.resume();
    expect((await call(world)).status).toBe(200);
    for (const socket of held) socket.destroy();
    await until(() => world.fleet.active === 0);
  });
});

it.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['11.0.0.1', false],
  ['::1', true],
  ['::2', false],
  [undefined, false],
])('%s is among 10.0.0.0/8 and ::1: %s', async (address, isAmong) => {
  await start();
  expect(new TrustedProxies(OTHERS.trustedProxies).has(address)).toBe(isAmong);
});

describe('the trace that a request belongs to', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

  it.each([
    ['a good one', `00-${TRACE}-00f067aa0ba902b7-01`, TRACE],
    ['one of a later version', `01-${TRACE}-00f067aa0ba902b7-01-more`, TRACE],
    ['one of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
    ['one of a version that is none', `ff-${TRACE}-00f067aa0ba902b7-01`, undefined],
    ['nonsense', 'theirs"}', undefined],
  ])(
    'reaches the app untouched, and the record when it is valid: %s',
    async (_name, sent, traceId) => {
      await start();
      const headers = { traceparent: sent, tracestate: 'vendor=1' };
      const reply = await call(world, { headers });
      expect(JSON.parse(reply.text)).toMatchObject(headers);
      await until(() => world.records.length === 1);
      expect(world.records[0]?.traceId).toBe(traceId);
    },
  );
});
