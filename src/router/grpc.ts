/** Failures in the words of gRPC: its clients look at `grpc-status` and at nothing else. */
import type { BerthError, ErrorCode } from '../core/errors.ts';
import type { RawHeaders } from './headers.ts';
import type { InboundRequest } from './inbound.ts';

/** Codes of gRPC for those failures that another attempt may not get around. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 12,
  DURATION_EXCEEDED: 4,
  BAD_REQUEST: 13,
  INTERNAL: 13,
};
const UNAVAILABLE = 14;

/** gRPC itself; gRPC-Web has its own way and goes as plain HTTP. */
export function isGrpc(req: InboundRequest): boolean {
  return /^application\/grpc(?:$|[+;])/.test(req.headers['content-type'] ?? '');
}

/** `grpc-status` and `grpc-message`: trailers, or with `content-type` the head of an answer that is nothing else. */
export function grpcStatus(error: BerthError): RawHeaders {
  const message = `${error.code}: ${error.detail.slice(0, 500)}`.toWellFormed();
  return [
    ...['grpc-status', String(STATUS[error.code] ?? UNAVAILABLE)],
    ...['grpc-message', encodeURI(message).replaceAll('%20', ' ')],
  ];
}
