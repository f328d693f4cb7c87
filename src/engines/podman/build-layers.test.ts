/** Proves what is read of a build's output as the name of a layer. */
import { expect, test } from 'vitest';
import { layersNamed } from './build-layers.ts';

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
