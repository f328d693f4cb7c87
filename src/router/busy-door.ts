/**
 * Where instances say from inside that they are busy: one listener on the host's own address in each project's network,
 * which answers one path. Who speaks is known by the address it speaks from, and it can speak for itself only: instances
 * have no right to raw packets, so an answer reaches nobody who borrows an address. Connections from anywhere else, other
 * projects included, are cut before a byte of them is read. The port is always the same, because instances outlive Berth
 * and remember it; the address is the network's own, so it is free unless somebody listens on all addresses.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BUSY_PATH, isBusyPath } from '../core/busy.ts';
import { BerthError } from '../core/errors.ts';
import type { InstanceId } from '../core/model.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Inside } from '../ports/inside.ts';
import type { Reporter } from '../ports/reporter.ts';

/** Of the listeners; nobody's by IANA. */
const PORT = 4717;
/** An instance has one thing to say, and says it at once. */
const PATIENCE_MS = 5_000;
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 1024;

export interface BusyDoorOptions {
  readonly fleet: Pick<Fleet, 'instanceAt' | 'sayBusy'>;
  /** The host's address in the network of a project; undefined: instances cannot reach it. */
  readonly hostAddress: (project: string) => Promise<string | undefined>;
  readonly reporter: Reporter;
  /** Absent: the one that instances of every Berth know. */
  readonly port?: number;
}

export interface BusyDoor extends Inside {
  /** The network of the project is gone: its address may be somebody else's soon. */
  left(project: string): Promise<void>;
  close(): Promise<void>;
}

export function createBusyDoor(options: BusyDoorOptions): BusyDoor {
  const { fleet, hostAddress, reporter, port = PORT } = options;
  /** By address: a network that is made anew may have another one. */
  const servers = new Map<string, { readonly project: string; readonly server: Promise<Server> }>();

  async function open(project: string, host: string): Promise<Server> {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: PATIENCE_MS,
        requestTimeout: PATIENCE_MS,
        keepAlive: false,
      },
      (req, res) => void answer(project, req, res),
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => {
      if (fleet.instanceAt(socket.remoteAddress ?? '')?.project !== project) socket.destroy();
      else socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    server.on('error', () => {});
    return server;
  }

  async function answer(project: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const from = fleet.instanceAt(req.socket.remoteAddress ?? '');
      if (from?.project !== project) throw new BerthError('INSIDE_ONLY');
      send(res, 200, await say(fleet, from.id, req));
    } catch (cause) {
      const error = cause instanceof BerthError ? cause : new BerthError('INTERNAL', { cause });
      const { code, title, detail, advice } = error;
      send(res, error.status, { code, status: error.status, title, detail, advice });
    }
  }

  return {
    async busyUrl(project) {
      const host = await hostAddress(project).catch(() => undefined);
      return host === undefined ? undefined : `http://${host}:${port}${BUSY_PATH}`;
    },

    async joined(project) {
      let host: string | undefined;
      try {
        host = await hostAddress(project);
        if (host === undefined) return;
        const opening = servers.get(host) ?? { project, server: open(project, host) };
        servers.set(host, opening);
        await opening.server;
      } catch (error) {
        // The next one that joins tries again.
        if (host !== undefined) servers.delete(host);
        reporter.report('warn', 'busy.not-listening', { project, error: String(error) });
      }
    },

    async left(project) {
      const stale = [...servers].filter(([, one]) => one.project === project);
      for (const [host] of stale) servers.delete(host);
      await Promise.all(stale.map(([, { server }]) => shut(server)));
    },

    async close() {
      const all = [...servers.values()];
      servers.clear();
      await Promise.all(all.map(({ server }) => shut(server)));
    },
  };
}

async function shut(opening: Promise<Server>): Promise<void> {
  const server = await opening.catch(() => undefined);
  if (server === undefined) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function say(
  fleet: Pick<Fleet, 'sayBusy'>,
  id: InstanceId,
  req: IncomingMessage,
): Promise<object> {
  const target = req.url ?? '';
  if (!isBusyPath(target)) {
    throw new BerthError('NOT_FOUND', { detail: `Here is nothing but POST ${BUSY_PATH}?for=10m.` });
  }
  if (req.method !== 'POST') {
    throw new BerthError('BAD_REQUEST', { detail: `Say it with POST, not ${req.method}.` });
  }
  const said = new URLSearchParams(target.slice(BUSY_PATH.length)).getAll('for');
  const [first] = said;
  if (first === undefined || said.length > 1) {
    throw new BerthError('BUSY_INVALID', { detail: '`?for=` has to stand there once.' });
  }
  const result = await fleet.sayBusy(id, first);
  if (result.kind === 'unknown') throw new BerthError('INSIDE_ONLY');
  if (result.kind === 'unreadable') {
    throw new BerthError('BUSY_INVALID', {
      detail: `${JSON.stringify(first.slice(0, 64))} is no time.`,
    });
  }
  return { instance: id, until: new Date(result.until).toISOString(), isCut: result.isCut };
}

function send(res: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  res.writeHead(status, {
    'content-type': status === 200 ? 'application/json' : 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  res.end(text);
}
