/** Names the failures of SQLite and of the file system in the words of the catalogue. */
import { BerthError, type ErrorCode } from '../../core/errors.ts';
import type { Failure } from './messages.ts';

/** By the beginning of SQLite's code; the first that fits. Whatever is not here is a mistake of ours: INTERNAL. */
const FAILURES: readonly (readonly [prefix: string, code: ErrorCode, what: string])[] = [
  ['SQLITE_FULL', 'DISK_FULL', 'has no room to grow'],
  ['SQLITE_NOTADB', 'DATA_FOLDER', 'is not an SQLite database'],
  ['SQLITE_CORRUPT', 'DATA_FOLDER', 'is damaged: restore it from a backup'],
  ['SQLITE_READONLY', 'DATA_FOLDER', 'cannot be written'],
  ['SQLITE_CANTOPEN', 'DATA_FOLDER', 'cannot be opened'],
  ['SQLITE_PERM', 'DATA_FOLDER', 'cannot be opened'],
  ['SQLITE_BUSY', 'DATA_FOLDER', 'is held by another program'],
  ['SQLITE_LOCKED', 'DATA_FOLDER', 'is held by another program'],
  ['SQLITE_PROTOCOL', 'DATA_FOLDER', 'is held by another program'],
  ['SQLITE_IOERR', 'DATA_FOLDER', 'cannot be read or written'],
  ['SQLITE_NOLFS', 'DATA_FOLDER', 'cannot be read or written'],
];

/** DISK_FULL, DATA_FOLDER or INTERNAL, naming the file and what SQLite said. */
export function sqliteError(file: string, failure: Failure): BerthError {
  const { code = '', message } = failure;
  const known = FAILURES.find(([prefix]) => code.startsWith(prefix));
  if (!known)
    return new BerthError('INTERNAL', { detail: `A query failed: ${message} (${code}).` });
  return new BerthError(known[1], { detail: `${file} ${known[2]}: ${message} (${code}).` });
}

/** DISK_FULL or DATA_FOLDER for a file that the operating system does not let us make or open. */
export function fileError(file: string, error: unknown): BerthError {
  const message = error instanceof Error ? error.message : String(error);
  const full = /^(ENOSPC|EDQUOT)/.test(message);
  return new BerthError(full ? 'DISK_FULL' : 'DATA_FOLDER', {
    detail: `${file} cannot be opened: ${message}.`,
    cause: error,
  });
}
