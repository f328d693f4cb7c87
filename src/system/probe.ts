/** Asks an instance over HTTP whether it is well. */
import { get } from 'node:http';
import type { Probe } from '../ports/probe.ts';

export const httpProbe: Probe = {
  status: (host, port, path, signal) =>
    new Promise((resolve) => {
      // A connection of its own: what it finds must not depend on an earlier one.
      const request = get({ host, port, path, signal, agent: false }, (response) => {
        resolve(response.statusCode);
        response.destroy();
      });
      request.on('error', () => resolve(undefined));
    }),
};
