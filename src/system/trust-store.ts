/** The authorities that the programs of this machine trust: Debian's store. */
import { execFile } from 'node:child_process';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BerthError } from '../core/errors.ts';

export interface TrustStoreFolders {
  /** Where local certificates are put. */
  readonly local: string;
  /** Further options of `update-ca-certificates`. */
  readonly options: readonly string[];
}

const DEBIAN: TrustStoreFolders = { local: '/usr/local/share/ca-certificates', options: [] };

/**
 * Puts a certificate (PEM) into the store; the path of its file. Removing that file and `update-ca-certificates` undo it.
 * Throws HOST_UNSUPPORTED when there is no such store, or it cannot be written; then nothing is left there.
 */
export async function trustCertificate(
  certificate: string,
  fileName: string,
  folders: TrustStoreFolders = DEBIAN,
): Promise<string> {
  const path = join(folders.local, fileName);
  // Certificates end in .crt: half a file is none.
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, `${certificate.trim()}\n`);
    await chmod(temporary, 0o644);
    await rename(temporary, path);
    await promisify(execFile)('update-ca-certificates', [...folders.options]);
    return path;
  } catch (cause) {
    await Promise.all([temporary, path].map((file) => rm(file, { force: true }).catch(() => {})));
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const said = cause instanceof Error ? cause.message : String(cause);
    const detail = isMissing
      ? 'There is no `update-ca-certificates` here (Debian package ca-certificates): `berth tls trust` says how other systems do it.'
      : `The store of this machine cannot be changed: ${said}.`;
    throw new BerthError('HOST_UNSUPPORTED', { detail, cause });
  }
}
