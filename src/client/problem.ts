/** Answers of the API that are errors, as the errors they were on the server. */
import { BerthError, CATALOGUE } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { components } from './schema.d.ts';

type Problem = components['schemas']['Problem'];

/** The error that a problem tells of. An answer that is no problem did not come from Berth. */
export function errorFrom(body: unknown, response: Response): BerthError {
  if (!isProblem(body)) {
    return new BerthError('INTERNAL', {
      detail: `${response.url} answered ${response.status}, but not as Berth does.`,
    });
  }
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new BerthError(knownCode(body.code), {
    detail: body.detail,
    problems: body.problems,
    log: body.log,
    ...(Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {}),
  });
}

/** A request that got no answer: SERVER_NOT_RUNNING; INTERNAL for one that is no JSON. What the caller aborted stays what it is. */
export function errorWithoutAnswer(cause: unknown, url: string): unknown {
  if (cause instanceof SyntaxError) {
    return new BerthError('INTERNAL', { detail: `${url} answered, but not as Berth does.`, cause });
  }
  if (!(cause instanceof TypeError)) return cause;
  const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
  const detail = `Nothing answers at ${url}${reason ? ` (${reason})` : ''}.`;
  return new BerthError('SERVER_NOT_RUNNING', { detail, cause });
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;
}

/** A newer server may know more codes than this client. */
function knownCode(code: string): ErrorCode {
  return Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL';
}
