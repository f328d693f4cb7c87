/** Where requests come in: finds out where each belongs, or answers it here, and writes down how it was served. */
import type { Socket } from 'node:net';
import { isBusyPath } from '../core/busy.ts';
import { BerthError } from '../core/errors.ts';
import type { DeploymentId } from '../core/model.ts';
import type { DeploymentTarget, RouteTable, RouteTarget } from '../core/route.ts';
import { pickSide } from '../core/trial.ts';
import type { Random } from '../ports/random.ts';
import { type AccessRecord, Served } from './access-log.ts';
import { Answer } from './answer.ts';
import { RequestBody } from './body.ts';
import type { RequestContext, RouterContext } from './context.ts';
import type { InboundRequest, InboundResponse, Inlet } from './inbound.ts';
import { linger } from './linger.ts';
import { checkForm, refuseMalformed } from './malformed.ts';
import { isSecure, originOf, type SecureOptions } from './servers.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface ReceptionOptions {
  readonly routes: RouteTable;
  readonly random: Random;
  /** TLS beside the plain port; absent: there is none. */
  readonly secure?: SecureOptions;
  /** The proof for an ACME server that asks a hostname for a path; undefined when the request is none of its. */
  readonly challengeAnswer?: (hostname: string, path: string) => string | undefined;
  /** One call per request, when it has ended. */
  readonly onAccess?: (record: AccessRecord) => void;
}

/** A request that belongs somewhere. */
export interface Received {
  readonly target: RouteTarget;
  readonly request: RequestContext;
}

export class Reception {
  readonly #context: RouterContext;
  readonly #options: ReceptionOptions;
  readonly #trusted: TrustedProxies;
  /** Ids are this process's own prefix and a count: unique, and cheap on the way of every request. */
  readonly #idPrefix: string;
  #idCount = 0;

  constructor(context: RouterContext, options: ReceptionOptions, trusted: TrustedProxies) {
    this.#context = context;
    this.#options = options;
    this.#trusted = trusted;
    this.#idPrefix = options.random.id(10);
  }

  /** Where a request belongs; undefined when it was answered here, because it is malformed or its host unknown. */
  receive(req: InboundRequest, res: InboundResponse): Received | undefined {
    const form = checkForm(req, this.#context.limits);
    const isGood = form.kind === 'wellFormed';
    const isTrusted = this.#trusted.has(req.socket.remoteAddress);
    const isSaidSecure = isTrusted && req.headers['x-forwarded-proto'] === 'https';
    const request: RequestContext = {
      id: this.#newId(),
      at: this.#context.clock.now(),
      isTrusted,
      proto: isSecure(req.socket) || isSaidSecure ? 'https' : 'http',
      host: isGood ? form.host : '',
      path: isGood ? form.path : '',
      platformOrigin: this.#platformOrigin(
        req.socket,
        isGood ? form.parsed.port : req.socket.localPort,
      ),
      environment: undefined,
      setCookie: undefined,
    };
    if (!isGood) {
      res.shouldKeepAlive = false;
      const error = new BerthError('BAD_REQUEST', { detail: form.detail });
      this.#refuse(req, res, request, error, form.status);
      return undefined;
    }
    const { challengeAnswer, routes, secure } = this.#options;
    const proof = challengeAnswer?.(form.parsed.host, form.path);
    if (proof !== undefined) {
      this.#say(req, res, request, 200, { 'content-type': 'application/octet-stream' }, proof);
      return undefined;
    }
    const target = routes.resolve(form.parsed.host, form.path);
    if (target.kind === 'deployment' && request.proto === 'http' && secure?.redirectPort) {
      const origin = originOf('https', form.parsed.host, secure.redirectPort());
      const location = `${origin}${form.path === '*' ? '/' : form.path}`;
      this.#say(req, res, request, 308, { location });
      return undefined;
    }
    if (target.kind === 'deployment' && isBusyPath(form.path)) {
      const error = new BerthError('INSIDE_ONLY');
      this.#refuse(req, res, request, error, error.status);
      return undefined;
    }
    if (target.kind === 'deployment') return { target: this.#side(req, request, target), request };
    if (target.kind === 'platform') return { target, request };
    const error = new BerthError('NOT_FOUND', { detail: `Nothing is deployed at ${target.host}.` });
    this.#refuse(req, res, request, error, error.status);
    return undefined;
  }

  /** While a release is on trial, the client's side of it. */
  #side(req: InboundRequest, request: RequestContext, target: DeploymentTarget): RouteTarget {
    request.environment = target.environment;
    const { trial } = target;
    if (trial === undefined) return target;
    const draw = this.#options.random.fraction();
    const side = pickSide(target.deploymentId, trial, req.headers.cookie, draw);
    request.setCookie = side.setCookie;
    return { kind: 'deployment', deploymentId: side.deploymentId };
  }

  #refuse(
    req: InboundRequest,
    res: InboundResponse,
    request: RequestContext,
    error: BerthError,
    status: number,
  ): void {
    this.#answer(req, res, request, (answer, isOpen) => answer.fail(error, isOpen, status));
  }

  /** A short answer of the router's own. */
  #say(
    req: InboundRequest,
    res: InboundResponse,
    request: RequestContext,
    status: number,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): void {
    this.#answer(req, res, request, (answer, isOpen) => answer.say(status, headers, body, isOpen));
  }

  /** What is answered here is answered before the request has been read; then its rest is read and thrown away. */
  #answer(
    req: InboundRequest,
    res: InboundResponse,
    request: RequestContext,
    write: (answer: Answer, isOpen: boolean) => void,
  ): void {
    const served = new Served();
    const body = new RequestBody(req, 0, this.#context.buffers, '');
    const answer = new Answer(this.#context, request, req, res, served);
    const hasRest = !body.hasEnded && !answer.isBodyHeldBack;
    write(answer, hasRest);
    if (hasRest) linger(this.#context, req, res, body);
    res.on('close', () => this.record(req, request, served, false));
  }

  /** Answers what the parser could not read. */
  refuseUnread(error: Error, socket: Socket): void {
    refuseMalformed(error, socket, {
      id: this.#newId(),
      platformOrigin: this.#platformOrigin(socket, socket.localPort),
      version: this.#context.version,
    });
  }

  /** Writes down how a request was served; `aborted`: the client went first, or its answer was cut off. */
  record(
    req: InboundRequest,
    request: RequestContext,
    served: Served,
    aborted: boolean,
    deploymentId?: DeploymentId,
  ): void {
    const now = this.#context.clock.now();
    this.#options.onAccess?.(served.record({ request, req, deploymentId, now, aborted }));
  }

  #newId(): string {
    this.#idCount += 1;
    return `${this.#idPrefix}-${this.#idCount.toString(36)}`;
  }

  #platformOrigin(socket: Inlet, port: number | undefined): string {
    const proto = isSecure(socket) ? 'https' : 'http';
    return originOf(proto, this.#options.routes.platformHost, port);
  }
}
