/** Errors of the file system, told apart. */
import { BerthError } from '../core/errors.ts';

/** A full disk or quota as DISK_FULL, anything else as it is. */
export function asDiskFull(error: unknown): unknown {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new BerthError('DISK_FULL', {
    detail: 'The disk of the data folder filled up; what was being written was removed again.',
    cause: error,
  });
}

/** `ENOENT` and the like. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
