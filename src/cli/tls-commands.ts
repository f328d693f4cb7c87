/** `berth tls`: its commands with their arguments. */
import type { Command } from 'commander';
import type { Calls } from './program.ts';

export function addTlsCommands(program: Command, calls: Calls): void {
  const tls = program
    .command('tls')
    .description('certificates: which there are, one’s own, and how to trust the local authority');
  tls
    .command('ls', { isDefault: true })
    .description('list certificates and what each serves')
    .action(calls(() => import('./tls-ls.ts')));
  tls
    .command('add')
    .description('serve a hostname with a certificate of one’s own, from the next visit on')
    .argument('<hostname>', 'a hostname, or a wildcard such as *.example.com')
    .requiredOption('--cert <file>', 'PEM: the certificate, then who signed it')
    .requiredOption('--key <file>', 'PEM: its private key')
    .action(calls(() => import('./tls-add.ts')));
  tls
    .command('rm')
    .description('remove one’s own certificate of a hostname, or the automatic one')
    .argument('<hostname>', 'as `berth tls ls` shows it')
    .action(calls(() => import('./tls-rm.ts')));
  tls
    .command('trust')
    .description(
      'say how to trust the local authority, so that browsers accept https on this machine',
    )
    .option('-o, --output <file>', 'write its certificate to this file first')
    .option('--install', 'do it for the programs of this machine: Debian or Ubuntu, as root')
    .action(calls(() => import('./tls-trust.ts')));
}
