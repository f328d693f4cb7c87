/** `berth deploy`: a folder or an image becomes a deployment with a URL of its own. */
import { bytesInWords } from '../core/words.ts';
import type { Client, DeployBody, Deployment, Status } from '../client/client.ts';
import { connect } from './connect.ts';
import { inTurn } from './in-turn.ts';
import {
  type Destination,
  destinationOf,
  refuseContradictions,
  releaseDeployed,
} from './deploy-release.ts';
import type { Context } from './context.ts';
import { type DeployOptions, type DeployRequest, readRequest } from './deploy-request.ts';
import { count, duration } from './format.ts';
import { locateSecrets } from './locate-secrets.ts';
import type { Output } from './output.ts';
import { showProgress } from './progress.ts';
import { fieldsOf, printFields } from './table.ts';
import { type Upload, upload } from './upload.ts';

export async function run(
  context: Context,
  folder: string | undefined,
  options: DeployOptions,
): Promise<void> {
  const { world, output } = context;
  const startedAt = world.clock.now();
  refuseContradictions(options);
  // A server that is not there is said before anything is read.
  const client = options.dryRun ? undefined : await connect(context, options);
  const hasHeredocs = client ? canReadHeredocs(await client.status()) : true;
  const place = { folder, workingFolder: world.folder, hasHeredocs };
  const request = await readRequest(output, place, options);
  if (request.source.kind === 'folder' && request.source.recognised) {
    const { dockerfile, because } = request.source.recognised;
    output.note(`No Dockerfile here: ${because}. This one is used:`);
    for (const line of dockerfile.trimEnd().split('\n')) output.quote(line);
  }
  if (!client) {
    showPlan(output, request);
    return;
  }

  const source =
    request.source.kind === 'image'
      ? request.source
      : { kind: 'folder' as const, manifest: await send(output, client, request.source.upload) };
  const { project } = request;
  // The declarations made from the schema call keys with a default required; the server does not.
  const configuration = request.configuration as unknown as NonNullable<
    DeployBody['configuration']
  >;
  const team = options.team === undefined ? {} : { team: options.team };
  const { kind, deployment: asked } = await inTurn(context, () =>
    client.deploy({ project, configuration, source, ...team }),
  ).catch((error: unknown) => {
    throw locateSecrets(error, request.found, options.env);
  });
  const isFinal = kind === 'ready' || !options.wait;
  // A person can open it, or paste it, while it is still being built.
  const isEarly = !isFinal && output.isTerminal && !output.isJson;
  if (isEarly) output.print(output.style('bold', asked.url));

  const destination = await destinationOf(context, folder, options);
  let isReady = isFinal;
  if (options.wait) {
    const leave = () => output.note(whatGoesOn(asked, destination, isReady));
    world.interrupted.addEventListener('abort', leave, { once: true });
  }
  const deployment = isFinal
    ? asked
    : await showProgress(output, client.progress(asked.id, world.interrupted));
  isReady = true;
  const elapsed = output.noteStyle('dim', duration(world.clock.now() - startedAt));
  output.note(`${closing(output, asked.id, kind, options.wait)}  ${elapsed}`);
  const release = destination
    ? await releaseDeployed(context, client, deployment, destination, options)
    : undefined;
  if (output.isJson) {
    const released = release ? { release } : {};
    output.json({ ...deployment, isNew: kind === 'started', ...released });
  } else if (options.prod && release) output.print(output.style('bold', release.url));
  else if (!isEarly) output.print(asked.url);
}

/** Said to who leaves before the end: what the server does without them, and what is left for them to do. */
function whatGoesOn(
  { id, project }: Deployment,
  destination: Destination | undefined,
  isReady: boolean,
): string {
  if (!isReady) {
    const going = `The deploy goes on in the server: \`berth inspect ${id}\` tells how it went.`;
    if (!destination) return going;
    const { environment } = destination;
    return `${going}\nIt is not released to ${environment}: \`berth promote ${id} --to ${environment}\` does that once it is ready.`;
  }
  if (!destination) return `${id} is ready.`;
  const { environment } = destination;
  return `The release goes on in the server: \`berth releases ${project} --env ${environment}\` tells how it went.`;
}

/** Buildah learnt heredocs in the version that Podman 4.8 has. */
export function canReadHeredocs({ engine }: Status): boolean {
  const [major = 0, minor = 0] = engine.version.split('.').map(Number);
  return engine.name !== 'podman' || major > 4 || (major === 4 && minor >= 8);
}

/** Sends what the server lacks of a folder; the sha256 of its manifest. */
export async function send(output: Output, client: Client, folder: Upload): Promise<string> {
  const step = output.step('Uploading');
  try {
    const { manifest, sent } = await upload(client, folder, (progress) => {
      const { sentFiles, missingFiles, sentBytes } = progress;
      step.update(
        `Uploading ${sentFiles} of ${count(missingFiles, 'file')}, ${bytesInWords(sentBytes)}`,
      );
    });
    const files = `${sent.sentFiles} of ${count(sent.totalFiles, 'file')}`;
    step.done(
      sent.missingFiles === 0
        ? 'Uploaded nothing: the server has it all'
        : `Uploaded ${files}, ${bytesInWords(sent.sentBytes)}`,
    );
    return manifest;
  } catch (error) {
    step.fail('The upload failed');
    throw error;
  }
}

function closing(
  output: Output,
  id: string,
  kind: 'ready' | 'started',
  isWaiting: boolean,
): string {
  const mark = output.noteStyle('green', '✓');
  if (kind === 'ready') return `${mark} Deployed already, with the same content and configuration`;
  if (!isWaiting) return `… Under way: \`berth inspect ${id}\` tells how it went`;
  return `${mark} ${output.noteStyle('bold', 'Ready')}`;
}

function showPlan(output: Output, { project, configuration, source }: DeployRequest): void {
  if (output.isJson) {
    output.json({
      project,
      configuration,
      ...(source.kind === 'image'
        ? { image: source.reference }
        : {
            bytes: source.bytes,
            files: source.upload.manifest,
            ...(source.recognised ? { dockerfile: source.recognised.dockerfile } : {}),
          }),
    });
    return;
  }
  printFields(output, [
    ['project', project],
    ...(source.kind === 'image' ? [['image', source.reference] as const] : []),
    ...fieldsOf(configuration),
  ]);
  if (source.kind === 'image') return;
  for (const entry of source.upload.manifest) {
    const size = entry.kind === 'file' ? bytesInWords(entry.bytes) : entry.kind;
    output.print(`${size.padStart(10)}  ${entry.path}`);
  }
}
