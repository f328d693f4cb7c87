/**
 * One request on its way: a lease, an attempt, the answer, and perhaps another attempt. Every lease ends exactly once,
 * whichever comes first: the answer's end, the client's leaving, the instance's death, or the deadline.
 */
import type { Socket } from 'node:net';
import { BerthError } from '../core/errors.ts';
import type { DeploymentId } from '../core/model.ts';
import { decideRetry, type Happened } from '../core/retry.ts';
import { mayWake } from '../core/wake.ts';
import type { Lease, LeaseEnd } from '../ports/fleet.ts';
import type { Served } from './access-log.ts';
import { Answer } from './answer.ts';
import { type Attempt, type AttemptSink, isNotHttp, type ReceivedHeaders } from './attempt.ts';
import { RequestBody } from './body.ts';
import type { RequestContext, RouterContext } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { type RawHeaders, requestHeaders } from './headers.ts';
import type { InboundRequest, InboundResponse } from './inbound.ts';
import { linger } from './linger.ts';
import type { LossWatcher } from './losses.ts';
import { sendHttp2 } from './send-http2.ts';
import { sendStream } from './send-stream.ts';
import { sendWhole } from './send-whole.ts';
import type { Upstream } from './upstream.ts';

/** How one attempt ended. `over`: nothing is left to do for the client. */
type Outcome =
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly happened: Happened; readonly detail: string }
  | { readonly kind: 'error'; readonly error: BerthError };

const OVER: Outcome = { kind: 'over' };
/** A ready-made reason: making one, with its stack, costs more than all else that an abort does. */
const GONE = new Error('the client is gone');

/** Answers of an app that leave HTTP behind: 101, then bytes both ways. */
export type Switch = (
  message: string,
  headers: ReceivedHeaders,
  upstream: Socket,
  head: Buffer,
  /** To be told what the answer says about being busy. */
  onBusy: (busy: string | undefined) => void,
) => Switched;

/** A connection that has left HTTP. */
export interface Switched {
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  /** The client knows that it was closed with intent, and why. */
  readonly isGoodbyeSaid: boolean;
  /** The instance has to be left now: says so to both sides and closes them within a bound. */
  leave(): void;
}

export interface ExchangeOptions {
  readonly context: RouterContext;
  readonly request: RequestContext;
  readonly deploymentId: DeploymentId;
  readonly req: InboundRequest;
  readonly res: InboundResponse;
  readonly served: Served;
  /** Present when the client asks for an upgrade. */
  readonly onSwitch?: Switch;
}

/** Serves one request. Never rejects; resolves when the client has all it will get. */
export async function proxy(options: ExchangeOptions): Promise<void> {
  await new Exchange(options).run();
}

class Exchange implements AttemptSink, LossWatcher {
  bagIndex = -1;
  readonly #options: ExchangeOptions;
  readonly #context: RouterContext;
  readonly #served: Served;
  readonly #body: RequestBody;
  readonly #answer: Answer;
  readonly #cancel = new AbortController();
  readonly onUpgrade?: NonNullable<AttemptSink['onUpgrade']>;

  // The attempt under way.
  #lease: Lease | undefined;
  #upstream: Upstream | undefined;
  #attempt: Attempt | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;

  #deadline: Deadline | undefined;
  #isExpired = false;
  #switched: Switched | undefined;
  #isLost = false;
  #dispatchedAt = 0;
  #resets = 0;

  constructor(options: ExchangeOptions) {
    const { context, request, req, res, served, onSwitch } = options;
    this.#options = options;
    this.#context = context;
    this.#served = served;
    const { limits, buffers } = context;
    this.#body = new RequestBody(req, limits.replayBytes, buffers, options.deploymentId);
    this.#answer = new Answer(context, request, req, res, served);
    if (onSwitch !== undefined) this.onUpgrade = (...answer) => this.#switch(onSwitch, answer);
    res.on('close', () => this.#onClientClosed());
  }

  async run(): Promise<void> {
    const { absences, deadlines } = this.#context;
    const watched = this.#body.isSmall ? undefined : absences.watch(this.#options.req.socket);
    try {
      const error = await this.#serve();
      if (error !== undefined) this.#fail(error);
    } catch (cause) {
      this.#fail(new BerthError('INTERNAL', { cause }));
    } finally {
      // For a path that nobody thought of; after a proper end these do nothing.
      this.#finish(OVER, 'done');
      this.#body.release();
      if (this.#deadline !== undefined) deadlines.cancel(this.#deadline);
      if (watched !== undefined) absences.unwatch(watched);
    }
  }

  /** The failure to answer with, or undefined when the client has all it will get. */
  async #serve(): Promise<BerthError | undefined> {
    const { context, deploymentId, req } = this.#options;
    const { signal } = this.#cancel;
    const mayWake = this.#mayWake();
    for (;;) {
      const acquired = await context.fleet.acquire(deploymentId, signal, mayWake);
      if (acquired.kind === 'cancelled') return this.#isExpired ? this.#expired() : undefined;
      if (acquired.kind === 'refused') return acquired.error;
      const outcome = await this.#try(acquired.lease);
      if (outcome.kind === 'over') return undefined;
      if (outcome.kind === 'error') return outcome.error;
      if (outcome.happened === 'reset') this.#resets += 1;
      const decision = decideRetry({
        happened: outcome.happened,
        method: req.method ?? '',
        body: this.#body.state,
        tries: this.#served.tries,
        maxTries: context.limits.maxTries,
        resets: this.#resets,
      });
      if (!decision.again) {
        return new BerthError('INSTANCE_DIED', {
          detail: `${outcome.detail}. The request was not sent again: ${decision.because}.`,
        });
      }
    }
  }

  #mayWake(): boolean {
    const { context, deploymentId, req, request } = this.#options;
    const rules = context.wakeRules(deploymentId);
    if (rules === undefined) return true;
    const userAgent = req.headers['user-agent'];
    return mayWake(rules, { method: req.method ?? '', path: request.path, userAgent });
  }

