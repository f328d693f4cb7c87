/** `berth backup` and `berth restore` with their arguments. */
import { type Command, Option } from 'commander';
import type { Calls } from './program.ts';

export function addBackupCommands(program: Command, calls: Calls): void {
  const passphrase = [
    '--passphrase-file <file>',
    'take the passphrase from a file; otherwise it is asked for, or read from standard input',
  ] as const;
  program
    .command('backup')
    .description('write everything a restore needs into one file: state, uploads, keys, images')
    .argument('<file>', 'where to; - for standard output')
    .option('--no-images', 'without images: after a restore each app is deployed once more')
    .option(...passphrase)
    .action(calls(() => import('./backup.ts')));
  program
    .command('restore')
    .description('fill an empty data folder from a backup, on this machine or another')
    .argument('<file>', 'as `berth backup` wrote it')
    .option('--storage <folder>', 'where Podman keeps images, if `berth up` is told so')
    .addOption(
      new Option('--engine <engine>', 'as `berth up` will be told')
        .choices(['podman', 'memory'])
        .default('podman'),
    )
    .option(...passphrase)
    .action(calls(() => import('./restore.ts')));
}
