/** Which images the engine has, asked one by one: a list of all fails when somebody else removes one meanwhile. */
import { BerthError } from '../core/errors.ts';
import type { Engine } from '../ports/engine.ts';

/** Those of `ids` that are there. */
export async function presentImages(
  engine: Pick<Engine, 'image'>,
  ids: Iterable<string>,
): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  for (const id of ids) {
    try {
      await engine.image(id);
      there.add(id);
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
    }
  }
  return there;
}
