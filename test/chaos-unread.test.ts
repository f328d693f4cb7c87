/** Requests on an instance that stops reading, on real containers: what it never read is served elsewhere, once. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';

/** Says what it did and who it is; can be told to answer nothing any more, after an answer or instead of one. */
const APP = `
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
const block = () => {
  const end = Date.now() + 600_000;
  while (Date.now() < end);
};
createServer(async (request, response) => {
  const body = await text(request);
  if (request.method === 'POST') console.log('did ' + body + ';');
  if (request.url === '/read-and-block') block();
  if (request.url === '/answer-and-block') response.once('finish', () => setTimeout(block, 50));
  response.end(hostname());
}).listen(0);
`;

let berth: Berth;

beforeAll(async () => {
  berth = await Berth.up();
});
afterAll(() => berth.close());

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly code: string | undefined;
}

async function send(url: URL, path: string, body?: string): Promise<Reply> {
  const port = await berth.port();
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    agent: new Agent(),
    method: body === undefined ? 'GET' : 'POST',
    headers: { host: url.host, accept: 'application/json' },
  }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const code = response.headers['x-berth-error'];
  return {
    status: response.statusCode ?? 0,
    body: await text(response),
    code: typeof code === 'string' ? code : undefined,
  };
}

/** How often the app, in whichever instance, carried a request out. */
async function timesDone(url: URL, body: string): Promise<number> {
  const log = await berth.run('logs', url.hostname.split('.')[0] ?? '', '--lines', '1000');
  return log.split(`did ${body};`).length - 1;
}

test('a POST that a recycled instance has accepted or not, and never read, is carried out once by the next', async () => {
  const url = await berth.deploy(
    'hello',
    { name: 'blocking', limits: { duration: 8_000 } },
    { 'server.mjs': APP },
  );
  const first = await send(url, '/');
  await systemClock.sleep(4_000);
  const blocking = await send(url, '/answer-and-block');
  expect(blocking.body).toBe(first.body);
  await systemClock.sleep(200);
  // The first of them takes the connection that stands, the others make new ones, which nobody accepts.
  const bodies = ['one', 'two', 'three', 'four'];
  const replies = await Promise.all(bodies.map((body) => send(url, '/', body)));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(replies.filter((reply) => reply.body === first.body)).toEqual([]);
  for (const body of bodies) expect(await timesDone(url, body)).toBe(1);
  await berth.until(url, (states) => states.every((state) => state !== 'draining'));
});

test('a POST that was read by an instance that then answers nothing is 502 and never sent twice; the others are served', async () => {
  const url = await berth.deploy(
    'hello',
    { name: 'hanging', healthPath: '/up' },
    { 'server.mjs': APP },
  );
  const first = await send(url, '/');
  const read = send(url, '/read-and-block', 'read');
  while ((await timesDone(url, 'read')) === 0) await systemClock.sleep(50);
  const unread = await Promise.all([send(url, '/', 'five'), send(url, '/', 'six'), send(url, '/')]);
  expect(unread.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(unread.filter((reply) => reply.body === first.body)).toEqual([]);
  expect(await read).toMatchObject({ status: 502, code: 'INSTANCE_DIED' });
  for (const body of ['read', 'five', 'six']) expect(await timesDone(url, body)).toBe(1);
  await berth.until(url, (states) => states.every((state) => state !== 'draining'));
}, 120_000);
