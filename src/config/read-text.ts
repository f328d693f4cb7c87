/** Reads a text file that somebody wrote by hand; what is wrong with it as a file is an error that names it. */
import { lstat, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { BerthError } from '../core/errors.ts';

const MAX_BYTES = 1024 * 1024;

/** Throws CONFIG_INVALID when it is no plain file, too large, or no UTF-8. */
export async function readText(path: string): Promise<string> {
  const fileName = basename(path);
  const refuse = (message: string): never => {
    throw new BerthError('CONFIG_INVALID', {
      detail: `${fileName}: ${message}`,
      problems: [{ at: '', message: `${fileName}: ${message}` }],
    });
  };
  const status = await lstat(path).catch(() => refuse('the file cannot be read'));
  if (!status.isFile()) return refuse('this is not a plain file');
  if (status.size > MAX_BYTES) {
    return refuse(`the file is ${status.size} bytes: at most ${MAX_BYTES} are allowed`);
  }
  const bytes = await readFile(path).catch((error: Error) =>
    refuse(`the file cannot be read: ${error.message}`),
  );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the file is not UTF-8 text: save it as UTF-8');
  }
}
