/** `berth logout`: removes one's token on the server, and what is kept of it here. */
import { createClient } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { readCredentials, writeCredentials } from './credentials.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  { world, output }: Context,
  address: string | undefined,
  _options: GlobalOptions,
): Promise<void> {
  const { current, tokens } = await readCredentials(world);
  const url = address === undefined ? current : address.replace(/\/+$/, '');
  const token = url === undefined ? undefined : tokens[url];
  if (url === undefined || token === undefined) {
    const detail =
      url === undefined ? 'You are logged in nowhere.' : `You are not logged in at ${url}.`;
    throw new BerthError('USAGE', { detail });
  }
  const sleep = (ms: number, signal?: AbortSignal) => world.clock.sleep(ms, signal);
  const isGone = await createClient({ url, token, sleep })
    .logout()
    .then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof BerthError)) throw error;
        // What the server does not know any more needs no removing; one that is silent is told of below.
        return error.code === 'UNAUTHORIZED';
      },
    );
  const { [url]: _removed, ...others } = tokens;
  const next = current === url ? Object.keys(others)[0] : current;
  await writeCredentials(world, {
    tokens: others,
    ...(next === undefined ? {} : { current: next }),
  });
  if (output.isJson) output.json({ server: url, tokenRemoved: isGone });
  output.note(
    isGone
      ? `Logged out of ${url}.`
      : `The token of ${url} is forgotten here, but the server could not be told: an owner can remove it.`,
  );
  if (next !== undefined) output.note(`Commands go to ${next} now.`);
}
