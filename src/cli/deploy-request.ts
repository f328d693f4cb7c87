/** What is to be deployed: options, configuration and files put together before the server is asked for anything. */
import { resolve } from 'node:path';
import { readDotenv } from '../config/dotenv.ts';
import { prepareFolder } from '../config/prepare.ts';
import { findConfig, type FoundConfig, projectNameOf } from '../config/read.ts';
import { type ConfigFile, describeConfiguration, toConfiguration } from '../config/schema.ts';
import type { Configuration } from '../core/model.ts';
import { bytesInWords } from '../core/words.ts';
import { count } from './format.ts';
import type { Output } from './output.ts';
import type { GlobalOptions } from './program.ts';
import type { Upload } from './upload.ts';

export interface DeployOptions extends GlobalOptions {
  readonly team?: string;
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly buildEnv?: Readonly<Record<string, string>>;
  readonly slot?: string;
  readonly port?: number;
  readonly image?: string;
  readonly prod?: boolean;
  /** False: `--no-branch`. */
  readonly branch?: string | false;
  readonly why?: string;
  readonly wait: boolean;
  readonly dryRun?: boolean;
}

export interface DeployRequest {
  /** Where its configuration was found, for what the server finds wrong with it. */
  readonly found: FoundConfig;
  readonly project: string;
  /** In the form of a berth.json, complete. */
  readonly configuration: ConfigFile;
  readonly source: FolderSource | { readonly kind: 'image'; readonly reference: string };
}

interface FolderSource {
  readonly kind: 'folder';
  readonly upload: Upload;
  readonly bytes: number;
  /** The Dockerfile that Berth made for a folder without one, and what it saw there. */
  readonly recognised?: { readonly dockerfile: string; readonly because: string };
}

/** Where a deploy starts from. */
export interface Place {
  /** As given; absent when none was. */
  readonly folder: string | undefined;
  readonly workingFolder: string;
  /** Whether the builder reads heredocs. */
  readonly hasHeredocs: boolean;
}

/** Throws what reading the configuration and the folder throws: CONFIG_…, UPLOAD_…, DOCKERFILE_…, FOLDER_NOT_FOUND, NO_DOCKERFILE. */
export async function readRequest(
  output: Output,
  place: Place,
  options: DeployOptions,
): Promise<DeployRequest> {
  const root = resolve(place.workingFolder, place.folder ?? '.');
  const { image } = options;
  // An image needs no folder; one that is named still brings its configuration.
  const found: FoundConfig =
    image !== undefined && place.folder === undefined
      ? { file: {}, name: nameOfImage(image) }
      : await findConfig(root);
  const file = withOptions(found.file, options);
  const configuration = toConfiguration(file, {
    ...(options.env ? { env: options.env } : {}),
    ...(options.buildEnv ? { buildEnv: options.buildEnv } : {}),
    dotenv: await readDotenv(root, file.dotenv),
    ...(found.locate ? { locate: found.locate } : {}),
    ...(found.fileName === undefined ? {} : { fileName: found.fileName }),
  });
  const project = options.name ?? found.name;
  if (image !== undefined) {
    const source = { kind: 'image' as const, reference: image };
    return { found, project, configuration: describeConfiguration(configuration), source };
  }

  const step = output.step(`Reading ${root}`);
  try {
    const prepared = await prepareFolder(root, file, {
      hasHeredocs: place.hasHeredocs,
      onProgress: ({ files, totalFiles }) => {
        step.update(`Reading ${files} of ${count(totalFiles, 'file')}`);
      },
    });
    const { manifest, files, texts, recognised, ignored, ignoreFiles, missing } = prepared;
    const read = manifest.filter((entry) => entry.kind === 'file').length;
    const by = ignored > 0 && ignoreFiles.length > 0 ? ` by ${ignoreFiles.join(', ')}` : '';
    const left = ignored > 0 ? `, ${ignored} left out${by}` : '';
    step.done(
      `Read ${found.fileName ? `${found.fileName} and ` : ''}${count(read, 'file')}, ${bytesInWords(prepared.bytes)}${left}`,
    );
    for (const name of missing) output.note(`  \`files\` names ${name}, which is not there.`);
    const contents = new Map<string, string | Uint8Array<ArrayBuffer>>(files);
    for (const [sha256, text] of texts) contents.set(sha256, new TextEncoder().encode(text));
    return {
      found,
      project,
      configuration: describeConfiguration(withDockerfile(configuration, prepared.dockerfile)),
      source: {
        kind: 'folder',
        upload: { manifest, contents },
        bytes: prepared.bytes,
        ...(recognised ? { recognised } : {}),
      },
    };
  } finally {
    step.drop();
  }
}

/** Options win over the file, for this deploy only. */
function withOptions(file: ConfigFile, options: DeployOptions): ConfigFile {
  return {
    ...file,
    ...(options.slot === undefined ? {} : { slot: options.slot }),
    ...(options.port === undefined ? {} : { port: options.port }),
  };
}

/** The usual name is left unsaid, so that it is the same deployment with and without. */
function withDockerfile(configuration: Configuration, path: string): Configuration {
  const { dockerfile: _, ...rest } = configuration;
  return path === 'Dockerfile' ? rest : { ...rest, dockerfile: path };
}

/** `docker.io/library/node:24-slim` → `node`. */
function nameOfImage(reference: string): string {
  const path = reference.replace(/@.*$/, '');
  return projectNameOf(path.slice(path.lastIndexOf('/') + 1).replace(/:.*$/, ''));
}
