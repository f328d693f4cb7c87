/** The one client that times both sides: a new TCP connection, one GET, the time of the first byte. */
import { connect } from 'node:net';

export interface FirstByte {
  /** From the call until the first byte of the answer, in ms. */
  readonly ms: number;
  readonly status: number;
  /** `x-berth-start`, where the answer has one. */
  readonly start: string | undefined;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Value of the Host header. */
  readonly authority: string;
  readonly path?: string;
}

/** Rejects when the connection is refused or closed without an answer. */
export function firstByte(target: Target): Promise<FirstByte> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    let ms: number | undefined;
    let head = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(
        `GET ${target.path ?? '/'} HTTP/1.1\r\nHost: ${target.authority}\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.on('data', (chunk: string) => {
      ms ??= performance.now() - began;
      head += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (ms === undefined) {
        reject(new Error('closed without an answer'));
        return;
      }
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);
      const start = /\r\nx-berth-start: *(\w+)/i.exec(head)?.[1];
      resolve({ ms, status, start });
    });
  });
}
