/** The keeper of secrets on real key files: what is kept opens, what was changed does not, and no moment of a rotation loses anything. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SealedSecret } from '../ports/secret-store.ts';
import type { Store } from '../ports/store.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { systemClock } from '../system/clock.ts';
import { drawBytes } from '../system/random.ts';
import { masterKeyFrom, open, seal } from './envelope.ts';
import { openKeeper } from './keeper.ts';

const TEAM = 'default';

async function ground() {
  const folder = await mkdtemp(join(tmpdir(), 'berth-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const keyFile = join(folder, 'secrets.key');
  const store = new MemoryStore();
  const reports: string[] = [];
  const openAgain = (over: Store = store) =>
    openKeeper({
      store: over,
      keyFile,
      draw: drawBytes,
      clock: systemClock,
      reporter: { report: (_level, event) => void reports.push(event) },
      teamOf: (project) => (project === 'rocket' ? 'red' : TEAM),
    });
  return { keyFile, store, reports, openAgain, keeper: await openAgain() };
}

/** The store, but this method fails as a crash would. */
function failing(store: Store, method: 'rewrapKeys' | 'insertSecret'): Store {
  return new Proxy(store, {
    get: (target, name) =>
      name === method
        ? () => Promise.reject(new Error('crash'))
        : (Reflect.get(target, name) as unknown),
  });
}

const keysIn = async (file: string) =>
  (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('the envelope', () => {
  const master = masterKeyFrom(drawBytes(32));
  const of = { team: TEAM, name: 'db', version: 1 };

  it('opens what it sealed and nothing that was changed, moved or sealed by another', () => {
    const sealed = seal('value', of, master, drawBytes);
    expect(open(sealed, of, master)).toBe('value');
    expect(open(sealed, of, masterKeyFrom(drawBytes(32)))).toBeUndefined();
    for (const moved of [{ team: 'other' }, { name: 'other' }, { version: 2 }]) {
      expect(open(sealed, { ...of, ...moved }, master)).toBeUndefined();
    }
    for (const field of ['sealed', 'wrappedKey'] as const) {
      const bytes = Buffer.from(sealed[field], 'base64');
      for (let index = 0; index < bytes.length; index += 1) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ 1;
        const one = { ...sealed, [field]: changed.toString('base64') };
        expect(open(one, of, master)).toBeUndefined();
      }
      expect(open({ ...sealed, [field]: '' }, of, master)).toBeUndefined();
      const short = bytes.subarray(0, -1).toString('base64');
      expect(open({ ...sealed, [field]: short }, of, master)).toBeUndefined();
    }
  });

  it('never seals the same twice, nor with one key', () => {
    const one = seal('value', of, master, drawBytes);
    const other = seal('value', of, master, drawBytes);
    expect(one.sealed).not.toBe(other.sealed);
    expect(one.wrappedKey).not.toBe(other.wrappedKey);
    expect(open({ ...one, wrappedKey: other.wrappedKey }, of, master)).toBeUndefined();
  });
});

