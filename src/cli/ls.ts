/** `berth ls`: deployments, newest first, each with a mark of how awake it is. */
import { bytesInWords } from '../core/words.ts';
import type { Deployment, Instance } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import type { Output } from './output.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(
  context: Context,
  project: string | undefined,
  options: GlobalOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  if (output.isJson) {
    output.json(await client.deployments(project));
    return;
  }
  const [deployments, instances] = await Promise.all([
    client.deployments(project),
    client.instances(),
  ]);
  if (deployments.length === 0) {
    output.note(
      project === undefined
        ? 'Nothing is deployed yet: `berth deploy FOLDER` deploys a folder.'
        : `Nothing is deployed of ${project}: \`berth ls\` shows all there is.`,
    );
    return;
  }
  const now = world.clock.now();
  const instancesOf = Map.groupBy(instances, ({ deployment }) => deployment);
  const rows = deployments.map((deployment) => {
    const own = instancesOf.get(deployment.id) ?? [];
    return [
      `${mark(deployment, own, output)} ${deployment.id}${runBy(deployment, output)}`,
      doing(deployment, own),
      deployment.url,
      deployment.image ? bytesInWords(deployment.image.bytes) : '',
      `${age(now - Date.parse(deployment.createdAt))} ago`,
    ];
  });
  printTable(output, ['  NAME', 'DOING', 'URL', 'IMAGE', 'CREATED'], rows);
}

const AWAKE: ReadonlySet<Instance['state']> = new Set(['ready', 'busy', 'booting', 'draining']);

/** `●` awake, `○` asleep with something that wakes at once, `·` image only, `✗` failed, `…` on its way. */
function mark(deployment: Deployment, instances: readonly Instance[], output: Output): string {
  if (deployment.state === 'failed') return output.style('red', '✗');
  if (deployment.state !== 'ready') return output.style('yellow', '…');
  if (instances.some((instance) => AWAKE.has(instance.state))) return output.style('green', '●');
  return instances.some((instance) => instance.state !== 'stopped') ? '○' : '·';
}

/** ` ● production`: the environments that run it. */
function runBy({ environments = [] }: Deployment, output: Output): string {
  if (environments.length === 0) return '';
  return output.style('cyan', `  ● ${environments.join(', ')}`);
}

/** `2 busy, 1 frozen`; what the deployment itself is when it has no instance. */
function doing(deployment: Deployment, instances: readonly Instance[]): string {
  if (deployment.state === 'failed') return deployment.failure?.code ?? 'failed';
  if (deployment.state !== 'ready') return deployment.state;
  const counts = new Map<string, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  if (counts.size === 0) return 'asleep, image only';
  return [...counts].map(([state, number]) => `${number} ${state}`).join(', ');
}
