/** Which images a deploy finds: those of registries, and of what was built here those within reach. */
import { expect, test } from 'vitest';
import { aDeployment } from '../core/fixtures/deployment.ts';
import { createMemoryEngine } from '../engines/memory/engine.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { imageFor } from './image-for.ts';

const BUILT = `sha256:${'a'.repeat(64)}`;
const LAYER = `sha256:${'b'.repeat(64)}`;
const FOREIGN = `sha256:${'c'.repeat(64)}`;

test('an image or a step that was built here is found by those who see a deployment of it only', async () => {
  const store = new MemoryStore();
  const imageOf = (id: string) => ({ id, bytes: 1, layers: [], exposedPorts: [] });
  const images = new Map(
    [BUILT, LAYER, FOREIGN].flatMap((id) => [
      [id, imageOf(id)],
      [id.slice('sha256:'.length), imageOf(id)],
    ]),
  );
  images.set('localhost/tagged:1', imageOf(BUILT)).set('registry.test/pushed:1', imageOf(BUILT));
  const needs = {
    store,
    engine: createMemoryEngine({ clock: { now: () => 0, sleep: async () => {} }, images }),
  };
  await store.record({ kind: 'image', id: BUILT, createdAt: 0 });
  await store.record({ kind: 'layer', id: LAYER, createdAt: 0 });
  const whoSees = async (reference: string, project: string) =>
    imageFor(needs, reference, (one) => one === project).then(
      ({ id }) => id,
      ({ code, detail }: { code: string; detail: string }) => `${code} ${detail}`,
    );
  const refused = (reference: string) => `IMAGE_NOT_FOUND ${reference}: no image has this id`;
  // Its deployment is gone, or not written yet: nobody's.
  expect(await whoSees(BUILT, 'shop')).toBe(refused(BUILT));
  await store.insertDeployment(aDeployment({ project: 'shop', image: imageOf(BUILT) }));
  for (const reference of [BUILT, 'a'.repeat(64), 'localhost/tagged:1']) {
    expect(await whoSees(reference, 'shop')).toBe(BUILT);
    expect(await whoSees(reference, 'toys')).toMatch(/^IMAGE_NOT_FOUND /);
  }
  for (const reference of [LAYER, 'b'.repeat(64)]) {
    expect(await whoSees(reference, 'shop')).toBe(refused(reference));
  }
  expect(await whoSees(FOREIGN, 'toys')).toBe(FOREIGN);
  expect(await whoSees('registry.test/pushed:1', 'toys')).toBe(BUILT);
});
