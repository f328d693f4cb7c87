/** `berth secrets ls`: names, versions and who uses them; never a value. */
import type { Secret } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age, count } from './format.ts';
import type { SecretOptions } from './secrets-add.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: SecretOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const secrets = await client.secrets(options.team);
  if (output.isJson) {
    output.json(secrets);
    return;
  }
  if (secrets.length === 0) {
    output.note('There is no secret yet: `berth secrets add NAME` keeps one.');
    return;
  }
  const now = world.clock.now();
  const rows = secrets.map((secret) => [
    secret.name,
    `v${secret.version}`,
    `${age(now - Date.parse(secret.createdAt))} ago`,
    secret.createdBy,
    usedBy(secret),
  ]);
  printTable(output, ['NAME', 'VERSION', 'CHANGED', 'BY', 'USED BY'], rows);
}

/** Environments with the version each runs where that is an old one, then how many deployments. */
function usedBy({ version, deployments, environments }: Secret): string {
  const running = environments.map(({ project, environment, version: own }) => {
    const old = own !== undefined && own < version ? ` (still v${own})` : '';
    return `${environment} of ${project}${old}`;
  });
  if (deployments.length > 0) running.push(count(deployments.length, 'deployment'));
  return running.length === 0 ? 'nobody' : running.join(', ');
}
