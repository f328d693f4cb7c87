/** The wiring of a restore: the parts of a server that fill an empty data folder, and nothing that serves. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { restore, type Restored, type RestoreNeeds } from './backup/restore.ts';
import { openDriver } from './wiring/driver.ts';
import { LATEST_FORM } from './stores/sqlite/migrations.ts';
import { openSqliteStore } from './stores/sqlite/open.ts';
import { systemClock as clock } from './system/clock.ts';
import { claimDataFolder, claimIdentity } from './system/data-folder.ts';
import { systemRandom as random } from './system/random.ts';

export interface RestoreOptions {
  readonly file: string;
  readonly passphrase: string;
  readonly data: string;
  readonly engine: 'podman' | 'memory';
  /** Where Podman keeps images; absent means Podman's own default. */
  readonly storage?: string;
  readonly tell: RestoreNeeds['tell'];
}

/** Throws what `restore` throws. */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { file, passphrase, tell, ...rest } = options;
  return restore(
    {
      folder: options.data,
      form: LATEST_FORM,
      clock,
      claim: () => claimDataFolder(options.data, random),
      refuseTwin: async (ledger) => {
        if (options.engine === 'podman') await (await claimIdentity(ledger))();
      },
      openStore: (path) => openSqliteStore(path),
      openEngine: async (store) => {
        const driver = await openDriver({ ...rest, listen: '127.0.0.1:0' }, store, async () => {});
        return driver.engine;
      },
      sync: syncFileSystem,
      tell,
    },
    { file, passphrase },
  );
}

/** Ten thousand files one by one would take minutes; Node has no call for all of them. */
async function syncFileSystem(folder: string): Promise<void> {
  await promisify(execFile)('sync', ['--file-system', folder]);
}
