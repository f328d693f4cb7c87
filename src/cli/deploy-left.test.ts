/** Who leaves a deploy with ctrl-C is told what the server goes on with, and what it does not do without them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../system/clock.ts';
import { run } from './run.ts';
import type { World } from './world.ts';

const deployment = { id: 'shop-1a2b3c4d', project: 'shop', url: 'http://shop-1a2b3c4d.test' };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Deploys to a server that never answers at `silentAt`, leaves when it is asked there, and gives what was said. */
async function leave(silentAt: string, status: number, args: readonly string[]): Promise<string> {
  const left = new AbortController();
  server = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith(silentAt)) {
      left.abort();
      return;
    }
    const isDeploy = request.method === 'POST';
    const body = isDeploy ? deployment : { engine: { name: 'podman', version: '5.0.0' } };
    response.writeHead(isDeploy ? status : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let said = '';
  const sink = { write: (text: string) => (said += text) };
  const env = { BERTH_URL: `http://127.0.0.1:${port}`, BERTH_TOKEN: 'any' };
  const given: Partial<World> = { env, clock: systemClock, interrupted: left.signal };
  const rest = {
    stdout: sink,
    stderr: sink,
    folder: import.meta.dirname,
    homeFolder: '/',
    version: '1.2.3',
  };
  const world = { ...given, ...rest } as unknown as World;
  const code = await run(world, ['deploy', '--image', 'a:1', '--name', 'shop', ...args]);
  expect(code).toBe(130);
  return said;
}

it.each([
  [['--prod'], 'production'],
  [['--branch', 'cart'], 'preview/cart'],
])(
  'with %j while it is built: it is not released, and what does that',
  async (args, environment) => {
    const said = await leave('/progress', 202, args);
    expect(said).toContain('The deploy goes on in the server: `berth inspect shop-1a2b3c4d`');
    expect(said).toContain(`It is not released to ${environment}: `);
    expect(said).toContain(`\`berth promote shop-1a2b3c4d --to ${environment}\``);
  },
);

it('that is released to nothing: only that it goes on', async () => {
  const said = await leave('/progress', 202, []);
  expect(said).toContain('The deploy goes on in the server');
  expect(said).not.toContain('released');
});

it('while it is released: the release goes on', async () => {
  const said = await leave('/releases', 200, ['--prod']);
  expect(said).toContain('`berth releases shop --env production` tells how it went');
  expect(said).not.toContain('It is not released');
});
