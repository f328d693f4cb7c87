/** `berth inspect`: everything about one deployment. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age, bytes, count, table } from './format.ts';
import type { GlobalOptions } from './program.ts';

export async function run(context: Context, name: string, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const deployment = await client.deployment(name);
  if (output.isJson) {
    output.json(deployment);
    return;
  }
  const { source, image, failure } = deployment;
  const now = world.clock.now();
  const rows: (readonly [string, string])[] = [
    ['url', output.style('bold', deployment.url)],
    ['project', deployment.project],
    ['state', deployment.state],
    ...(failure ? [['failure', `${failure.code}: ${failure.detail}`] as const] : []),
    [
      'source',
      source.kind === 'image'
        ? `image ${source.reference}`
        : `${count(source.files, 'file')}, ${bytes(source.bytes)}`,
    ],
    ...(image ? [['image', `${image.id.slice(0, 19)}, ${bytes(image.bytes)}`] as const] : []),
    ['created', `${deployment.createdAt} (${age(now - Date.parse(deployment.createdAt))} ago)`],
    ...Object.entries(deployment.configuration).map(
      ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
    ),
    ...(deployment.because ? [['because', deployment.because] as const] : []),
  ];
  for (const line of table(rows.map(([key, value]) => [output.style('dim', key), value]))) {
    output.print(line);
  }
  for (const instance of deployment.instances) {
    const requests = count(instance.inFlight, 'request');
    output.print(
      `${output.style('dim', 'instance')}  ${instance.id}  ${instance.state}, ${requests}  ${output.style('dim', instance.because)}`,
    );
  }
}
