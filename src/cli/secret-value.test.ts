/** Where values of secrets come from, and where they may not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readValue, secretName } from './secret-value.ts';
import type { World } from './world.ts';

/** Only what is read here. */
function worldWith(input: Uint8Array, folder = '/nowhere'): World {
  return {
    canAsk: false,
    folder,
    readInput: () => Promise.resolve(input),
  } as Partial<World> as World;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the name of a secret on the command line', () => {
  it('stands alone, or with a dash for standard input', () => {
    expect(secretName('db-url')).toBe('db-url');
    expect(secretName('db-url=-')).toBe('db-url');
  });

  it('never comes with its value, which the error does not repeat', () => {
    let detail = '';
    try {
      secretName('db-url=hunter2');
    } catch (error) {
      ({ detail } = error as { detail: string });
    }
    expect(detail).toContain('history of the shell');
    expect(detail).not.toContain('hunter2');
  });
});

describe('the value', () => {
  it.each([
    ['one line end of echo', 'value\n', 'value'],
    ['a Windows line end', 'value\r\n', 'value'],
    ['no line end', 'value', 'value'],
    ['only the last of several', 'one\ntwo\n\n', 'one\ntwo\n'],
    ['spaces and a byte order mark as they are', '\uFEFF value ', '\uFEFF value '],
  ])('from standard input: %s', async (_what, given, value) => {
    expect(await readValue(worldWith(bytes(given)), 'db', {})).toBe(value);
    expect(await readValue(worldWith(bytes(given)), 'db', { file: '-' })).toBe(value);
  });

  it('from a file is every byte of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-value-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'key.pem'), 'a\nb\n');
    const world = worldWith(bytes('other'), folder);
    expect(await readValue(world, 'key', { file: 'key.pem' })).toBe('a\nb\n');
    await expect(readValue(world, 'key', { file: 'none.pem' })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('is refused when it is no text: a variable would have other bytes', async () => {
    const world = worldWith(new Uint8Array([0x61, 0xff, 0xfe]));
    await expect(readValue(world, 'key', {})).rejects.toMatchObject({
      code: 'USAGE',
      detail: expect.stringContaining('base64'),
    });
  });
});
