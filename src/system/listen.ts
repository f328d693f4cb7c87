/** Listen addresses: from text, and bound. */
import type { AddressInfo, Server } from 'node:net';
import { BerthError } from '../core/errors.ts';

export interface ListenAddress {
  /** A name or an address; IPv6 keeps its brackets. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`. Throws USAGE. */
export function parseListen(listen: string): ListenAddress {
  const match = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i.exec(listen);
  const port = Number(match?.[2]);
  if (!match?.[1] || port > 65_535) {
    throw new BerthError('USAGE', { detail: `${listen} is no listen address: write HOST:PORT.` });
  }
  return { host: match[1], port };
}

/** Binds a server; `host:port` as it is bound. Throws ADDRESS_IN_USE, or USAGE for an address that this machine does not have. */
export function bind(server: Server, { host, port }: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`;
      reject(
        cause.code === 'EADDRINUSE'
          ? new BerthError('ADDRESS_IN_USE', {
              detail: `Something listens on ${where} already.`,
              cause,
            })
          : new BerthError('USAGE', {
              detail: `Cannot listen on ${where}: ${cause.message}.`,
              cause,
            }),
      );
    };
    server.once('error', fail);
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => {
      server.off('error', fail);
      resolve(`${host}:${(server.address() as AddressInfo).port}`);
    });
  });
}

/** `:8080`; nothing for the port that every client takes by itself. */
export function portSuffix(listen: string, usual = 80): string {
  const port = portOf(listen);
  return port === usual ? '' : `:${port}`;
}

/** Of an address that is bound. */
export function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}
