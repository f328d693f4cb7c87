/** Proves that a stream outlives its connections, and that it ends when there is nothing to wait for. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { createClient } from './client.ts';

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  // Waiting takes no time here: only its order counts.
  const client = createClient({
    url: `http://127.0.0.1:${port}`,
    token: 't',
    sleep: async () => {},
  });
  return { server, client };
}

const line = (id: number) => `event: line\nid: ${id}\ndata: {"text":"line ${id}"}\n\n`;
const END = 'event: end\nid: 3\ndata: {"deployment":{"id":"x"}}\n\n';

test('a connection that breaks is taken up where it was', async () => {
  const asked: (string | undefined)[] = [];
  const { client } = await serve((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const next = asked.length;
    // Half of an event is none.
    response.write(next < 4 ? `${line(next)}event: line\nid: 9\ndata: {"te` : END, () => {
      if (next === 2) response.end();
      else if (next < 4) response.destroy();
      else response.end();
    });
  });
  const told = [];
  for await (const event of client.progress('x'))
    told.push(event.kind === 'line' ? event.text : event.kind);
  expect(told).toEqual(['line 1', 'line 2', 'line 3', 'end']);
  expect(asked).toEqual([undefined, '1', '2', '3']);
});

test('a refusal is thrown at once, a server that stays away after a while', async () => {
  let count = 0;
  const { server, client } = await serve((_request, response) => {
    count += 1;
    if (count > 1) {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({ code: 'DEPLOYMENT_NOT_FOUND', detail: 'gone', problems: [], log: [] }),
      );
      return;
    }
    response.writeHead(200).write(line(1), () => response.destroy());
  });
  const codeOf = async () => {
    try {
      for await (const event of client.progress('x')) expect(event.kind).toBe('line');
    } catch (error) {
      return error instanceof BerthError ? error.code : String(error);
    }
    return 'none';
  };
  expect(await codeOf()).toBe('DEPLOYMENT_NOT_FOUND');
  expect(count).toBe(2);

  count = 0;
  const began = client.progress('x');
  expect((await began.next()).value).toMatchObject({ text: 'line 1' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(began.next()).rejects.toMatchObject({ code: 'SERVER_NOT_RUNNING' });
});

test('a stream that always ends, whatever it tells again, is given up', async () => {
  let count = 0;
  const { client } = await serve((_request, response) => {
    count += 1;
    // What a server says whose own reading fails each time: the same steps, and lines it has told.
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: step\nid: 0\ndata: {"name":"build"}\n\n${line(1)}`);
  });
  const told = [];
  const following = (async () => {
    for await (const event of client.progress('x')) {
      told.push(event.kind);
      if (told.length > 1_000) throw new Error('it goes on for ever');
    }
  })();
  await expect(following).rejects.toMatchObject({
    code: 'INTERNAL',
    detail: expect.stringContaining('without anything new') as unknown,
  });
  expect(count).toBeLessThan(100);
});

test('whoever stops listening leaves, and an answer that is none of ours is said so', async () => {
  const left = Promise.withResolvers<void>();
  const { client } = await serve((request, response) => {
    if (request.url?.includes('status')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello');
      return;
    }
    response.on('close', () => left.resolve());
    response.writeHead(200).write(line(1));
  });
  for await (const event of client.progress('x')) {
    expect(event).toMatchObject({ text: 'line 1' });
    break;
  }
  await left.promise;
  await expect(client.status()).rejects.toBeInstanceOf(BerthError);
});
