/** Which images a build left between its steps, so that the ledger can name them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUILD_FILE, type BuildPlace } from './build-script.ts';

/** `--> 8bb81a38f95` after a step that was done, and `--> Using cache <id>` after one that was not. */
const STEP_RESULT = /^(?:\[\d+\/\d+\] )?--> (?:Using cache )?([0-9a-f]{11,64})$/;

/** Beginnings of ids, in order, each once. What a RUN step prints may look the same: the label has to be there as well. */
export function layersNamed(output: string): readonly string[] {
  const named = new Set<string>();
  for (const line of output.split('\n')) {
    const found = STEP_RESULT.exec(line.trimEnd())?.[1];
    if (found !== undefined) named.add(found);
  }
  // Podman names what it took from its cache twice, in full first.
  const all = [...named];
  return all.filter((one) => !all.some((other) => other !== one && other.startsWith(one)));
}

/** `sha256:…` of those that are there and carry our label. Nothing when the output is gone. */
export async function layersOf(
  build: BuildPlace,
  ownImages: (starts: readonly string[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const output = await readFile(join(build.home, BUILD_FILE.output), 'latin1').catch(() => '');
  const result = await readFile(join(build.home, BUILD_FILE.imageId), 'latin1').catch(() => '');
  // What the build made in the end is its image, and written down as such.
  const named = layersNamed(output).filter((start) => !result.startsWith(`sha256:${start}`));
  return named.length === 0 ? [] : ownImages(named);
}
