/** The apps of a world: they answer, stream, hang, break off, talk nonsense and die, and remember what they were asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { InstanceId } from '../src/core/model.ts';
import type { MemoryApp } from '../src/engines/memory/engine.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Exit, InstanceSpec } from '../src/ports/engine.ts';
import type { Faults } from './faults.ts';
import type { MemorySocket, Network } from './network.ts';
import type { SeededRandom } from './random.ts';

export interface AppsOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly network: Network;
  /** The app of an instance ends by itself. */
  readonly exit: (id: InstanceId, exit: Exit) => void;
}

/** What an app does with one request, or with one connection. */
type Conduct = 'answer' | 'stream' | 'early' | 'reset' | 'half' | 'hang' | 'garbage' | 'die';

/** One app in one instance, from exec to exit. */
class App implements MemoryApp {
  readonly id: InstanceId;
  readonly ports = [{ port: 8080, loopbackOnly: false }];
  readonly sockets = new Set<MemorySocket>();
  readonly #world: AppsOptions;
  readonly host: string;
  isClosed = false;
  /** Aborts when the processes go on, or end. */
  #frozen: AbortController | undefined;

  constructor(id: InstanceId, world: AppsOptions, take: (app: App, socket: MemorySocket) => void) {
    this.id = id;
    this.#world = world;
    this.host = world.network.listen({
      accept: (socket) => {
        if (world.random.chance(world.faults.refusedConnect)) return false;
        this.sockets.add(socket);
        socket.once('close', () => this.sockets.delete(socket));
        socket.on('error', () => {});
        take(this, socket);
        return true;
      },
    });
  }

  freeze(): void {
    this.#frozen ??= new AbortController();
  }

  thaw(): void {
    this.#frozen?.abort();
    this.#frozen = undefined;
  }

  /** Resolves when its processes run: at once, unless they are frozen. */
  async runs(): Promise<void> {
    const { clock } = this.#world;
    while (this.#frozen !== undefined) await clock.sleep(1_000_000_000, this.#frozen.signal);
  }

  close(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.isClosed = true;
    this.#world.network.close(this.host);
    this.thaw();
    for (const socket of this.sockets) socket.cut(this.#world.random.chance(0.5) ? 'reset' : 'end');
    return Promise.resolve();
  }
}

export class Apps {
  /** How often an app read the head of a client's request, by the number that the client gave it. */
  readonly deliveries = new Map<number, number>();
  readonly #options: AppsOptions;
  readonly #server = createServer({ keepAliveTimeout: 0, connectionsCheckingInterval: 2 ** 30 });
  readonly #apps = new Map<InstanceId, App>();
  readonly #bySocket = new WeakMap<Duplex, App>();

  constructor(options: AppsOptions) {
    this.#options = options;
    this.#server.on('request', (req, res) => void this.#serve(req, res));
    this.#server.on('upgrade', (req, socket) => void this.#upgrade(req, socket));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** For the memory engine: the app of an instance is executed. */
  readonly run = (spec: InstanceSpec): Promise<MemoryApp> => {
    const app = new App(spec.id, this.#options, (one, socket) => this.#accept(one, socket));
    this.#apps.set(spec.id, app);
    return Promise.resolve(app);
  };

  isAlive(id: InstanceId): boolean {
    return this.#apps.get(id)?.isClosed === false;
  }

  /** Somebody outside of Berth stops the processes for a while. */
  async freezeFromOutside(id: InstanceId, ms: number): Promise<void> {
    const app = this.#apps.get(id);
    app?.freeze();
    await this.#options.clock.sleep(ms);
    app?.thaw();
  }

  close(): void {
    this.#server.close();
  }

  #accept(app: App, socket: MemorySocket): void {
    const { clock, faults, random } = this.#options;
    this.#bySocket.set(socket, app);
    if (!random.chance(faults.resetUnread)) {
      this.#server.emit('connection', socket);
      return;
    }
    void clock.sleep(random.between(0, 5)).then(() => socket.cut('reset'));
  }

  /** The app that was asked, when it runs and has read the head; undefined when it ended before. */
  async #read(req: IncomingMessage): Promise<App | undefined> {
    const app = this.#bySocket.get(req.socket);
    await app?.runs();
    if (app === undefined || app.isClosed || req.socket.destroyed) return undefined;
    const number = Number(req.headers['x-number']);
    this.deliveries.set(number, (this.deliveries.get(number) ?? 0) + 1);
    return app;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const app = await this.#read(req);
    if (app === undefined) return;
    const { clock, random } = this.#options;
    const conduct = this.#conduct();
    const holdMs = Number(req.headers['x-hold'] ?? 0);
    if (conduct === 'hang') return;
    if (conduct === 'early') {
      res.writeHead(413, { connection: 'close' }).end('early');
      return;
    }
    const received = await bytesOf(req);
    if (received === undefined) return;
    await clock.sleep(conduct === 'answer' || conduct === 'stream' ? holdMs : holdMs / 10);
    await app.runs();
    if (app.isClosed || res.destroyed) return;
    const text = `#${String(req.headers['x-number'])} ${received} ${'.'.repeat(random.between(0, 9) ** 4)}`;
    switch (conduct) {
      case 'answer':
        res.end(text);
        return;
      case 'stream':
        for (let index = 0; index < text.length; index += 1_000) {
          res.write(text.slice(index, index + 1_000));
          await clock.sleep(random.between(0, 20));
          await app.runs();
        }
        res.end();
        return;
      case 'half':
        res.writeHead(200, { 'content-length': text.length + 1 });
        res.write(text);
        await clock.sleep(random.between(0, 50));
        cut(req, 'reset');
        return;
      case 'garbage':
        req.socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
        return;
      case 'reset':
        cut(req, random.chance(0.5) ? 'reset' : 'end');
        return;
      case 'die':
        this.#options.exit(app.id, { code: 137, outOfMemory: random.chance(0.5) });
    }
  }

  async #upgrade(req: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on('error', () => {});
    const app = await this.#read(req);
    if (app === undefined) return;
    const conduct = this.#conduct();
    if (conduct === 'hang') return;
    if (conduct === 'reset' || conduct === 'die' || conduct === 'half') {
      cut(req, 'reset');
      return;
    }
    if (conduct === 'early' || conduct === 'garbage') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n',
    );
    socket.on('data', (chunk: Buffer) => void app.runs().then(() => socket.write(chunk)));
    socket.once('end', () => socket.end());
    await this.#options.clock.sleep(Number(req.headers['x-hold'] ?? 0));
    if (!app.isClosed) socket.end();
  }

  #conduct(): Conduct {
    const { faults, random } = this.#options;
    if (random.chance(faults.appReset)) return 'reset';
    if (random.chance(faults.appHalf)) return 'half';
    if (random.chance(faults.appHang)) return 'hang';
    if (random.chance(faults.appGarbage)) return 'garbage';
    if (random.chance(faults.appDies)) return 'die';
    if (random.chance(faults.appEarly)) return 'early';
    return random.chance(0.2) ? 'stream' : 'answer';
  }
}

function cut(req: IncomingMessage, how: 'end' | 'reset'): void {
  (req.socket as MemorySocket).cut(how);
}

/** The length of a body; undefined when it broke off. */
function bytesOf(req: IncomingMessage): Promise<number | undefined> {
  return new Promise((resolve) => {
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.once('end', () => resolve(bytes));
    req.once('error', () => resolve(undefined));
    req.once('close', () => resolve(undefined));
  });
}
