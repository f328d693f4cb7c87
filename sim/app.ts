/** The apps of a world: they answer, stream, hang, break off, talk nonsense and die, and remember what they were asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { InstanceId } from '../src/core/model.ts';
import type { MemoryApp } from '../src/engines/memory/engine.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { PeerConnection } from '../src/core/unread.ts';
import type { Exit, InstanceSpec } from '../src/ports/engine.ts';
import type { Attempts } from './attempts.ts';
import type { Faults } from './faults.ts';
import type { Address, MemorySocket, Network } from './network.ts';
import type { SeededRandom } from './random.ts';

export interface AppsOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly network: Network;
  readonly attempts: Attempts;
  /** Absent in worlds of before: nobody keeps what an app that stands still does not read, and no app blocks or is busy. */
  readonly newer: SeededRandom | undefined;
  readonly onViolation: (text: string) => void;
  /** The app of an instance ends by itself. */
  readonly exit: (id: InstanceId, exit: Exit) => void;
}

/** What an app does with one request, or with one connection. */
type Conduct =
  | 'block'
  | 'answer'
  | 'stream'
  | 'early'
  | 'reset'
  | 'half'
  | 'hang'
  | 'garbage'
  | 'die';

/** Why the processes of an app do not run. */
type Still = 'frozen' | 'stopped' | 'blocked';

/** A connection as the kernel of an instance knows it. */
interface Row {
  readonly from: Address;
  isAccepted: boolean;
  /** Of the latest request that arrived on it. */
  number: number | undefined;
}

/** One app in one instance, from exec to exit. */
class App implements MemoryApp {
  readonly id: InstanceId;
  readonly ports = [{ port: 8080, loopbackOnly: false }];
  readonly rows = new Map<MemorySocket, Row>();
  readonly #world: AppsOptions;
  readonly #take: (socket: MemorySocket) => void;
  readonly host: string;
  isClosed = false;
  readonly #stills = new Set<Still>();
  /** Aborts when the processes go on, or end. */
  #stands: AbortController | undefined;

