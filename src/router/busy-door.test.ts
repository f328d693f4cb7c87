/** The door for instances: who may come in, what is understood, and that it is shut when the network is gone. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BusySaid } from '../ports/fleet.ts';
import { type BusyDoor, createBusyDoor } from './busy-door.ts';

const HOST = '127.0.0.1';
const until = Date.UTC(2030, 0, 1);

let doors: BusyDoor[];
let members: Map<string, { id: string; project: string }>;
let said: string[];
let result: BusySaid;
let reported: string[];
let port: number;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

function open(): BusyDoor {
  const door = createBusyDoor({
    fleet: {
      instanceAt: (host) => members.get(host),
      sayBusy: async (id, words) => {
        said.push(`${id} ${words}`);
        return result;
      },
    },
    hostAddress: async (project) => (project === 'nowhere' ? undefined : HOST),
    reporter: { report: (_level, event) => reported.push(event) },
    port,
  });
  doors.push(door);
  return door;
}

const say = (query: string, method = 'POST', path = '/.well-known/berth/busy') =>
  fetch(`http://${HOST}:${port}${path}${query}`, { method });

beforeEach(async () => {
  port = await freePort();
  doors = [];
  members = new Map([[HOST, { id: 'app-1.x', project: 'app' }]]);
  said = [];
  reported = [];
  result = { kind: 'granted', until, isCut: false };
  await open().joined('app');
});

afterEach(async () => {
  for (const door of doors) await door.close();
});

describe('the door', () => {
  it('passes the words on with the name of who spoke, and answers until when', async () => {
    const answer = await say('?for=10m');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      instance: 'app-1.x',
      until: '2030-01-01T00:00:00.000Z',
      isCut: false,
    });
    expect(said).toEqual(['app-1.x 10m']);
  });

  it.each([
    ['', 'POST', undefined, 400, 'BUSY_INVALID'],
    ['?for=1m&for=2m', 'POST', undefined, 400, 'BUSY_INVALID'],
    ['?for=1m', 'GET', undefined, 400, 'BAD_REQUEST'],
    ['?for=1m', 'POST', '/', 404, 'NOT_FOUND'],
    ['?for=1m', 'POST', '/api/v1/deployments', 404, 'NOT_FOUND'],
  ])('answers %j by %s to %s with %s %s', async (query, method, path, status, code) => {
    const answer = await say(query, method, path);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code, status });
    expect(said).toEqual([]);
  });

  it('says what is wrong with words that nobody understands', async () => {
    result = { kind: 'unreadable' };
    const answer = await say('?for=soon');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'BUSY_INVALID',
      detail: '"soon" is no time.',
    });
  });

  it('is shut to strangers, and to instances of other projects', async () => {
    members.set(HOST, { id: 'other-1.x', project: 'other' });
    await expect(say('?for=10m')).rejects.toThrow('fetch failed');
    members.clear();
    await expect(say('?for=10m')).rejects.toThrow('fetch failed');
    expect(said).toEqual([]);
  });

  it('is gone with the network, so that the next owner of the address can open one', async () => {
    const next = open();
    await next.joined('app');
    expect(reported).toEqual(['busy.not-listening']);
    await doors[0]?.left('app');
    await expect(say('?for=10m')).rejects.toThrow('fetch failed');
    await next.joined('app');
    expect((await say('?for=10m')).status).toBe(200);
  });

  it('has no address where instances cannot reach the host', async () => {
    const [door] = doors;
    expect(await door?.busyUrl('app')).toBe(`http://${HOST}:${port}/.well-known/berth/busy`);
    expect(await door?.busyUrl('nowhere')).toBeUndefined();
    await door?.joined('nowhere');
    expect(reported).toEqual([]);
  });
});
