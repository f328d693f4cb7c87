/** Images as archives: which program writes them so that their ids stay, and which reads them. */
import type { EngineProgram } from '../../ports/engine.ts';
import type { PodmanClient } from './client.ts';
import type { PodmanCommand } from './command.ts';
import { inspect } from './image.ts';

/** The id of an image is the hash of its configuration, which is kept byte by byte only in an archive of its own kind. */
const OCI = /^application\/vnd\.oci\./;

export async function imageExports(
  client: PodmanClient,
  command: PodmanCommand,
  imageIds: readonly string[],
): Promise<readonly EngineProgram[]> {
  const docker: string[] = [];
  const oci: string[] = [];
  for (const id of imageIds) {
    const found = await inspect(client, id);
    if (found) (OCI.test(found.ManifestType ?? '') ? oci : docker).push(found.Id);
  }
  return [
    // Layers that several have are in it once.
    ...(docker.length === 0
      ? []
      : [plain(command, 'save', '--multi-image-archive', '--format', 'docker-archive', ...docker)]),
    // Podman writes one image into an archive of this kind.
    ...oci.map((id) => plain(command, 'save', '--format', 'oci-archive', id)),
  ];
}

export function imageImport(command: PodmanCommand): EngineProgram {
  return plain(command, 'load', '--quiet');
}

function plain(command: PodmanCommand, ...words: readonly string[]): EngineProgram {
  return {
    program: command.program,
    arguments: [...command.plainArguments, ...words],
    environment: command.plainEnvironment,
  };
}
