/**
 * Requests that two readers could take apart in two places: none of them, and nothing behind them on the same
 * connection, reaches an app. Each has a good request behind it, which would be served if its end were misjudged.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  APP,
  APP_HOST,
  dial,
  readAll,
  sendRaw,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;
/** Requests whose body came to its end in the app. */
let served: string[];

beforeEach(async () => {
  world = await startWorld();
  served = [];
  await world.fleet.serve(APP, async (req, res) => {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    served.push(`${req.method} ${req.url} ${text}`);
    res.end();
  });
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

const HOST = `Host: ${APP_HOST}\r\n`;
const BEHIND = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

const get = (headers: string) => `GET / HTTP/1.1\r\n${HOST}${headers}\r\n`;
const post = (headers: string, body = '') => `POST / HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const chunks = (body: string) => post(CHUNKED, body);

describe('a head that could be read in two ways is refused before anything is asked of the fleet', () => {
  it.each([
    ['ends of lines without CR', `GET / HTTP/1.1\nHost: ${APP_HOST}\n\n`],
    ['one end of line without CR', `GET / HTTP/1.1\r\n${HOST}X-A: b\n\r\n`],
    ['a line feed within a value', get('X-A: b\nX-B: c\r\n')],
    ['a CR within a value', get('X-A: b\rX-B: c\r\n')],
    ['a CR before the end', get('X-A: b\r\r\n')],
    ['a CR within a name', get('X-\rA: b\r\n')],
    ['a value that goes on in the next line', get('X-A: b\r\n c\r\n')],
    ['a value that goes on behind a tab', get('X-A: b\r\n\tc\r\n')],
    ['a first header that begins with a space', `GET / HTTP/1.1\r\n ${HOST}\r\n`],
    ['a space before the colon', get('X-A : b\r\n')],
    ['a space before the colon of a length', post('Content-Length : 5\r\n', 'hello')],
    [
      'a tab before the colon of an encoding',
      post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
    ],
    ['a header without a colon', get('X-A\r\n')],
    ['a header without a name', get(': b\r\n')],
    ['a name that is no token', get('X(A): b\r\n')],
    ['a NUL in a name', get('X-\0A: b\r\n')],
    ['a NUL in a value', get('X-A: b\0c\r\n')],
    ['a NUL in the path', `GET /\0 HTTP/1.1\r\n${HOST}\r\n`],
    ['a space in the path', `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ['a method that is no token', `G<T / HTTP/1.1\r\n${HOST}\r\n`],
    ['a version that is none', `GET / HTTP/1.1x\r\n${HOST}\r\n`],
    ['a version of another time', `GET / HTTP/3.7\r\n${HOST}\r\n`],
    ['the version of another protocol', `GET / HTTP/2.0\r\n${HOST}\r\n`],
    ['no version', `GET /\r\n${HOST}\r\n`],
    ['no host', 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n'],
    ['two hosts', get(`Host: other.localhost\r\n`)],
    ['the same host twice', get(HOST)],
    ['a list of hosts', `GET / HTTP/1.1\r\nHost: ${APP_HOST}, other.localhost\r\n\r\n`],
    ['a host with a path', `GET / HTTP/1.1\r\nHost: ${APP_HOST}/x\r\n\r\n`],
    ['a host with a user', `GET / HTTP/1.1\r\nHost: x@${APP_HOST}\r\n\r\n`],
    ['another host in the target', `GET http://other.localhost/ HTTP/1.1\r\n${HOST}\r\n`],
    ['a user in the target', `GET http://x@${APP_HOST}/ HTTP/1.1\r\n${HOST}\r\n`],
    ['an authority as the target', `GET ${APP_HOST}:80 HTTP/1.1\r\n${HOST}\r\n`],
    ['a length and chunks', post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n')],
    ['chunks and a length', post(`${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n')],
    ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
    ['the same length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
    ['a list of lengths', post('Content-Length: 5, 5\r\n', 'hello')],
    ['two numbers as a length', post('Content-Length: 5 5\r\n', 'hello')],
    ['a length with a plus', post('Content-Length: +5\r\n', 'hello')],
    ['a length with a minus', post('Content-Length: -5\r\n', 'hello')],
    ['a length in hexadecimal', post('Content-Length: 0x5\r\n', 'hello')],
    ['a length with a fraction', post('Content-Length: 5.0\r\n', 'hello')],
    ['a length without a number', post('Content-Length: \r\n', 'hello')],
    ['a length beyond 64 bits', post('Content-Length: 18446744073709551621\r\n', 'hello')],
    ['an unknown encoding', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
    ['no encoding at all, said as one', post('Transfer-Encoding: identity\r\n', 'hello')],
    ['chunks within another encoding', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
    ['chunks behind another encoding', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
    ['chunks twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
    ['chunks in two headers', post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n')],
    [
      'chunks and something else in two headers',
      post(`${CHUNKED}Transfer-Encoding: x\r\n`, '0\r\n\r\n'),
    ],
    ['chunks in quotes', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
    ['chunks behind a control character', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
    ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}${CHUNKED}\r\n0\r\n\r\n`],
  ])('%s', async (_name, bytes) => {
    const answer = await sendRaw(world, bytes + BEHIND);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('x-berth-error: BAD_REQUEST');
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(world.fleet.acquired).toBe(0);
    expect(served).toEqual([]);
  });
});

describe('chunks that could be read in two ways never come to an end in the app', () => {
  it.each([
    ['a size that is none', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['no size', '\r\nhello\r\n0\r\n\r\n'],
    ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a minus', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a space before it', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a space behind it', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a size with a tab behind it', '5\t\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a size that ends with LF only', '5\nhello\r\n0\r\n\r\n'],
    ['a size that ends with CR only', '5\rhello\r\n0\r\n\r\n'],
    ['a chunk that ends with LF only', '5\r\nhello\n0\r\n\r\n'],
    ['a chunk without an end', '5\r\nhello0\r\n\r\n'],
    ['a chunk that is longer than it says', '3\r\nhello\r\n0\r\n\r\n'],
    ['an extension with LF only', '5;a=b\nhello\r\n0\r\n\r\n'],
    ['an extension with CR in it', '5;a=\rb\r\nhello\r\n0\r\n\r\n'],
    ['an extension with NUL in it', '5;a=\0\r\nhello\r\n0\r\n\r\n'],
    ['a last chunk that ends with LF only', '5\r\nhello\r\n0\n\r\n'],
    ['an end with LF only', '5\r\nhello\r\n0\r\n\n'],
    ['a trailer with a space before the colon', '5\r\nhello\r\n0\r\nX-A : b\r\n\r\n'],
    ['a trailer that ends with LF only', '5\r\nhello\r\n0\r\nX-A: b\n\r\n'],
    ['a trailer that goes on in the next line', '5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n'],
    ['a trailer with a CR in it', '5\r\nhello\r\n0\r\nX-A: b\rX-B: c\r\n\r\n'],
    ['a length as trailer', '5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n'],
    ['an encoding as trailer', '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('%s', async (_name, body) => {
    const answer = await sendRaw(world, chunks(body) + BEHIND);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    await until(() => world.fleet.active === 0);
    expect(served).toEqual([]);
  });

  it('an extension without end is refused, however small its chunk', async () => {
    const socket = await dial(world);
    const answer = readAll(socket);
    socket.write(chunks(`5;${'a'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n${BEHIND}`), 'latin1');
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(served).toEqual([]);
  });
});

describe('what looks alike and is right', () => {
  it.each([
    ['a length', post('Content-Length: 5\r\nConnection: close\r\n', 'hello'), 'hello'],
    ['chunks', post(`${CHUNKED}Connection: close\r\n`, '5\r\nhello\r\n0\r\n\r\n'), 'hello'],
    [
      'chunks in capitals',
      post('Transfer-Encoding: CHUNKED\r\nConnection: close\r\n', '0\r\n\r\n'),
      '',
    ],
    [
      'an extension',
      post(`${CHUNKED}Connection: close\r\n`, '5;a="b"\r\nhello\r\n0;c\r\n\r\n'),
      'hello',
    ],
    [
      'zeros before a size',
      post(`${CHUNKED}Connection: close\r\n`, '005\r\nhello\r\n00\r\n\r\n'),
      'hello',
    ],
  ])('is served: %s', async (_name, bytes, body) => {
    const answer = await sendRaw(world, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(served).toEqual([`POST / ${body}`]);
  });
});