  async #try(lease: Lease): Promise<Outcome> {
    this.#lease = lease;
    this.#served.leased(lease);
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    lease.follow?.(() => this.#attempt?.sent?.());
    this.#context.losses.watch(lease.lost, this);
    // The deadline may have passed, or the client have left, while the lease was on its way.
    if (this.#isExpired) this.#finish({ kind: 'error', error: this.#expired() }, 'done');
    else if (this.#cancel.signal.aborted) this.#finish(OVER, 'done');
    else if (lease.lost.aborted) this.onLost();
    else await this.#dispatch(lease);
    return outcome;
  }

  async #dispatch(lease: Lease): Promise<void> {
    const { context, deploymentId, req, request, onSwitch } = this.#options;
    const { clock, deadlines, durationMs, limits, upstreams } = context;
    // A WebSocket may last longer, but its handshake is a request like any other.
    this.#deadline ??= deadlines.add(durationMs(deploymentId), () => this.#onDeadline());
    let whole = this.#body.take();
    if (whole === undefined && this.#body.isSmall && !this.#answer.isBodyHeldBack) {
      await this.#body.gather(clock, limits.gatherMs, this.#cancel.signal);
      whole = this.#body.take();
    }
    // The client, the instance or the deadline may have been quicker.
    if (this.#settle === undefined) return;
    const headers = requestHeaders(req, {
      id: request.id,
      host: request.host,
      proto: request.proto,
      remoteAddress: req.socket.remoteAddress ?? '',
      isTrusted: request.isTrusted,
    });
    const outgoing = { method: req.method ?? 'GET', path: request.path, headers };
    this.#dispatchedAt = clock.now();
    if (context.protocol(deploymentId) === 'h2c' && onSwitch === undefined) {
      headers.push(...this.#framing());
      this.#upstream = upstreams.use(lease);
      this.#attempt = sendHttp2(this.#upstream.session(), outgoing, this.#body, whole, this);
    } else if (whole === undefined || onSwitch !== undefined || request.path === '*') {
      headers.push(...this.#framing());
      this.#attempt = sendStream(upstreams.dial(lease), outgoing, this.#body, this, limits);
    } else {
      this.#upstream = upstreams.use(lease);
      this.#attempt = sendWhole(this.#upstream, outgoing, whole, this);
      if (this.#attempt === undefined) {
        this.#finish({ kind: 'error', error: new BerthError('BAD_REQUEST') }, 'done');
      }
    }
  }

  /** How a message on a connection of its own says where it ends, or what it wants to become. */
  #framing(): RawHeaders {
    const { req, onSwitch } = this.#options;
    if (onSwitch !== undefined)
      return ['connection', 'Upgrade', 'upgrade', req.headers.upgrade ?? ''];
    if (this.#body.state === 'empty') return [];
    const expect = this.#answer.isBodyHeldBack ? ['expect', '100-continue'] : [];
    const length = this.#body.contentLength;
    if (length !== undefined) return ['content-length', String(length), ...expect];
    const { trailer } = req.headers;
    const trailers = trailer === undefined ? [] : ['trailer', trailer];
    return ['transfer-encoding', 'chunked', ...trailers, ...expect];
  }

  // --- what the app says

  onInformation(status: number, headers: ReceivedHeaders): void {
    this.#answer.inform(status, headers);
  }

  onHead(status: number, message: string, headers: ReceivedHeaders): void {
    this.#served.appMs = this.#context.clock.now() - this.#dispatchedAt;
    this.#heard(this.#answer.head(status, message, headers));
  }

  /** What the app says about being busy is between it and the fleet. */
  #heard(busy: string | undefined): void {
    const instanceId = this.#lease?.instanceId;
    if (busy !== undefined && instanceId !== undefined) {
      void this.#context.fleet.sayBusy(instanceId, busy);
    }
  }

  onData(chunk: Buffer): boolean {
    return this.#answer.data(chunk, () => this.#attempt?.resume());
  }

  onEnd(trailers: ReceivedHeaders): void {
    this.#answer.end(trailers);
    this.#finish(OVER, 'done');
    if (this.#hasRest()) this.#linger();
  }

  onFailure(happened: Happened, error: Error): void {
    // Bytes that are not HTTP say nothing about the instance's health; a connection that broke does.
    const isGarbled = isNotHttp(error) || (happened === 'answering' && !this.#answer.hasBegun);
    if (isGarbled) {
      const bad = new BerthError('BAD_RESPONSE', {
        detail: `The answer of the app is not valid HTTP (${error.message}). The instance was left as it is.`,
      });
      this.#finish({ kind: 'error', error: bad }, 'done');
      return;
    }
    const isUntouched = happened === 'refused' || happened === 'undelivered';
    const where = isUntouched
      ? 'The instance did not accept the connection'
      : happened === 'reset'
        ? 'The connection ended before an answer came'
        : 'The connection ended within the answer';
    const how = isUntouched ? 'refused' : 'died';
    this.#finish({ kind: 'failed', happened, detail: `${where} (${error.message})` }, how);
  }

  #switch(onSwitch: Switch, answer: Parameters<NonNullable<AttemptSink['onUpgrade']>>): void {
    this.#served.appMs = this.#context.clock.now() - this.#dispatchedAt;
    if (this.#deadline !== undefined) this.#context.deadlines.cancel(this.#deadline);
    const switched = onSwitch(...answer, (busy) => this.#heard(busy));
    this.#switched = switched;
    // From now on nobody can tell what the app has read.
    this.#attempt = undefined;
    void switched.closed.then(() => {
      if (this.#isLost && !switched.isGoodbyeSaid) this.#endLost('answering');
      else this.#finish(OVER, 'done');
    });
  }

  // --- what else may happen

  /** `lease.lost`: the instance has ended, or must be left now. */
  onLost(): void {
    if (this.#switched !== undefined) {
      // The lease ends when both sides are closed: the instance is not to be stopped under a goodbye.
      this.#isLost = true;
      this.#switched.leave();
      return;
    }
    const happened = this.#answer.hasBegun
      ? 'answering'
      : this.#attempt === undefined
        ? 'undelivered'
        : this.#lease?.isUnread?.() === true
          ? 'unread'
          : 'reset';
    this.#attempt?.abort();
    this.#endLost(happened);
  }

  #endLost(happened: Happened): void {
    this.#finish({ kind: 'failed', happened, detail: 'The instance ended' }, 'died');
  }

  #onDeadline(): void {
    this.#isExpired = true;
    this.#attempt?.abort();
    this.#cancel.abort(GONE);
    this.#finish({ kind: 'error', error: this.#expired() }, 'done');
  }

  #expired(): BerthError {
    const seconds = this.#context.durationMs(this.#options.deploymentId) / 1000;
    return new BerthError('DURATION_EXCEEDED', {
      detail: `There was no whole answer within ${seconds} s.`,
    });
  }

  #onClientClosed(): void {
    // What was switched ends when both of its sides are closed.
    if (this.#answer.isWhole || this.#switched !== undefined) return;
    this.#cancel.abort(GONE);
    this.#attempt?.abort();
    this.#finish(OVER, 'done');
  }

  /** The one way an attempt ends. */
  #finish(outcome: Outcome, how: LeaseEnd): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#settle = undefined;
    this.#attempt = undefined;
    if (this.#upstream !== undefined) this.#context.upstreams.release(this.#upstream);
    this.#upstream = undefined;
    this.#served.bytesIn ||= this.#body.bytesRead;
    if (this.#lease !== undefined) {
      this.#context.losses.unwatch(this.#lease.lost, this);
      this.#lease.end(how);
    }
    settle(outcome);
  }

  #fail(error: BerthError): void {
    if (this.#switched !== undefined) {
      this.#served.error = error.code;
      return;
    }
    this.#answer.fail(error, this.#hasRest());
    if (this.#hasRest()) this.#linger();
  }

  /** Bytes of the request that nobody has read, and that will come or have come. */
  #hasRest(): boolean {
    return !this.#body.hasEnded && !this.#answer.isBodyHeldBack;
  }

  #linger(): void {
    const { context, req, res } = this.#options;
    linger(context, req, res, this.#body);
  }
}
