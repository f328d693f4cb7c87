/** Whether an image is still there: somebody may have removed it behind our back. */
import { BerthError } from '../core/errors.ts';
import type { Engine } from '../ports/engine.ts';

/** Whether the engine has an image of this id. */
export async function isThere(engine: Engine, imageId: string): Promise<boolean> {
  try {
    await engine.image(imageId);
    return true;
  } catch (error) {
    if (error instanceof BerthError && error.code === 'IMAGE_NOT_FOUND') return false;
    throw error;
  }
}
