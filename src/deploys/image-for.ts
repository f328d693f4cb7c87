/** The image of a deploy: of what was built here only that which one may see, as if the rest were not there. */
import { BerthError } from '../core/errors.ts';
import type { Image } from '../core/model.ts';
import type { DeploysNeeds } from './needs.ts';

/** References that lead to no registry: an id, or a name that only this host knows. */
const ID = /^(?:sha256:)?[0-9a-f]{64}$/;
const LOCAL_NAME = /^localhost\//;

/** Pulled when it is not there. `sees`: whether a project is within reach. Throws IMAGE_NOT_FOUND. */
export async function imageFor(
  needs: Pick<DeploysNeeds, 'store' | 'engine'>,
  reference: string,
  sees: (project: string) => boolean,
): Promise<Image> {
  const image = await needs.engine.image(reference);
  const isId = ID.test(reference);
  // What a registry gives, it gives to whoever asks: it has its own locks.
  if (!isId && !LOCAL_NAME.test(reference)) return image;
  if (!(await wasBuiltHere(needs, image.id)) || (await isWithin(needs, image.id, sees))) {
    return image;
  }
  // In the words that the engine has for an image that is nowhere.
  const reason = isId ? 'no image has this id' : 'it cannot be pulled';
  throw new BerthError('IMAGE_NOT_FOUND', { detail: `${reference}: ${reason}` });
}

/** As an image, or as a step towards one. */
async function wasBuiltHere({ store }: Pick<DeploysNeeds, 'store'>, id: string): Promise<boolean> {
  const [images, layers] = await Promise.all([store.ledger('image'), store.ledger('layer')]);
  return [...images, ...layers].some((entry) => entry.id === id);
}

async function isWithin(
  { store }: Pick<DeploysNeeds, 'store'>,
  imageId: string,
  sees: (project: string) => boolean,
): Promise<boolean> {
  for await (const page of store.deploymentPages()) {
    if (page.some(({ image, project }) => image?.id === imageId && sees(project))) return true;
  }
  return false;
}
