/** The files of the logs lie in their folder and nowhere else. */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { A, DEPLOYMENT, fresh, lines } from './fixtures/fresh.ts';

describe('The file of an instance', () => {
  it('lies in a folder that only we may read', async () => {
    const { folder, logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    expect(file).toBe(join(folder, DEPLOYMENT, `${A}.log`));
    expect((await stat(join(folder, DEPLOYMENT))).mode & 0o777).toBe(0o700);
  });

  it.each(['', '.', '..', '../x', 'a/b', '/etc', '.hidden', 'a\0b', 'a b', 'x'.repeat(300)])(
    'is never elsewhere: the id %j is refused everywhere',
    async (id) => {
      const { folder, logs } = await fresh();
      const beside = join(folder, '..', 'beside.log');
      await writeFile(beside, lines(0, 1));
      const refused = { code: 'INVALID_INPUT' };
      const { signal } = new AbortController();
      await expect(logs.fileFor(id, A)).rejects.toMatchObject(refused);
      await expect(logs.fileFor(DEPLOYMENT, id)).rejects.toMatchObject(refused);
      await expect(logs.read(id, {})).rejects.toMatchObject(refused);
      await expect(logs.read(DEPLOYMENT, { instanceId: id })).rejects.toMatchObject(refused);
      await expect(logs.follow(id, {}, () => {}, signal)).rejects.toMatchObject(refused);
      await expect(
        logs.follow(DEPLOYMENT, { instanceId: id }, () => {}, signal),
      ).rejects.toMatchObject(refused);
      await expect(logs.remove(id)).rejects.toMatchObject(refused);
      await expect(logs.prune(id, [])).rejects.toMatchObject(refused);
      expect(await stat(beside)).toBeDefined();
    },
  );

  it('cannot be made where a file stands in the way, and the error says so', async () => {
    const { folder, logs } = await fresh();
    await writeFile(folder, '');
    await expect(logs.fileFor(DEPLOYMENT, A)).rejects.toMatchObject({ code: 'DATA_FOLDER' });
    await expect(logs.read(DEPLOYMENT, {})).rejects.toMatchObject({ code: 'DATA_FOLDER' });
  });
});
