/** `berth inspect`: everything about one deployment. */
import { bytesInWords } from '../core/words.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age, count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { fieldsOf, printFields } from './table.ts';

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
  const fields: (readonly [string, string])[] = [
    ['url', output.style('bold', deployment.url)],
    ['project', deployment.project],
    ['state', deployment.state],
    ...(failure ? [['failure', `${failure.code}: ${failure.detail}`] as const] : []),
    [
      'source',
      source.kind === 'image'
        ? `image ${source.reference}`
        : `${count(source.files, 'file')}, ${bytesInWords(source.bytes)}`,
    ],
    ...(image
      ? [['image', `${image.id.slice(0, 19)}, ${bytesInWords(image.bytes)}`] as const]
      : []),
    ['created', `${deployment.createdAt} (${age(now - Date.parse(deployment.createdAt))} ago)`],
    ...fieldsOf(deployment.configuration),
    ...(deployment.because ? [['because', deployment.because] as const] : []),
  ];
  for (const instance of deployment.instances) {
    const requests = count(instance.inFlight, 'request');
    const because = output.style('dim', instance.because);
    fields.push(['instance', `${instance.id}  ${instance.state}, ${requests}  ${because}`]);
  }
  printFields(output, fields);
}
