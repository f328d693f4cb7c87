/** Proves that what layers take is counted once, and freed with the last image that has them. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { childrenFirst, freedBy, imageBytes, type LayeredImage } from './stored-images.ts';

const layers = (...given: readonly (readonly [id: string, bytes: number])[]) =>
  given.map(([id, bytes]) => ({ id, bytes }));
const base: LayeredImage = { id: 'base', layers: layers(['os', 100]) };
const a: LayeredImage = { id: 'a', parentId: 'base', layers: layers(['os', 100], ['app', 10]) };
const b: LayeredImage = {
  id: 'b',
  parentId: 'a',
  layers: layers(['os', 100], ['app', 10], ['b', 1]),
};

test('children go before what they stand on, and each frees what no other has', () => {
  const order = childrenFirst(['base', 'a', 'b'], [base, a, b]);
  expect(order).toEqual(['b', 'a', 'base']);
  expect([...freedBy(order, [base, a, b]).values()]).toEqual([1, 10, 100]);
  expect(freedBy(['a'], [base, a, b]).get('a')).toBe(0);
  expect(freedBy(['unknown'], [base]).get('unknown')).toBe(0);
});

test('a layer counts for its only project, for none when projects share it, and as cache only when nobody runs it', () => {
  const found = imageBytes(
    [
      { project: 'one', imageId: 'a', kind: 'images' },
      { project: 'two', imageId: 'base', kind: 'images' },
      { project: 'one', imageId: 'b', kind: 'cache' },
    ],
    [base, a, b],
  );
  expect(found.get('one')).toEqual({ images: 10, cache: 1 });
  expect(found.get(undefined)).toEqual({ images: 100, cache: 0 });
  expect(found.has('two')).toBe(false);
});

test('whatever images there are: removing all of them frees every layer exactly once, in any order', () => {
  const layer = fc.constantFrom('l1', 'l2', 'l3', 'l4').map((id) => ({ id, bytes: Number(id[1]) }));
  const image = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    layers: fc.uniqueArray(layer, { selector: (one) => one.id }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(image, { selector: (one) => one.id }), (images) => {
      const distinct = new Map(
        images.flatMap((one) => one.layers.map((two) => [two.id, two.bytes])),
      );
      const total = [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0);
      const ids = images.map((one) => one.id);
      for (const order of [ids, ids.toReversed()]) {
        const freed = [...freedBy(order, images).values()].reduce((sum, bytes) => sum + bytes, 0);
        expect(freed).toBe(total);
      }
      const uses = images.map(({ id }) => ({ project: id, imageId: id, kind: 'images' as const }));
      const counted = [...imageBytes(uses, images).values()].reduce(
        (sum, one) => sum + one.images,
        0,
      );
      expect(counted).toBe(total);
    }),
  );
});
