/** Every image in Podman's store, and what it is made of. */
import { createHash } from 'node:crypto';
import type { StoredImage } from '../../ports/engine.ts';
import { type PodmanClient, refused } from './client.ts';
import { inspect, type Step, withAlgorithm } from './image.ts';
import { LABEL } from './names.ts';

interface Listed {
  readonly Id: string;
  readonly ParentId?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

type Layers = StoredImage['layers'];

/** Looking at one takes 5 ms, a list 150 ms and more: it adds up the sizes of all, and a build has just changed them. */
const MOST_INSPECTED = 50;

/** Of a list that removals keep overtaking. */
const LIST_TRIES = 20;

export interface Images {
  list(): Promise<readonly StoredImage[]>;
  /** `sha256:…` of those with our ledger label whose ids begin with one of these. */
  ownIds(starts: readonly string[]): Promise<readonly string[]>;
}

/** What an image is made of never changes, so each is looked into once. */
export function createImages(client: PodmanClient, ledgerId: string): Images {
  const known = new Map<string, Layers>();

  /** Podman lists names first and looks each up then: one that is removed in between fails the whole list. */
  const listed = async (label?: string): Promise<readonly Listed[]> => {
    const call = {
      method: 'GET',
      path: '/images/json',
      query: {
        all: true,
        // Podman filters before it adds up sizes.
        ...(label === undefined ? {} : { filters: JSON.stringify({ label: [label] }) }),
      },
      lane: 'read',
    } as const;
    for (let tries = 1; ; tries += 1) {
      const answer = await client.ask(call);
      if (answer.status < 400) return answer.value as readonly Listed[];
      if (tries === LIST_TRIES || !isOvertaken(answer)) throw refused(call, answer);
    }
  };

  const layersOf = async (id: string): Promise<Layers | undefined> => {
    const kept = known.get(id);
    if (kept) return kept;
    const layers = await readLayers(client, id);
    if (layers) known.set(id, layers);
    return layers;
  };

  return {
    async list() {
      // An image with two names is listed twice.
      const all = new Map((await listed()).map((image) => [image.Id, image]));
      for (const id of known.keys()) if (!all.has(id)) known.delete(id);
      const images = await Promise.all(
        [...all.values()].map(async (image): Promise<StoredImage | undefined> => {
          const layers = await layersOf(image.Id);
          // Removed since it was listed.
          if (!layers) return undefined;
          return {
            id: withAlgorithm(image.Id),
            ...(image.ParentId && { parentId: withAlgorithm(image.ParentId) }),
            isOurs: image.Labels?.[LABEL.ledger] === ledgerId,
            layers,
          };
        }),
      );
      return images.filter((image) => image !== undefined);
    },

    async ownIds(starts) {
      const found =
        starts.length > MOST_INSPECTED
          ? await listed(`${LABEL.ledger}=${ledgerId}`)
          : await Promise.all(starts.map((start) => inspect(client, start)));
      const ours = found
        .filter((image) => image?.Labels?.[LABEL.ledger] === ledgerId)
        .map((image) => withAlgorithm(image?.Id ?? ''));
      // A start may also be the name of an image.
      const isMeant = (id: string) => starts.some((start) => id.startsWith(`sha256:${start}`));
      return [...new Set(ours)].filter(isMeant);
    },
  };
}

/** `image not known`, of an image that nobody asked for by name. */
function isOvertaken(answer: { readonly status: number; readonly value: unknown }): boolean {
  return answer.status >= 500 && JSON.stringify(answer.value).includes('image not known');
}

/** Podman gives contents and sizes in two lists: the steps that made a layer are those that are not empty. */
async function readLayers(client: PodmanClient, id: string): Promise<Layers | undefined> {
  const found = await inspect(client, id);
  if (!found) return undefined;
  const answer = await client.ask({ method: 'GET', path: `/images/${id}/history`, lane: 'read' });
  if (answer.status >= 400) return undefined;
  const steps = (answer.value as readonly Step[]).toReversed();
  const isEmpty = (index: number) => found.History?.[index]?.empty_layer === true;
  const sizes = steps
    .filter((_, index) => !isEmpty(index))
    .map((step) => step.size ?? step.Size ?? 0);
  const contents = found.RootFS?.Layers ?? [];
  const ids = chain(contents);
  if (sizes.length !== ids.length) {
    // An image without a history of its layers is counted as one.
    return [{ id: ids.at(-1) ?? withAlgorithm(id), bytes: found.Size }];
  }
  return ids.map((layer, index) => ({ id: layer, bytes: sizes[index] ?? 0 }));
}

/** The same content on another base is another layer: each is named by all that is below it. */
function chain(contents: readonly string[]): readonly string[] {
  const ids: string[] = [];
  for (const content of contents) {
    const below = ids.at(-1) ?? '';
    ids.push(createHash('sha256').update(`${below} ${content}`).digest('hex'));
  }
  return ids;
}
