/** The passphrase of a backup: from a prompt without echo, a file or standard input, and never the command line. */
import { BerthError } from '../core/errors.ts';
import { readGiven } from './read-given.ts';
import type { World } from './world.ts';

export interface PassphraseOptions {
  readonly passphraseFile?: string;
}

/** One line end at its end does not count. Throws USAGE. */
export async function readPassphrase(
  world: World,
  { passphraseFile }: PassphraseOptions,
  isNew: boolean,
): Promise<string> {
  if (passphraseFile === undefined && world.canAsk) return ask(isNew);
  const given =
    passphraseFile === undefined || passphraseFile === '-'
      ? Buffer.from(await world.readInput()).toString()
      : await readGiven(world, passphraseFile);
  const text = given.replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new BerthError('USAGE', {
    detail: 'No passphrase was given: type it when asked, pipe it in, or use --passphrase-file.',
  });
}

/** A new one twice: what nobody can type again opens nothing. */
async function ask(isNew: boolean): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const question = async (message: string) => {
    const answer = await password({
      message,
      validate: (value) => (value ? undefined : 'It is empty.'),
    });
    if (isCancel(answer)) throw new BerthError('USAGE', { detail: 'No passphrase was given.' });
    return answer;
  };
  const first = await question('Passphrase of the backup');
  if (isNew && (await question('The same again')) !== first) {
    throw new BerthError('USAGE', { detail: 'The two passphrases are not the same.' });
  }
  return first;
}
