/** Where the logs lie: `<folder>/<deployment>/<instance>.log`, and nowhere else. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { DeploymentId, InstanceId } from '../core/model.ts';

const SUFFIX = '.log';
/** No separator, no leading dot, room for the suffix within the 255 bytes of a file name. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** The folder of a deployment. Throws INVALID_INPUT for an id that could lead elsewhere. */
export function deploymentFolder(folder: string, deploymentId: DeploymentId): string {
  return join(folder, safeName(deploymentId));
}

/** The file of an instance within the folder of its deployment. Throws INVALID_INPUT as well. */
export function instanceFile(folder: string, instanceId: InstanceId): string {
  return join(folder, `${safeName(instanceId)}${SUFFIX}`);
}

/** Instances with a file in the folder of a deployment, in order of their name; none when there is no folder. */
export async function instancesIn(folder: string): Promise<readonly InstanceId[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter((name) => SAFE_NAME.test(name))
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whether an error says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** Gives failures of the file system the words of the catalogue: DISK_FULL or DATA_FOLDER. */
export async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = codeOf(error);
    // Only what a system call answered: a mistake of ours or of whoever listens stays what it is.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new BerthError(full ? 'DISK_FULL' : 'DATA_FOLDER', {
      detail: `The logs cannot be used: ${error.message}.`,
      cause: error,
    });
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function safeName(id: string): string {
  if (SAFE_NAME.test(id)) return id;
  throw new BerthError('INVALID_INPUT', { detail: `"${id}" cannot be the name of a log.` });
}
