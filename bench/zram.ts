/** Compressed swap in memory for one measurement: set up on a device of its own, and undone. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PAGE_CLUSTER = '/proc/sys/vm/page-cluster';

export interface Zram {
  readonly device: string;
  undo(): Promise<void>;
}

/** Needs root and a kernel with zram. The swap has the highest priority while it is there. */
export async function addZram(bytes: number): Promise<Zram> {
  const number = (await readFile('/sys/class/zram-control/hot_add', 'utf8')).trim();
  const device = `/dev/zram${number}`;
  const pageCluster = await readFile(PAGE_CLUSTER, 'utf8');
  const undo = async () => {
    await run('swapoff', [device]).catch(() => undefined);
    await writeFile(PAGE_CLUSTER, pageCluster);
    await writeFile('/sys/class/zram-control/hot_remove', number);
  };
  try {
    await writeFile(`/sys/block/zram${number}/disksize`, String(bytes));
    await run('mkswap', [device]);
    await run('swapon', ['--priority', '100', device]);
    // Reading ahead is for disks: here it would only unpack pages that nobody asked for.
    await writeFile(PAGE_CLUSTER, '0');
    return { device, undo };
  } catch (error) {
    await undo();
    throw error;
  }
}
