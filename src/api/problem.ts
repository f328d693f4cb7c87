/** Errors → HTTP, in one place: RFC 9457 problems with a code of the catalogue. */
import { inspect } from 'node:util';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BerthError, errorPagePath } from '../core/errors.ts';
import type { Reporter } from '../ports/reporter.ts';
import { type InputIssue, inputProblem, inputSentence } from './input-problem.ts';

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export const problemSchema = z
  .object({
    type: z.string().describe('Path of the page about this code.'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('What exactly happened this time.'),
    instance: z.string().describe('Id of this answer, as in the log of the server.'),
    code: z.string().describe('A code of the catalogue.'),
    advice: z.string().describe('What to do about it.'),
    problems: z
      .array(
        z.object({
          at: z.string(),
          message: z.string(),
          line: z.number().optional(),
          column: z.number().optional(),
        }),
      )
      .describe('Each place of the input that is wrong.'),
    log: z.array(z.string()).describe('Last lines of the log that belongs to it.'),
  })
  .meta({ id: 'Problem', description: 'Every error of this API (RFC 9457).' });

export type WireProblem = z.output<typeof problemSchema>;

/** The wire form of an error; `instance` names the answer. */
function toProblem(error: BerthError, instance: string): WireProblem {
  return {
    type: errorPagePath(error.code),
    title: error.title,
    status: error.status,
    detail: error.detail,
    instance,
    code: error.code,
    advice: error.advice,
    problems: error.problems.map((problem) => ({ ...problem })),
    log: [...error.log],
  };
}

/** Makes every failure below `app` a problem. Unforeseen ones are logged whole and told without their insides. */
export function answerWithProblems(app: FastifyInstance, reporter: Reporter): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = asBerthError(error);
    if (known.code === 'INTERNAL') {
      reporter.report('error', 'api.failed', {
        request: request.id,
        path: request.routeOptions.url,
        error: inspect(error),
      });
    }
    return sendProblem(known, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`;
    return sendProblem(new BerthError('NOT_FOUND', { detail }), request, reply);
  });
}

/** For paths that lead to no route because they are too long, or escaped wrongly: Fastify would answer without a code. */
export function refusePath(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const detail =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? 'A name in the path is too long.'
      : `The path is not valid: ${error.message}.`;
  void sendProblem(new BerthError('INVALID_INPUT', { detail }), request, reply);
}

function sendProblem(
  error: BerthError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  request.failureCode = error.code;
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
  if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer realm="berth"');
  // What is left of a refused body is not read: the connection cannot be used again.
  if (!request.raw.complete) reply.header('connection', 'close');
  return reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(toProblem(error, request.id));
}

function asBerthError(error: FastifyError | BerthError): BerthError {
  if (error instanceof BerthError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new BerthError('UPLOAD_TOO_LARGE', { detail: 'The body of the request is too large.' });
  }
  if (error.code === 'ECONNRESET') {
    return new BerthError('BAD_REQUEST', {
      detail: 'The connection ended before the request did.',
    });
  }
  const status = error.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return new BerthError('INVALID_INPUT', { detail: error.message });
  }
  return new BerthError('INTERNAL', { cause: error });
}

/** The place of the configuration in the body of a deploy. */
const CONFIGURATION = '/configuration';

function invalidInput(error: {
  readonly validation: readonly InputIssue[];
  readonly validationContext?: string;
}): BerthError {
  const isConfiguration = error.validation.every(({ instancePath }) =>
    `${instancePath}/`.startsWith(`${CONFIGURATION}/`),
  );
  const problems = error.validation.map(inputProblem);
  const [first] = problems;
  return new BerthError(isConfiguration ? 'CONFIG_INVALID' : 'INVALID_INPUT', {
    ...(first ? { detail: inputSentence(first, error.validationContext) } : {}),
    problems,
  });
}
