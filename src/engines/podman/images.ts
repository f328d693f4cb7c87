/** Every image in Podman's store, and what it is made of. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import type { StoredImage } from '../../ports/engine.ts';
import { type PodmanClient, refused } from './client.ts';
import { type Inspection, inspect, type Step, withAlgorithm } from './image.ts';
import { LABEL } from './names.ts';

interface Listed {
  readonly Id: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

type Layers = StoredImage['layers'];

/** What of an image never changes; its parent may be removed, though. */
interface Known extends Pick<StoredImage, 'isOurs' | 'layers'> {
  readonly parent?: string;
}

/**
 * Looking at one takes 5 ms. A list looks for the parents of each among all the others: 150 ms of the processor with
 * thirty images, four seconds with two hundred.
 */
const MOST_INSPECTED = 50;

const IMAGE_ID = /^[0-9a-f]{64}$/;

/** Of how many images it is remembered whether they carry our label. */
const MOST_REMEMBERED = 10_000;

/** Of a list that removals keep overtaking. */
const LIST_TRIES = 20;

export interface Images {
  list(): Promise<readonly StoredImage[]>;
  /**
   * `sha256:…` of those with our ledger label whose ids begin with one of these. One that was asked for by its whole id before
   * is not looked at again, and may be gone by now.
   */
  ownIds(starts: readonly string[]): Promise<readonly string[]>;
}

/** What an image is made of never changes, so each is looked into once. */
export function createImages(client: PodmanClient, ledgerId: string): Images {
  const known = new Map<string, Known>();
  /** Whether they carry our label, by their ids, which never changes. A build names the same layers as the one before it. */
  const labelled = new Map<string, boolean>();
  let folder: Promise<string> | undefined;

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

  /** Every image has a folder of its own in the store, which is there before the image can be asked for. */
  const storedIds = async (): Promise<readonly string[]> => {
    try {
      folder ??= imagesFolder(client);
      return (await readdir(await folder)).filter((name) => IMAGE_ID.test(name));
    } catch {
      // Another kind of store, or not ours to read: then Podman has to list them.
      folder = undefined;
      return (await listed()).map((image) => image.Id);
    }
  };

  const look = async (id: string): Promise<Known | undefined> => {
    const kept = known.get(id);
    if (kept) return kept;
    const found = await patiently(() => inspect(client, id));
    if (!found) return undefined;
    const layers = await readLayers(client, found);
    if (!layers) return undefined;
    const looked: Known = {
      ...(found.Parent && { parent: found.Parent }),
      isOurs: found.Labels?.[LABEL.ledger] === ledgerId,
      layers,
    };
    known.set(id, looked);
    return looked;
  };

  function remember(id: string, isOurs: boolean): void {
    labelled.set(id, isOurs);
    const [oldest] = labelled.keys();
    if (labelled.size > MOST_REMEMBERED && oldest !== undefined) labelled.delete(oldest);
  }

  return {
    async list() {
      // An image with two names is listed twice.
      const all = new Set(await storedIds());
      for (const id of known.keys()) if (!all.has(id)) known.delete(id);
      const images = await Promise.all(
        [...all].map(async (id): Promise<StoredImage | undefined> => {
          const looked = await look(id);
          // Removed since it was listed.
          if (!looked) return undefined;
          const { parent, ...rest } = looked;
          const isThere = parent !== undefined && all.has(parent);
          return {
            id: withAlgorithm(id),
            ...(isThere && { parentId: withAlgorithm(parent) }),
            ...rest,
          };
        }),
      );
      return images.filter((image) => image !== undefined);
    },

    async ownIds(starts) {
      const asked = starts.filter((start) => !labelled.has(start));
      const found =
        asked.length > MOST_INSPECTED
          ? await listed(`${LABEL.ledger}=${ledgerId}`)
          : await Promise.all(asked.map((start) => inspect(client, start)));
      const ours = new Set(starts.filter((start) => labelled.get(start)));
      for (const image of found) {
        if (!image) continue;
        const isOurs = image.Labels?.[LABEL.ledger] === ledgerId;
        const id = image.Id.replace(/^sha256:/, '');
        remember(id, isOurs);
        // A start may also be the name of an image.
        if (isOurs && asked.some((start) => id.startsWith(start))) ours.add(id);
      }
      return [...ours].map(withAlgorithm);
    },
  };
}

/** Podman looks for the parent among all images, and fails when one of those is removed under it. */
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const isRefused = error instanceof BerthError && error.code === 'ENGINE_FAILED';
      if (tries === LIST_TRIES || !isRefused) throw error;
    }
  }
}

/** `/var/lib/containers/storage/overlay-images`, wherever Podman keeps it. */
async function imagesFolder(client: PodmanClient): Promise<string> {
  const info = (await client.request({ method: 'GET', path: '/info', lane: 'read' })) as {
    readonly store?: { readonly graphRoot?: string; readonly graphDriverName?: string };
  };
  const { graphRoot = '', graphDriverName = '' } = info.store ?? {};
  return join(graphRoot, `${graphDriverName}-images`);
}

/** `image not known`, of an image that nobody asked for by name. */
function isOvertaken(answer: { readonly status: number; readonly value: unknown }): boolean {
  return answer.status >= 500 && JSON.stringify(answer.value).includes('image not known');
}

/** Podman gives contents and sizes in two lists: the steps that made a layer are those that are not empty. */
async function readLayers(client: PodmanClient, found: Inspection): Promise<Layers | undefined> {
  const id = found.Id;
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
