/** One client with one request: what it sends, how patient it is, and what it got. */
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Deployment } from '../src/core/model.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Router } from '../src/router/router.ts';
import { type Activity, type MemorySocket, socketPair } from './network.ts';
import { CUSTOMER, PROBE } from './probes.ts';
import type { SeededRandom } from './random.ts';

/** `answered`: to the last byte. `cut`: the connection ended before. */
export type Outcome = 'open' | 'answered' | 'cut' | 'cancelled';

export interface CallOptions {
  readonly number: number;
  /** Who answers, unless an environment is asked. */
  readonly deployment: Deployment;
  readonly host: string;
  readonly isOfEnvironment: boolean;
  readonly router: Router;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly activity: Activity;
  /** A GET like any other, from a client that waits for its answer. */
  readonly isPlain: boolean;
  /** One that the deployment's rules let wake nothing. */
  readonly isProbe?: boolean;
  /** Takes turns with others on a connection that is kept, unless it is a WebSocket. */
  readonly agent?: Agent | undefined;
  /** The part of its body after which the client goes away, 0–1. */
  readonly leavesAt?: number | undefined;
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'POST', 'PATCH'];

export class Call {
  readonly number: number;
  readonly deployment: Deployment;
  readonly isOfEnvironment: boolean;
  readonly router: Router;
  readonly isWebSocket: boolean;
  readonly isProbe: boolean;
  readonly method: string;
  readonly bodyBytes: number;
  outcome: Outcome = 'open';
  /** 0: there was no head of an answer. */
  status = 0;
  /** `x-berth-error`: the router's own answer. */
  error = '';
  text = '';
  /** A WebSocket that was accepted and has not ended. */
  isSpliced = false;
  wasCutByRestart = false;
  /** Its connection had carried another request before. */
  isReused = false;
  /** Its outcome was looked at. */
  isChecked = false;
  tookMs = 0;
  #startedAt = 0;
  readonly #options: CallOptions;
  readonly #agent: Agent | undefined;
  readonly #socket: MemorySocket;
  readonly #routerEnd: MemorySocket;
  #asked: ClientRequest | undefined;
  readonly #isStreamed: boolean;
  readonly #readsSlowly: boolean;

  constructor(options: CallOptions) {
    const { random } = options;
    this.#options = options;
    this.number = options.number;
    this.deployment = options.deployment;
    this.isOfEnvironment = options.isOfEnvironment;
    this.router = options.router;
    const { isPlain } = options;
    this.isWebSocket = !isPlain && random.chance(0.08);
    this.isProbe = options.isProbe ?? false;
    this.method =
      this.isWebSocket || isPlain ? 'GET' : (METHODS[random.between(0, METHODS.length - 1)] ?? '');
    if (this.isProbe) this.method = PROBE.method;
    const hasBody = ['PUT', 'POST', 'PATCH'].includes(this.method);
    this.bodyBytes = hasBody ? random.between(0, 10) ** random.between(1, 5) : 0;
    this.#isStreamed = hasBody && random.chance(0.4);
    this.#readsSlowly = random.chance(0.1);
    this.#agent = this.isWebSocket ? undefined : options.agent;
    [this.#socket, this.#routerEnd] = socketPair(options.activity);
  }

  /** An answer to this request that failed may be asked for again by whoever failed to give it. */
  get isIdempotent(): boolean {
    return this.method !== 'POST' && this.method !== 'PATCH';
  }

  start(): void {
    const { clock, host, number, random } = this.#options;
    this.#startedAt = clock.now();
    const holdMs = this.isWebSocket ? random.between(0, 400_000) : random.between(0, 20_000);
    const framing = this.#isStreamed
      ? { 'transfer-encoding': 'chunked' }
      : this.bodyBytes > 0
        ? { 'content-length': this.bodyBytes }
        : {};
    const { path, userAgent } = this.isProbe ? PROBE : CUSTOMER;
    const upgrade = this.isWebSocket ? { connection: 'Upgrade', upgrade: 'websocket' } : {};
    const asked = request({
      ...(this.#agent ? { agent: this.#agent } : { createConnection: () => this.#socket }),
      method: this.method,
      path,
      headers: {
        ...{ host, accept: 'application/json' },
        ...{ 'user-agent': userAgent },
        ...{ 'x-number': number, 'x-hold': holdMs, 'x-bytes': this.bodyBytes },
        ...framing,
        ...upgrade,
      },
    });
    asked.on('socket', () => {
      this.isReused = asked.reusedSocket;
    });
    asked.on('error', () => this.#end('cut'));
    asked.on('close', () => {
      if (!this.isSpliced) this.#end('cut');
    });
    asked.on('response', (response) => void this.#receive(response));
    asked.on('upgrade', (response, _socket, head) => this.#talk(response, head));
    this.#asked = asked;
    if (!this.#agent) this.router.server.emit('connection', this.#routerEnd);
    void this.#send(asked);
  }

  /** The client goes away. */
  cancel(): void {
    this.#end('cancelled');
    this.#asked?.destroy();
    this.#socket.destroy();
  }

  /** Berth is killed: its side of the connection is closed by the kernel. */
  cutOff(): void {
    this.wasCutByRestart = true;
    this.#end('cut');
    if (this.#agent) this.#asked?.destroy();
    else this.#routerEnd.cut('reset');
  }

  async #send(asked: ClientRequest): Promise<void> {
    const { clock, random } = this.#options;
    const { leavesAt } = this.#options;
    const mostBytes = Math.floor(this.bodyBytes * (leavesAt ?? 1));
    let left = mostBytes;
    while (left > 0 && !asked.destroyed) {
      const size = this.#isStreamed ? Math.min(left, random.between(1, 20_000)) : left;
      left -= size;
      asked.write('x'.repeat(size));
      if (this.#isStreamed) await clock.sleep(random.between(0, 30));
    }
    if (mostBytes === this.bodyBytes) {
      asked.end();
      return;
    }
    asked.flushHeaders();
    await clock.sleep(random.between(0, 100));
    this.cancel();
  }

  async #receive(response: IncomingMessage): Promise<void> {
    const { clock, random } = this.#options;
    this.#hear(response);
    response.on('error', () => this.#end('cut'));
    response.on('end', () => this.#end(response.complete ? 'answered' : 'cut'));
    response.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    if (!this.#readsSlowly) return;
    response.pause();
    await clock.sleep(random.between(0, 5_000));
    response.resume();
  }

  #talk(response: IncomingMessage, head: Buffer): void {
    const { random } = this.#options;
    if (this.outcome !== 'open') return;
    this.#hear(response);
    this.isSpliced = true;
    this.text += head.toString('latin1');
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('end', () => socket.end());
    socket.once('close', () => {
      this.isSpliced = false;
      this.#end('answered');
    });
    socket.write('hello');
    if (random.chance(0.3)) socket.end();
  }

  #hear(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0;
    this.error = String(response.headers['x-berth-error'] ?? '');
  }

  #end(outcome: Outcome): void {
    if (this.outcome !== 'open') return;
    this.outcome = outcome;
    this.tookMs = this.#options.clock.now() - this.#startedAt;
  }
}
