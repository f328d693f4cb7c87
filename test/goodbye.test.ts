/** A WebSocket to a real container is told with 1012 when its instance has run and drained for limits.duration. */
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Berth } from './fixtures/berth.ts';

let berth: Berth | undefined;

afterEach(async () => {
  await berth?.close();
  berth = undefined;
});

/** As much of a WebSocket server as there is without packages: it streams, and answers goodbye with goodbye. */
const APP = `
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
const server = createServer((req, res) => res.end('ok'));
server.on('upgrade', (req, socket) => {
  const key = req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
    'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  const frame = Buffer.concat([Buffer.from([0x82, 126, 0x40, 0x00]), Buffer.alloc(0x4000, 7)]);
  const ticking = setInterval(() => socket.write(frame), 1);
  socket.on('error', () => {});
  socket.on('close', () => clearInterval(ticking));
  socket.on('data', (bytes) => {
    if (bytes[0] !== 0x88) return;
    clearInterval(ticking);
    console.log('told ' + bytes.readUInt16BE(6));
    socket.end(Buffer.from([0x88, 0]));
  });
});
server.listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`;

test('a WebSocket outlives the recycling of its instance by the time that a drain gives, and is told to come again', async () => {
  berth = await Berth.up();
  const url = await berth.deploy(
    'hello',
    { limits: { duration: 3_000, timeout: 1_000 } },
    { 'server.mjs': APP },
  );
  const socket = new WebSocket(`ws://${await berth.address()}/`, { headers: { host: url.host } });
  const errors: string[] = [];
  let messages = 0;
  socket.on('error', (error) => errors.push(String(error)));
  socket.on('message', () => {
    messages += 1;
  });
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  await once(socket, 'open');
  const [held] = await berth.instances(url);
  const [code, reason] = await closed;
  expect(errors).toEqual([]);
  expect([code, reason.toString()]).toEqual([1012, 'the instance is being replaced']);
  expect(messages).toBeGreaterThan(100);
  await berth.until(url, (states) => states.join() === 'frozen');
  const [fresh] = await berth.instances(url);
  expect(fresh?.id).not.toBe(held?.id);
  expect((await berth.get(url)).status).toBe(200);
  const logs = await berth.run('logs', url.hostname.split('.')[0] ?? '');
  expect(logs).toContain('told 1012');
});