describe('secrets', () => {
  it('are kept in a store that never sees their values, with a key file for its owner alone', async () => {
    const { keeper, store, keyFile, openAgain } = await ground();
    const value = 'kept "exactly"\nas it is: ü \u{1f512}';
    await keeper.add(TEAM, 'db', value, 'ann');
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    const row = await store.sealedSecret({ team: TEAM, name: 'db', version: 1 });
    expect(JSON.stringify(row)).not.toContain(value.slice(0, 10));
    expect(await (await openAgain()).reveal('shop', { db: 1 })).toEqual({ db: value });
    expect(await keeper.keyState()).toMatchObject({ state: 'open', values: 1, locked: 0 });
  });

  it('have versions: a deployment keeps the one it was pinned to', async () => {
    const { keeper } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    const pinned = await keeper.pin('shop', { URL: '@db', PLAIN: 'x', AT: '@@db' });
    expect(pinned).toEqual({ db: 1 });
    expect(await keeper.rotate(TEAM, 'db', 'two', 'bob')).toMatchObject({
      version: 2,
      createdBy: 'bob',
    });
    expect(await keeper.reveal('shop', pinned)).toEqual({ db: 'one' });
    expect(await keeper.pin('shop', { URL: '@db' })).toEqual({ db: 2 });
    expect(await keeper.pin('shop', { URL: '@db' }, pinned)).toEqual({ db: 1 });
    expect(await keeper.pin('shop', { PLAIN: 'x' }, pinned)).toEqual({});
  });

  it('that are not there are named with the variable that wants them', async () => {
    const { keeper } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    await expect(keeper.pin('shop', { A: '@db', B: '@dv', C: '@nothing' })).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
      problems: [
        { at: 'env.B', message: expect.stringContaining('"dv"') },
        { at: 'env.C', message: expect.stringContaining('"@@nothing"') },
      ],
    });
  });

  it('of a name that was removed never come back under an old number', async () => {
    const { keeper } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    const pinned = await keeper.pin('shop', { URL: '@db' });
    await keeper.remove(TEAM, 'db');
    await expect(keeper.reveal('shop', pinned)).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(await keeper.add(TEAM, 'db', 'another', 'ann')).toMatchObject({ version: 2 });
    await expect(keeper.reveal('shop', pinned)).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  });

  it('are refused when they cannot be: twice, unknown, empty, too long, with NUL, badly named', async () => {
    const { keeper } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    const code = async (attempt: Promise<unknown>) => {
      try {
        await attempt;
        return 'done';
      } catch (error) {
        const refused = error as { readonly code: string; readonly detail: string };
        expect(refused.detail).not.toContain('canary');
        return refused.code;
      }
    };
    expect(await code(keeper.add(TEAM, 'db', 'canary', 'ann'))).toBe('SECRET_EXISTS');
    expect(await code(keeper.rotate(TEAM, 'dv', 'canary', 'ann'))).toBe('SECRET_NOT_FOUND');
    expect(await code(keeper.remove(TEAM, 'dv'))).toBe('SECRET_NOT_FOUND');
    for (const value of ['', 'canary\0', `canary${'x'.repeat(64 * 1024)}`]) {
      expect(await code(keeper.rotate(TEAM, 'db', value, 'ann'))).toBe('INVALID_INPUT');
    }
    expect(await code(keeper.add(TEAM, '@db', 'canary', 'ann'))).toBe('INVALID_INPUT');
  });

  it('of one team are not those of another', async () => {
    const { keeper, store } = await ground();
    await store.insertTeam({ name: 'red', plan: 'unlimited', createdAt: 1 });
    await store.claimProject({ name: 'rocket', team: 'red', createdAt: 1 });
    await keeper.add(TEAM, 'db', 'ours', 'ann');
    await expect(keeper.pin('rocket', { URL: '@db' })).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
    });
    await keeper.add('red', 'db', 'theirs', 'ann');
    expect(await keeper.reveal('rocket', { db: 1 })).toEqual({ db: 'theirs' });
    expect(await keeper.list('red')).toHaveLength(1);
  });

  it('added at the same time get numbers of their own', async () => {
    const { keeper } = await ground();
    await keeper.add(TEAM, 'db', 'v1', 'ann');
    const rotated = await Promise.all(
      [2, 3, 4, 5].map((number) => keeper.rotate(TEAM, 'db', `v${number}`, 'ann')),
    );
    expect(rotated.map(({ version }) => version)).toEqual([2, 3, 4, 5]);
    expect(await keeper.reveal('shop', { db: 4 })).toEqual({ db: 'v4' });
  });
});

