/** What images take on the disk: a layer that several have is there once, and freed with the last of them. */

/** An image by its id, with the layers it is made of. */
export interface LayeredImage {
  readonly id: string;
  readonly parentId?: string;
  readonly layers: readonly { readonly id: string; readonly bytes: number }[];
}

/** Ids with children before their parents, as they can be removed. */
export function childrenFirst(ids: readonly string[], images: readonly LayeredImage[]): string[] {
  const parents = new Map(images.map(({ id, parentId }) => [id, parentId]));
  const depths = new Map<string, number>();
  for (const id of ids) {
    let depth = 0;
    for (let at = parents.get(id); at !== undefined; at = parents.get(at)) depth += 1;
    depths.set(id, depth);
  }
  return ids.toSorted((one, other) => (depths.get(other) ?? 0) - (depths.get(one) ?? 0));
}

/** Bytes that each of `ids` frees when they are removed in this order and everything else stays. */
export function freedBy(
  ids: readonly string[],
  images: readonly LayeredImage[],
): ReadonlyMap<string, number> {
  const byId = new Map(images.map((image) => [image.id, image]));
  const holders = new Map<string, number>();
  for (const { layers } of images) {
    for (const layer of layers) holders.set(layer.id, (holders.get(layer.id) ?? 0) + 1);
  }
  const freed = new Map<string, number>();
  for (const id of ids) {
    let bytes = 0;
    for (const layer of byId.get(id)?.layers ?? []) {
      const left = (holders.get(layer.id) ?? 1) - 1;
      holders.set(layer.id, left);
      if (left === 0) bytes += layer.bytes;
    }
    freed.set(id, bytes);
  }
  return freed;
}

/** Whose images are counted: what a project runs, and what builds left. */
export interface ImageUse {
  readonly project: string | undefined;
  readonly imageId: string;
  readonly kind: 'images' | 'cache';
}

export interface ImageBytes {
  readonly images: number;
  readonly cache: number;
}

/**
 * Every layer once: as cache only when no image that runs has it, and for a project only when no other project has it.
 * Under `undefined` is what several share and what nobody's is.
 */
export function imageBytes(
  uses: readonly ImageUse[],
  images: readonly LayeredImage[],
): ReadonlyMap<string | undefined, ImageBytes> {
  const byId = new Map(images.map((image) => [image.id, image]));
  const found = new Map<
    string,
    { bytes: number; kind: ImageUse['kind']; project: string | undefined }
  >();
  for (const { imageId, kind, project } of uses) {
    for (const { id, bytes } of byId.get(imageId)?.layers ?? []) {
      const known = found.get(id);
      if (!known || (known.kind === 'cache' && kind === 'images')) {
        found.set(id, { bytes, kind, project });
      } else if (known.kind === kind && known.project !== project) {
        known.project = undefined;
      }
    }
  }
  const sums = new Map<string | undefined, { images: number; cache: number }>();
  for (const { bytes, kind, project } of found.values()) {
    const sum = sums.get(project) ?? { images: 0, cache: 0 };
    sum[kind] += bytes;
    sums.set(project, sum);
  }
  return sums;
}
