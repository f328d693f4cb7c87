/** Keeps the hardware address of a bridge for as long as the bridge lives. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `addr_assign_type` of an address that somebody set, NET_ADDR_SET of the kernel. */
const IS_SET = '3';

/**
 * A Linux bridge takes the lowest hardware address of its ports unless one was set, so it changes its own when instances
 * join or leave. Those that are there already go on answering to the old one, unheard, until their neighbour entry times
 * out: requests in flight stood still for 4 to 14 s. Setting the address that it has makes it stay.
 */
export async function keepBridgeAddress(bridge: string): Promise<void> {
  const folder = `/sys/class/net/${bridge}`;
  const assigned = await readFile(`${folder}/addr_assign_type`, 'latin1').catch(() => undefined);
  // Without instances there is no bridge, and so nothing to keep.
  if (assigned === undefined || assigned.trim() === IS_SET) return;
  const address = (await readFile(`${folder}/address`, 'latin1')).trim();
  await run('ip', ['link', 'set', 'dev', bridge, 'address', address]);
}
