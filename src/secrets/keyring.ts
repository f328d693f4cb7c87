/** The master keys that are known: those of the key file, read anew whenever one is missing. */
import { BerthError } from '../core/errors.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { SecretStore } from '../ports/secret-store.ts';
import { type Draw, KEY_BYTES, type MasterKey, masterKeyFrom } from './envelope.ts';
import { type KeyFile, readKeys, writeKeys } from './key-file.ts';

export interface Keyring {
  /** What is in the file now. */
  look(): Promise<KeyFile>;
  /** The key to seal with: of the file, made when nothing is kept yet. Throws SECRETS_LOCKED. */
  current(): Promise<MasterKey>;
  /** All of the file, the current one first. Throws SECRETS_LOCKED. */
  all(): Promise<readonly [MasterKey, ...MasterKey[]]>;
  /** The key that opens a secret of this name. Throws SECRETS_LOCKED. */
  find(id: string, name: string): Promise<MasterKey>;
  make(): Promise<MasterKey>;
  write(keys: readonly MasterKey[]): Promise<void>;
  /** A sentence, or undefined when nothing is wrong. */
  whatIsWrong(file: KeyFile, locked: number, values: number): string | undefined;
}

export interface KeyringNeeds {
  readonly store: SecretStore;
  readonly keyFile: string;
  readonly draw: Draw;
  readonly reporter: Reporter;
}

export function createKeyring({ store, keyFile, draw, reporter }: KeyringNeeds): Keyring {
  /** By id. A key that was read once goes on opening, should the file be lost while Berth runs. */
  const known = new Map<string, MasterKey>();

  async function look(): Promise<KeyFile> {
    const file = await readKeys(keyFile);
    if (file.kind === 'read') for (const key of file.keys) known.set(key.id, key);
    return file;
  }

  async function write(keys: readonly MasterKey[]): Promise<void> {
    await writeKeys(keyFile, keys);
    known.clear();
    for (const key of keys) known.set(key.id, key);
  }

  async function make(): Promise<MasterKey> {
    const key = masterKeyFrom(draw(KEY_BYTES));
    await write([key]);
    reporter.report('info', 'secrets.key-made', { file: keyFile, masterKeyId: key.id });
    return key;
  }

  async function all(): Promise<readonly [MasterKey, ...MasterKey[]]> {
    const file = await look();
    // Never from memory: what is sealed with a key that is in no file is lost at the next start.
    if (file.kind === 'read') return file.keys;
    if (file.kind === 'absent' && (await store.wrappedKeys()).length === 0) return [await make()];
    const detail = file.kind === 'damaged' ? file.because : `${keyFile} is not there.`;
    throw new BerthError('SECRETS_LOCKED', { detail });
  }

  return {
    look,
    all,
    make,
    write,
    current: async () => (await all())[0],

    async find(id, name) {
      const key = known.get(id);
      if (key) return key;
      const file = await look();
      const found = known.get(id);
      if (found) return found;
      const detail = {
        absent: `${keyFile} is not there, so the secret ${name} cannot be opened.`,
        damaged: file.kind === 'damaged' ? file.because : '',
        read: `${keyFile} is not the key that the secret ${name} was sealed with (${id}).`,
      }[file.kind];
      throw new BerthError('SECRETS_LOCKED', { detail });
    },

    whatIsWrong(file, locked, values) {
      if (file.kind === 'damaged') return file.because;
      if (values === 0 || locked === 0) return undefined;
      if (file.kind === 'absent') return `${keyFile} is not there: none of ${values} values opens.`;
      return `${keyFile} does not open ${locked} of ${values} values: it is not the key they were sealed with.`;
    },
  };
}
