/** Asks an instance whether it is well, in the protocol it speaks, over a connection that is of no further use. */
import { get } from 'node:http';
import { connect } from 'node:http2';
import type { Probe, ProbeTarget } from '../ports/probe.ts';

type Ask = (target: ProbeTarget, signal: AbortSignal) => Promise<number | undefined>;

const askHttp: Ask = ({ host, port, path }, signal) =>
  new Promise((resolve) => {
    // A connection of its own: what it finds must not depend on an earlier one.
    const request = get({ host, port, path, signal, agent: false }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    request.on('error', () => resolve(undefined));
  });

/** By prior knowledge: an app that speaks HTTP/2 without TLS need not understand anything else. */
const askHttp2: Ask = ({ host, port, path }, signal) =>
  new Promise((resolve) => {
    const authority = host.includes(':') ? `[${host}]` : host;
    const session = connect(`http://${authority}:${port}`, { settings: { enablePush: false } });
    const answer = (status?: number) => {
      signal.removeEventListener('abort', giveUp);
      resolve(status);
      session.destroy();
    };
    const giveUp = () => answer();
    signal.addEventListener('abort', giveUp, { once: true });
    session.on('error', giveUp);
    session.on('close', giveUp);
    const stream = session.request({ ':path': path }, { endStream: true });
    stream.on('response', (headers) => answer(headers[':status']));
    stream.on('error', giveUp);
    stream.on('close', giveUp);
    if (signal.aborted) giveUp();
  });

export const httpProbe: Probe = {
  status: (target, signal) =>
    target.protocol === 'h2c' ? askHttp2(target, signal) : askHttp(target, signal),
};
