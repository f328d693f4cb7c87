/** The way from a command to the server. */
import { type Client, createClient } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { type AddressOptions, serverAddress } from './server-address.ts';
import type { World } from './world.ts';

/** Throws SERVER_NOT_RUNNING when none is known; one that is known and silent is found out by the first call. */
export async function connect({ world }: Context, options: AddressOptions): Promise<Client> {
  const { url, token } = await serverAddress(world, options);
  return createClient({ url, token, sleep: (ms, signal) => world.clock.sleep(ms, signal) });
}

/** Whether a server answers there; that needs no token. */
export async function isHealthy(world: World, url: string): Promise<boolean> {
  try {
    await createClient({ url, token: '', sleep: (ms) => world.clock.sleep(ms) }).health();
    return true;
  } catch (error) {
    if (error instanceof BerthError) return false;
    throw error;
  }
}
