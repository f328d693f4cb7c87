/** The file with the master key: the current one first, behind it older ones while a rotation is under way. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_BYTES, type MasterKey, masterKeyFrom } from './envelope.ts';

const HEAD =
  '# Opens the secrets of this data folder. Keep a copy of it, and not beside the copies of the data.\n';

/** `damaged`: something is there that is no key file; `because` is a sentence. */
export type KeyFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly because: string }
  | { readonly kind: 'read'; readonly keys: readonly [MasterKey, ...MasterKey[]] };

/** Never throws. */
export async function readKeys(file: string): Promise<KeyFile> {
  let text: string;
  try {
    text = await readFile(file, 'latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'damaged', because: `${file} cannot be read: ${message}.` };
  }
  const keys: MasterKey[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const bytes = Buffer.from(line.trim(), 'base64');
    if (bytes.length !== KEY_BYTES) {
      return { kind: 'damaged', because: `${file} has a line that is no key.` };
    }
    keys.push(masterKeyFrom(bytes));
  }
  const [first, ...rest] = keys;
  if (!first) return { kind: 'damaged', because: `${file} has no key in it.` };
  return { kind: 'read', keys: [first, ...rest] };
}

/** For its owner only, and on the disk when this resolves: whoever reads sees the old keys or the new ones. */
export async function writeKeys(file: string, keys: readonly MasterKey[]): Promise<void> {
  const temporary = `${file}.new`;
  await rm(temporary, { force: true });
  const written = await open(temporary, 'wx', 0o600);
  try {
    const lines = keys.map(({ bytes }) => `${bytes.toString('base64')}\n`);
    await written.writeFile(`${HEAD}${lines.join('')}`);
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(temporary, file);
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
