/** Proves what is read of a build's output as the name of a layer, and how often the engine is asked about those. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layersNamed } from './build-layers.ts';
import { createClient } from './client.ts';
import { createImages } from './images.ts';

test('steps that were done and steps that were cached name their layers, each once and in full where that is known', () => {
  const output = `[1/2] STEP 1/2: FROM node AS one
[1/2] STEP 2/2: COPY a /a
--> Using cache d76c855735ee428dff7b94273b5f9ae449a1bda51e3a2b11b15b47d70ea62197
--> d76c855735e
[2/2] STEP 2/5: COPY --from=one /a /a2
--> 56c0ec311029
[2/2] COMMIT
--> 8bb81a38f95
8bb81a38f953deaa9e41ac1c56f52360e7e6274f982db4f21e6aca20155f5e73`;
  expect(layersNamed(output)).toEqual([
    'd76c855735ee428dff7b94273b5f9ae449a1bda51e3a2b11b15b47d70ea62197',
    '56c0ec311029',
    '8bb81a38f95',
  ]);
});

test('words, paths, short numbers and names are none', () => {
  for (const line of [
    '--> done',
    '--> ../56c0ec311029',
    '--> 56c0',
    'say --> 56c0ec311029',
    '--> 56c0ec311029 too',
  ]) {
    expect(layersNamed(line)).toEqual([]);
  }
});

test('a layer that was named in full before is not looked at again, whether it is ours or not', async () => {
  const idOf = (text: string) => createHash('sha256').update(text).digest('hex');
  const [ours, theirs, fresh] = [idOf('ours'), idOf('theirs'), idOf('fresh')];
  const labels = new Map([
    [ours, { 'berth.ledger': 'mine' }],
    [theirs, { 'berth.ledger': 'other' }],
    [fresh, { 'berth.ledger': 'mine' }],
  ]);
  const asked: string[] = [];
  const podman = createServer((request, response) => {
    const start = /images\/(\w+)\/json/.exec(request.url ?? '')?.[1] ?? '';
    asked.push(start);
    const id = [...labels.keys()].find((one) => one.startsWith(start));
    response.statusCode = id === undefined ? 404 : 200;
    response.end(JSON.stringify(id === undefined ? {} : { Id: id, Labels: labels.get(id) }));
  });
  const folder = await mkdtemp(join(tmpdir(), 'berth-layers.'));
  const socketPath = join(folder, 'podman.sock');
  await once(podman.listen(socketPath), 'listening');
  const client = createClient({ socketPath, revive: () => Promise.resolve() });
  try {
    const images = createImages(client, 'mine');
    const first = [ours, theirs, fresh.slice(0, 12), 'f'.repeat(64)];
    expect(await images.ownIds(first)).toEqual([`sha256:${ours}`, `sha256:${fresh}`]);
    expect(asked.splice(0)).toEqual(first);
    expect(await images.ownIds([ours, theirs, fresh])).toEqual([
      `sha256:${ours}`,
      `sha256:${fresh}`,
    ]);
    expect(asked).toEqual([]);
  } finally {
    await client.close();
    podman.close();
    await rm(folder, { recursive: true, force: true });
  }
});
