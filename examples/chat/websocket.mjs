/**
 * The server side of a WebSocket (RFC 6455), as much as a chat needs: whole text messages up to 64 KiB, pings, close.
 * Written out so that the example builds without a network; an app of yours would use a package such as `ws`.
 */
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Answers the upgrade; undefined when it is not a WebSocket's. `onText` gets each message, `onClose` comes once. */
export function acceptWebSocket(request, socket, { onText, onClose }) {
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || !key) {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    return undefined;
  }
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );

  const send = (opcode, payload) => {
    if (socket.writable) socket.write(frame(opcode, payload));
  };
  const close = (code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    send(CLOSE, payload);
    socket.end();
  };

  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const message = firstFrame(received);
      if (message === undefined) return;
      if (message.error) return close(message.error);
      received = received.subarray(message.length);
      if (message.opcode === TEXT) onText(message.payload.toString());
      else if (message.opcode === PING) send(PONG, message.payload);
      else if (message.opcode === CLOSE) return close(1000);
    }
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', onClose);

  return { send: (text) => send(TEXT, Buffer.from(text)), close };
}

/** A frame from the server: never masked, never in parts. */
function frame(opcode, payload) {
  const isShort = payload.length < 126;
  const head = Buffer.alloc(isShort ? 2 : 4);
  head[0] = 0x80 | opcode;
  head[1] = isShort ? payload.length : 126;
  if (!isShort) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** The first frame in `bytes`, or undefined while it is not whole. Clients always mask. */
function firstFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const opcode = bytes[0] & 0x0f;
  if (!(bytes[0] & 0x80) || !(bytes[1] & 0x80)) return { error: 1002 };
  const size = bytes[1] & 0x7f;
  if (size === 127) return { error: 1009 };
  const start = size === 126 ? 4 : 2;
  if (bytes.length < start + 4) return undefined;
  const payloadBytes = size === 126 ? bytes.readUInt16BE(2) : size;
  const length = start + 4 + payloadBytes;
  if (bytes.length < length) return undefined;
  const mask = bytes.subarray(start, start + 4);
  const payload = Buffer.from(bytes.subarray(start + 4, length));
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
  return { opcode, payload, length };
}
