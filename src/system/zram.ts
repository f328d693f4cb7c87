/** Compressed swap in memory on a device of its own: set up when somebody asked for it, and undone the same way. */
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { BerthError } from '../core/errors.ts';

const run = promisify(execFile);
const CONTROL = '/sys/class/zram-control';
const PAGE_CLUSTER = '/proc/sys/vm/page-cluster';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Above whatever a host may have of its own. */
const PRIORITY = 100;

/** What was changed, so that exactly that can be undone. */
export interface Zram {
  readonly device: string;
  readonly number: string;
  /** `vm.page-cluster` as it was. */
  readonly pageCluster: string;
  /** The boot of the host in which this was so: a device does not outlive it. */
  readonly bootId: string;
}

/** Needs root, and a kernel with zram: the module is loaded if need be. Throws ZRAM_IMPOSSIBLE, and leaves nothing then. */
export async function addZram(bytes: number): Promise<Zram> {
  if (!(await exists(CONTROL))) {
    await run('modprobe', ['zram']).catch(() => undefined);
    if (!(await exists(CONTROL)))
      throw impossible('The kernel has no zram (modprobe zram failed).');
  }
  let zram: Zram | undefined;
  try {
    const pageCluster = await read(PAGE_CLUSTER);
    const number = await read(`${CONTROL}/hot_add`);
    zram = { device: `/dev/zram${number}`, number, pageCluster, bootId: await read(BOOT_ID) };
    await writeFile(`/sys/block/zram${number}/disksize`, String(bytes));
    await run('mkswap', [zram.device]);
    await run('swapon', ['--priority', String(PRIORITY), zram.device]);
    // Reading ahead is for disks: here it would only unpack pages that nobody asked for.
    await writeFile(PAGE_CLUSTER, '0');
    return zram;
  } catch (error) {
    if (zram) await removeZram(zram);
    throw impossible(error instanceof Error ? error.message.trim() : String(error));
  }
}

/** What is gone already is no failure. Throws ZRAM_IMPOSSIBLE when its pages do not fit into memory any more. */
export async function removeZram(zram: Zram): Promise<void> {
  const { device, number, pageCluster, bootId } = zram;
  if ((await read(BOOT_ID)) !== bootId || !(await exists(`/sys/block/zram${number}`))) return;
  const isSwap = (await readFile('/proc/swaps', 'utf8')).split(/\s+/).includes(device);
  if (isSwap) {
    await run('swapoff', [device]).catch((error: unknown) => {
      throw impossible(error instanceof Error ? error.message.trim() : String(error));
    });
  }
  if ((await read(PAGE_CLUSTER)) === '0') await writeFile(PAGE_CLUSTER, pageCluster);
  await writeFile(`${CONTROL}/hot_remove`, number);
}

/** `addZram`, noted in a file from which `undoZram`, in another process, knows what to undo. Throws ZRAM_IMPOSSIBLE. */
export async function setUpZram(noteFile: string, bytes: number): Promise<Zram> {
  const zram = await addZram(bytes);
  try {
    await mkdir(dirname(noteFile), { recursive: true, mode: 0o700 });
    await writeFile(noteFile, `${JSON.stringify(zram)}\n`, { mode: 0o600 });
  } catch (error) {
    await removeZram(zram);
    throw error;
  }
  return zram;
}

/** The device that is gone now; undefined when Berth had set up none. Throws ZRAM_IMPOSSIBLE. */
export async function undoZram(noteFile: string): Promise<string | undefined> {
  const text = await readFile(noteFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const zram = JSON.parse(text) as Zram;
  await removeZram(zram);
  await rm(noteFile);
  return zram.device;
}

async function read(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function impossible(detail: string): BerthError {
  return new BerthError('ZRAM_IMPOSSIBLE', { detail });
}
