/** `berth login`: from a login link or with a token, to the server that commands go to from then on. */
import { createClient } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { credentialsFile, readCredentials, writeCredentials } from './credentials.ts';
import type { GlobalOptions } from './program.ts';
import type { World } from './world.ts';

export interface LoginOptions extends GlobalOptions {
  readonly token?: string;
}

export async function run(
  { world, output }: Context,
  address: string | undefined,
  options: LoginOptions,
): Promise<void> {
  const { url, code } = parseAddress(address ?? world.env.BERTH_URL);
  const sleep = (ms: number, signal?: AbortSignal) => world.clock.sleep(ms, signal);
  const given = options.token ?? (code === undefined ? world.env.BERTH_TOKEN : undefined);
  const token =
    given ??
    (code === undefined
      ? await askToken(world, url)
      : (await createClient({ url, token: '', sleep }).redeem(code)).value);
  // Kept only when it works; what a link was exchanged for is kept first, because it cannot be had again.
  if (code !== undefined && given === undefined) await keep(world, url, token);
  const identity = await createClient({ url, token, sleep }).whoami();
  await keep(world, url, token);
  if (output.isJson) output.json({ server: url, ...identity });
  else output.print(`${identity.name} at ${url}`);
  output.note(`Commands go to this server now; the token is in ${credentialsFile(world)}.`);
}

/** Throws USAGE. */
function parseAddress(address: string | undefined): { url: string; code?: string } {
  if (address === undefined || address === '') {
    throw new BerthError('USAGE', {
      detail:
        'Say where: `berth login https://berth.example.com`, or paste a login link in quotes. On the machine of the server nobody has to log in.',
    });
  }
  const text = /^https?:\/\//i.test(address) ? address : `https://${address}`;
  if (!URL.canParse(text)) throw new BerthError('USAGE', { detail: `${address} is no address.` });
  const { origin, searchParams } = new URL(text);
  const code = searchParams.get('code');
  return code ? { url: origin, code } : { url: origin };
}

async function askToken(world: World, url: string): Promise<string> {
  if (!world.canAsk) {
    const text = new TextDecoder().decode(await world.readInput()).trim();
    if (text !== '') return text;
    throw new BerthError('USAGE', {
      detail: `Nobody can be asked here: pipe a token for ${url} in, or set BERTH_TOKEN.`,
    });
  }
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: `Token for ${url}` });
  if (isCancel(answer)) throw new BerthError('USAGE', { detail: 'No token was given.' });
  return answer.trim();
}

async function keep(world: World, url: string, token: string): Promise<void> {
  const { tokens } = await readCredentials(world);
  await writeCredentials(world, { current: url, tokens: { ...tokens, [url]: token } });
}
