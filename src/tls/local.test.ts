/** However many names are asked for, only so many certificates are made at once and kept. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTls, type TlsWorld } from './fixtures/world.ts';
import { createLocalCertificates, type LocalCertificates } from './local.ts';

let world: TlsWorld;
let local: LocalCertificates;
beforeEach(async () => {
  world = await startTls();
  const bounds = { mostKept: 3, mostPending: 2 };
  local = createLocalCertificates(world.authority, world.clock, world.reporter, bounds);
});
afterEach(() => world.stop());

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}.localhost`);

test('a flood of names is refused beyond the bound, and those being made are joined', async () => {
  const asked = [...names(5), 'n0.localhost'].map((name) => local.get(name));
  const got = await Promise.all(asked);
  expect(got.map((served) => served?.leaf.names[0])).toEqual([
    'n0.localhost',
    'n1.localhost',
    ...[undefined, undefined, undefined],
    'n0.localhost',
  ]);
  expect(got[5]).toBe(got[0]);
  expect((await local.get('n4.localhost'))?.leaf.names).toEqual(['n4.localhost']);
});

test('the longest unused goes first when there are too many', async () => {
  for (const name of names(3)) await local.get(name);
  await local.get('n0.localhost');
  await local.get('other.localhost');
  expect([...local.kept().keys()]).toEqual(['n2.localhost', 'n0.localhost', 'other.localhost']);
});

test('one that cannot be made is said, and asked for again the next time', async () => {
  const failing = createLocalCertificates(
    {
      sign: (asked) => (isBroken ? Promise.reject(new Error('full')) : world.authority.sign(asked)),
    },
    world.clock,
    world.reporter,
  );
  let isBroken = true;
  await expect(failing.get('a.localhost')).rejects.toThrow('full');
  isBroken = false;
  expect((await failing.get('a.localhost'))?.leaf.names).toEqual(['a.localhost']);
});