  constructor(id: InstanceId, world: AppsOptions, take: (app: App, socket: MemorySocket) => void) {
    this.id = id;
    this.#world = world;
    this.#take = (socket) => take(this, socket);
    this.host = world.network.listen({ accept: (socket, from) => this.#accept(socket, from) });
  }

  #accept(socket: MemorySocket, from: Address): boolean {
    const { attempts, faults, newer, random } = this.#world;
    if (random.chance(faults.refusedConnect)) return false;
    const isHeld = newer !== undefined && this.isStill;
    const row: Row = { from, isAccepted: !isHeld, number: undefined };
    this.rows.set(socket, row);
    socket.once('close', () => this.rows.delete(socket));
    socket.on('error', () => {});
    socket.onArrival = (bytes) => {
      const number = numberIn(bytes);
      if (number === undefined) return;
      row.number = number;
      attempts.arrived(number, this.id);
    };
    if (isHeld) socket.hold();
    else this.#take(socket);
    return true;
  }

  get isStill(): boolean {
    return this.#stands !== undefined;
  }

  freeze(): void {
    this.stand('frozen');
  }

  thaw(): void {
    this.goOn('frozen');
  }

  stand(why: Still): void {
    this.#stills.add(why);
    this.#stands ??= new AbortController();
    if (this.#world.newer !== undefined) for (const socket of this.rows.keys()) socket.hold();
  }

  goOn(why: Still): void {
    this.#stills.delete(why);
    if (this.#stills.size > 0) return;
    this.#stands?.abort();
    this.#stands = undefined;
    for (const [socket, row] of this.rows) {
      if (!row.isAccepted) this.#take(socket);
      row.isAccepted = true;
      socket.letGo();
    }
  }

  /** Resolves when its processes run: at once, unless they stand still. */
  async runs(): Promise<void> {
    const { clock } = this.#world;
    while (this.#stands !== undefined) await clock.sleep(1_000_000_000, this.#stands.signal);
  }

  close(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.isClosed = true;
    this.#world.network.close(this.host);
    this.#stands?.abort();
    this.#stands = undefined;
    for (const socket of this.rows.keys())
      socket.cut(this.#world.random.chance(0.5) ? 'reset' : 'end');
    return Promise.resolve();
  }
}

export class Apps {
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

  /** Its processes run, so that it can say something by itself. */
  isRunning(id: InstanceId): boolean {
    const app = this.#apps.get(id);
    return app !== undefined && !app.isClosed && !app.isStill;
  }

  isAlive(id: InstanceId): boolean {
    return this.#apps.get(id)?.isClosed === false;
  }

  /** Somebody outside of Berth stops the processes for a while. */
  async freezeFromOutside(id: InstanceId, ms: number): Promise<void> {
    const why = this.#options.newer === undefined ? 'frozen' : 'stopped';
    const app = this.#apps.get(id);
    app?.stand(why);
    await this.#options.clock.sleep(ms);
    app?.goOn(why);
  }

  /** As the kernel of the instance would say. */
  connections(id: InstanceId): readonly PeerConnection[] {
    const { newer } = this.#options;
    const rows = newer === undefined ? [] : [...(this.#apps.get(id)?.rows ?? [])];
    return rows.flatMap(([socket, { from, isAccepted }]) => {
      const { unreadBytes } = socket;
      if (unreadBytes === undefined) return [];
      return [{ peerHost: from.host, peerPort: from.port, isAccepted, unreadBytes }];
    });
  }

  /** The request that came last from this port of the router's. */
  numberFrom(id: InstanceId, port: number): number | undefined {
    const rows = [...(this.#apps.get(id)?.rows.values() ?? [])];
    return rows.find(({ from }) => from.port === port)?.number;
  }

  /** What the health path of the app at this address answers: nothing while it stands still. */
  async health(host: string, signal: AbortSignal): Promise<number | undefined> {
    const app = [...this.#apps.values()].find((one) => one.host === host && !one.isClosed);
    const isGivenUp = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([app?.runs(), isGivenUp]);
    return signal.aborted || app?.isClosed !== false ? undefined : 200;
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
    if (app === undefined || app.isClosed) return undefined;
    // What had arrived before the other end went away is read all the same.
    if (req.socket.destroyed && this.#options.newer === undefined) return undefined;
    this.#options.attempts.read(Number(req.headers['x-number']), app.id);
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
    if (conduct === 'block') await this.#block(app);
    const received = await bytesOf(req);
    if (received === undefined) return;
    const sent = Number(req.headers['x-bytes']);
    if (req.complete && received !== sent)
      this.#options.onViolation(
        `${app.id} took ${received} bytes of #${String(req.headers['x-number'])} for all ${sent}`,
      );
    await clock.sleep(conduct === 'answer' || conduct === 'stream' ? holdMs : holdMs / 10);
    await app.runs();
    if (app.isClosed || res.destroyed) return;
    const text = `#${String(req.headers['x-number'])} ${received} ${'.'.repeat(random.between(0, 9) ** 4)}`;
    switch (conduct) {
      case 'block':
      case 'answer':
        this.#sayBusy(res);
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

  /** Its event loop has other things to do: for a moment, or until nobody waits for it any more. */
  async #block(app: App): Promise<void> {
    const { clock, newer } = this.#options;
    app.stand('blocked');
    await clock.sleep((newer?.between(1, 500) ?? 0) ** 2);
    app.goOn('blocked');
  }

  #sayBusy(res: ServerResponse): void {
    const { faults, newer } = this.#options;
    if (newer?.chance(faults.appSaysBusy)) res.setHeader('x-berth-busy', drawBusy(newer));
  }

  #conduct(): Conduct {
    const { faults, newer, random } = this.#options;
    if (newer?.chance(faults.appBlocks)) return 'block';
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

/** The number that a client gave its request, when its head begins here. */
function numberIn(bytes: Buffer): number | undefined {
  const match = /\r\nx-number: (\d+)\r\n/.exec(bytes.toString('latin1', 0, LONGEST_HEAD_BYTES));
  return match ? Number(match[1]) : undefined;
}

const LONGEST_HEAD_BYTES = 1_000;

/** How long an app says that it is busy. */
export function drawBusy(random: SeededRandom): string {
  return random.chance(0.15) ? '0' : `${random.between(1, 400)}s`;
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
