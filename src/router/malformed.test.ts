/** What could be read in two ways, or is too much, is refused by name; what is merely unknown gets a page. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  APP,
  APP_HOST,
  call,
  dial,
  readAll,
  sendRaw,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld({ limits: { headersTimeoutMs: 50, headerCount: 50, urlBytes: 1000 } });
  await world.fleet.serve(APP, (_req, res) => res.end('I am the app'));
});

afterEach(() => world.stop());

describe('a request that cannot be understood', () => {
  const host = `Host: ${APP_HOST}\r\n`;
  it.each([
    ['no request at all', 'hello\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['no host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400],
    ['two hosts', `GET / HTTP/1.1\r\n${host}Host: other.localhost\r\n\r\n`, 400],
    ['the same host twice', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 400],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: <b>\r\n\r\n', 400],
    ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
    ['another host in the target', `GET http://other/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['a target without a slash', `GET x HTTP/1.1\r\n${host}\r\n`, 400],
    ['* for GET', `GET * HTTP/1.1\r\n${host}\r\n`, 400],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      400,
    ],
    [
      'two kinds of length',
      `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is none', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`, 400],
    ['an unknown encoding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`, 400],
    ['a space before the colon', `GET / HTTP/1.1\r\n${host}X-A : b\r\n\r\n`, 400],
    ['a folded header', `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`, 400],
    ['a bare CR', `GET / HTTP/1.1\r\n${host}X-A: b\rX-B: c\r\n\r\n`, 400],
    ['a control character', `GET / HTTP/1.1\r\n${host}X-A: \u0000\r\n\r\n`, 400],
    ['a bad chunk', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['large headers', `GET / HTTP/1.1\r\n${host}X-A: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['many headers', `GET / HTTP/1.1\r\n${host}${'X-A: b\r\n'.repeat(60)}\r\n`, 431],
    ['a long path', `GET /${'a'.repeat(2000)} HTTP/1.1\r\n${host}\r\n`, 414],
  ])('is refused: %s', async (_name, bytes, status) => {
    const answer = await sendRaw(world, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('x-berth-error: BAD_REQUEST');
    expect(answer).toMatch(/x-berth-id: [0-9a-z]+-/);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).not.toContain('I am the app');
    await until(() => world.fleet.active === 0);
  });

  it('with a method that nobody knows is told about the method', async () => {
    const answer = await sendRaw(world, `BREW /coffee HTTP/1.1\r\n${host}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('It does not begin with a method of HTTP that is known here.');
  });

  it('does not hold up headers that never end', async () => {
    const socket = await dial(world);
    const answer = readAll(socket);
    socket.write('GET / HTTP/1.1\r\nHost: ');
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('behind a good one does not garble the answer that is under way', async () => {
    const answer = await sendRaw(world, `GET / HTTP/1.1\r\n${host}\r\nrubbish\r\n\r\n`);
    expect(answer.match(/HTTP\/1\.1 \d/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  it('cannot smuggle another in its body', async () => {
    const inner = `GET /inner HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
    const answer = await sendRaw(
      world,
      `POST / HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect(world.fleet.acquired).toBe(1);
  });
});

describe('the page of an unknown host', () => {
  it('is HTML for a browser, with nothing of the request in it as code', async () => {
    const reply = await call(world, {
      host: 'nobody.localhost:8080',
      path: '/<script>',
      headers: { accept: 'text/html,*/*' },
    });
    expect(reply.status).toBe(404);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.headers['x-berth-error']).toBe('NOT_FOUND');
    expect(reply.text).toContain('nobody.localhost');
    expect(reply.text).toContain('http://berth.localhost:8080/docs/errors/NOT_FOUND');
    expect(reply.text).not.toContain('<script');
  });

  it('is a problem for everything else', async () => {
    const reply = await call(world, { host: 'nobody.localhost:8080' });
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(reply.text)).toEqual({
      type: 'http://berth.localhost:8080/docs/errors/NOT_FOUND',
      title: 'There is nothing here',
      status: 404,
      detail: 'Nothing is deployed at nobody.localhost.',
      code: 'NOT_FOUND',
      advice: 'Check the address, hostname and path; `berth ls` shows what is deployed.',
      id: reply.headers['x-berth-id'],
    });
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({
      status: 404,
      error: 'NOT_FOUND',
      host: 'nobody.localhost:8080',
    });
  });

  it('has no body for HEAD', async () => {
    const reply = await call(world, { host: 'nobody.localhost', method: 'HEAD' });
    expect(reply.status).toBe(404);
    expect(reply.text).toBe('');
    expect(Number(reply.headers['content-length'])).toBeGreaterThan(0);
  });
});
