/** P8: releases that replace each other under steady load: how soon clients get the new one, and what fails meanwhile. */
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, summarise } from './statistics.ts';
import { SteadyClients } from './steady-clients.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROJECT = 'bench-release';
const HOST = `${PROJECT}.localhost`;
const ENVIRONMENT = `/projects/${PROJECT}/environments/production`;
const SWITCHES = 40;
/** The shortest time to rest, so that what is switched to sleeps before each switch. */
const LIMITS = { timeout: 1_000, duration: 1_800_000 };
const CLIENTS = { gets: 6, posts: 3, pauseMs: 5 };

interface Switch {
  /** From the call to the first answer of the new release, to a request that was sent after the call, in ms. */
  readonly seenMs: number;
  /** From the call to its answer, in ms. */
  readonly callMs: number;
  /** Answers of the old release to requests that were sent after the call had answered. */
  readonly stale: number;
}

async function deployVersion(server: Server, version: string): Promise<Deployed> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-app.'));
  try {
    await cp(join(ROOT, 'bench/release-app'), folder, { recursive: true });
    await cp(join(ROOT, 'examples/chat/websocket.mjs'), join(folder, 'websocket.mjs'));
    const configuration = { name: PROJECT, limits: LIMITS, env: { VERSION: version } };
    await writeFile(join(folder, 'berth.json'), JSON.stringify(configuration));
    return await server.deployFolder(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A WebSocket through the switch: what was opened before it is answered by the same release after it. */
async function openSocket(server: Server): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers: { host: HOST } });
  await once(socket, 'open');
  return socket;
}

async function echo(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  socket.send(text);
  const [data] = (await answer) as [Buffer];
  return data.toString();
}

async function switchOnce(
  clients: SteadyClients,
  version: string,
  call: () => Promise<unknown>,
): Promise<Switch> {
  const began = performance.now();
  const seen = clients.firstOf(version, began);
  await call();
  const callMs = performance.now() - began;
  const seenMs = (await seen) - began;
  await sleep(200);
  return { seenMs, callMs, stale: clients.staleSince(version, began + callMs) };
}

export const switching: Measure = {
  name: 'P8',
  title: `${SWITCHES} switches of a release under steady load, promoted and rolled back in turn`,
  async run(say) {
    const server = await Server.start([], true);
    const clients = new SteadyClients(server.at(HOST), CLIENTS);
    const switches: Switch[] = [];
    let deadSockets = 0;
    try {
      const versions = [await deployVersion(server, 'one'), await deployVersion(server, 'two')];
      const names = ['one', 'two'];
      await server.ask('POST', `${ENVIRONMENT}/releases`, { deployment: versions[0]?.id });
      clients.start();
      for (let round = 1; round <= SWITCHES; round += 1) {
        const [target, name] = [versions[round % 2], names[round % 2]];
        if (!target || name === undefined) throw new Error('there are two versions');
        await server.until([target], (states) => states.every((state) => state === 'frozen'));
        const socket = await openSocket(server);
        const before = await echo(socket, 'ping');
        const call = () =>
          // A release of what is deployed already is what `promote` asks for; `rollback` names nothing.
          round % 4 < 2
            ? server.ask('POST', `${ENVIRONMENT}/releases`, { deployment: target.id })
            : server.ask('POST', `${ENVIRONMENT}/rollback`, {});
        switches.push(await switchOnce(clients, name, call));
        const after = await echo(socket, 'ping').catch(() => 'closed');
        if (after !== before) deadSockets += 1;
        socket.close();
      }
      const { answered, failures } = await clients.stop();
      const twice = await servedTwice(server, versions);
      const moves = (await server.logged('release.current')).slice(1);
      const figures = {
        seen: summarise(switches.map(({ seenMs }) => seenMs)),
        call: summarise(switches.map(({ callMs }) => callMs)),
        ready: summarise(moves.map(({ readyMs }) => Number(readyMs))),
        move: summarise(moves.map(({ switchMs }) => Number(switchMs))),
      };
      const stale = switches.reduce((sum, one) => sum + one.stale, 0);
      say(`call to first new answer:  ${describeMs(figures.seen)}`);
      say(`call to its answer:        ${describeMs(figures.call)}`);
      say(`  thereof waking the new:  ${describeMs(figures.ready)}`);
      say(`  thereof pointer alone:   ${describeMs(figures.move)}`);
      say(
        `${answered} requests answered, ${failures.length} failed; ${stale} late answers of the old release`,
      );
      for (const failure of failures.slice(0, 3)) say(`failed: ${failure}`);
      const detail = {
        ...figures,
        answered,
        clients: CLIENTS,
        state: 'the new release sleeps frozen before each switch, the old one serves the load',
      };
      const count = (what: string, value: number) =>
        atMost(0, { name: 'P8', what, unit: 'count', value, detail: {} });
      return [
        atMost(100, {
          name: 'P8',
          what: 'from the call to the first answer of the new release, p95',
          unit: 'ms',
          value: figures.seen.p95,
          detail,
        }),
        count('requests that failed', failures.length),
        count('answers of the old release to requests after the switch', stale),
        count('WebSockets that did not outlive a switch', deadSockets),
        count('POSTs served twice', twice),
      ];
    } finally {
      await clients.stop();
      await server.ask('DELETE', ENVIRONMENT).catch(() => undefined);
      await server.close();
    }
  },
};

/** Ids that more than one line of the apps' logs names. */
async function servedTwice(server: Server, deployed: readonly Deployed[]): Promise<number> {
  const seen = new Set<string>();
  let twice = 0;
  for (const { id } of deployed) {
    for (const { text } of await server.logLines(id)) {
      if (!text.startsWith('served ')) continue;
      if (seen.has(text)) twice += 1;
      seen.add(text);
    }
  }
  return twice;
}
