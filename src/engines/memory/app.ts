/** A real HTTP server that stands for the app of a memory instance: it says which instance answered. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InstanceSpec } from '../../ports/engine.ts';
import type { MemoryApp } from './engine.ts';

/** Listens on a free loopback port; while frozen, requests are taken but not answered. */
export async function runMemoryApp(spec: InstanceSpec): Promise<MemoryApp> {
  let thawed = Promise.resolve();
  let release: (() => void) | undefined;
  const server = createServer((_request, response) => {
    void thawed.then(() => response.end(`${spec.id}\n`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const thaw = () => {
    release?.();
    release = undefined;
  };
  return {
    host: '127.0.0.1',
    ports: [{ port, loopbackOnly: false }],
    thaw,
    freeze() {
      if (release) return;
      thawed = new Promise((resolve) => {
        release = resolve;
      });
    },
    async close() {
      thaw();
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