describe('the master key', () => {
  it('is changed for all values at once, and the old one opens nothing afterwards', async () => {
    const { keeper, keyFile, openAgain } = await ground();
    for (let index = 0; index < 250; index += 1) await keeper.add(TEAM, `s${index}`, 'v', 'ann');
    const old = await readFile(keyFile, 'utf8');
    const { values, masterKeyId } = await keeper.rotateKey();
    expect(values).toBe(250);
    expect(await keeper.keyState()).toEqual({ state: 'open', masterKeyId, values: 250, locked: 0 });
    expect(await keysIn(keyFile)).toHaveLength(1);
    expect(await (await openAgain()).reveal('shop', { s7: 1, s249: 1 })).toEqual({
      s7: 'v',
      s249: 'v',
    });
    await writeFile(keyFile, old);
    expect(await (await openAgain()).keyState()).toMatchObject({ state: 'locked', locked: 250 });
  });

  it('that was just being changed when Berth was killed loses nothing, and the next start ends it', async () => {
    const { store, keyFile, openAgain, keeper } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    const crashing = await openAgain(failing(store, 'rewrapKeys'));
    await expect(crashing.rotateKey()).rejects.toThrow('crash');
    expect(await keysIn(keyFile)).toHaveLength(2);
    const before = (await store.wrappedKeys()) as readonly SealedSecret[];
    const next = await openAgain();
    expect(await next.reveal('shop', { db: 1 })).toEqual({ db: 'one' });
    expect(await keysIn(keyFile)).toHaveLength(1);
    expect((await store.wrappedKeys())[0]?.masterKeyId).not.toBe(before[0]?.masterKeyId);
  });

  it('that is lost is said with a code; what is added afterwards is refused, and all opens once it is back', async () => {
    const { keeper, keyFile, openAgain, reports } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    const key = await readFile(keyFile, 'utf8');
    await rm(keyFile);
    const without = await openAgain();
    expect(reports).toContain('secrets.locked');
    await expect(without.reveal('shop', { db: 1 })).rejects.toMatchObject({
      code: 'SECRETS_LOCKED',
      detail: expect.stringContaining('is not there'),
    });
    await expect(without.add(TEAM, 'more', 'x', 'ann')).rejects.toMatchObject({
      code: 'SECRETS_LOCKED',
    });
    await expect(without.rotateKey()).rejects.toMatchObject({ code: 'SECRETS_LOCKED' });
    // What needs no value goes on.
    expect(await without.list(TEAM)).toHaveLength(1);
    expect(await without.pin('shop', { URL: '@db' })).toEqual({ db: 1 });
    await expect(stat(keyFile)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(keyFile, key, { mode: 0o600 });
    expect(await without.reveal('shop', { db: 1 })).toEqual({ db: 'one' });
  });

  it('that is lost for ever is made anew when the secrets were removed', async () => {
    const { keeper, keyFile, openAgain } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    await rm(keyFile);
    const without = await openAgain();
    await without.remove(TEAM, 'db');
    await without.add(TEAM, 'db', 'again', 'ann');
    expect(await (await openAgain()).reveal('shop', { db: 2 })).toEqual({ db: 'again' });
  });

  it('vanished while Berth runs still opens, but seals nothing that would be lost', async () => {
    const { keeper, keyFile } = await ground();
    await keeper.add(TEAM, 'db', 'one', 'ann');
    await rm(keyFile);
    expect(await keeper.reveal('shop', { db: 1 })).toEqual({ db: 'one' });
    await expect(keeper.add(TEAM, 'more', 'x', 'ann')).rejects.toMatchObject({
      code: 'SECRETS_LOCKED',
    });
    expect(await keeper.keyState()).toMatchObject({ state: 'locked', locked: 1 });
  });

  it.each(['', 'not a key\n', `${'A'.repeat(42)}=\n`])(
    'file that holds %j is said to be damaged and is left alone',
    async (text) => {
      const { keyFile, openAgain } = await ground();
      await writeFile(keyFile, text);
      const keeper = await openAgain();
      expect((await keeper.keyState()).state).toBe('locked');
      await expect(keeper.add(TEAM, 'db', 'x', 'ann')).rejects.toMatchObject({
        code: 'SECRETS_LOCKED',
      });
      expect(await readFile(keyFile, 'utf8')).toBe(text);
    },
  );
});
