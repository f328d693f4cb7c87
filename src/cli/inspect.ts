/** `berth inspect`: everything about one deployment. */
import { bytesInWords } from '../core/words.ts';
import type { Client, Deployment } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age, count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { fieldsOf, printFields } from './table.ts';

export async function run(context: Context, name: string, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const deployment = await client.deployment(name);
  const isProject = name === deployment.project;
  if (output.isJson) {
    // A project is asked about by its name: then everything about it, and its newest deployment.
    const all = isProject ? { environments: await client.environments(name) } : {};
    output.json({ ...deployment, ...all });
    return;
  }
  const { source, image, failure } = deployment;
  const now = world.clock.now();
  const fields: (readonly [string, string])[] = [
    ['url', output.style('bold', deployment.url)],
    ['project', deployment.project],
    ...(isProject ? await environmentFields(client, name) : []),
    ...(deployment.environments && !isProject
      ? [['environments', deployment.environments.join(', ')] as const]
      : []),
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
    ...(deployment.environments ? await scaleFields(client, deployment) : []),
    ...(deployment.secrets ? [['secrets', versionsIn(deployment.secrets)] as const] : []),
    ...(deployment.because ? [['because', deployment.because] as const] : []),
  ];
  for (const instance of deployment.instances) {
    const requests = count(instance.inFlight, 'request');
    const because = output.style('dim', instance.because);
    fields.push(['instance', `${instance.id}  ${instance.state}, ${requests}  ${because}`]);
  }
  printFields(output, fields);
}

/** One line for each environment of a project that runs something. */
async function environmentFields(client: Client, project: string) {
  const environments = await client.environments(project);
  return environments.flatMap(({ name, url, current }) =>
    current ? [[name, `v${current.number}  ${current.deployment}  ${url}`] as const] : [],
  );
}

/** What environments ask for in place of the deployment's own scale. */
async function scaleFields(client: Client, { id, project }: Deployment) {
  const environments = await client.environments(project);
  return environments.flatMap(({ name, current, settings }) =>
    settings.scale && current?.deployment === id
      ? [[`scale of ${name}`, JSON.stringify(settings.scale)] as const]
      : [],
  );
}

/** `db-url v1, key v3`. */
function versionsIn(secrets: Readonly<Record<string, number>>): string {
  return Object.entries(secrets)
    .map(([name, version]) => `${name} v${version}`)
    .join(', ');
}
