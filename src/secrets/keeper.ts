/** Keeps the secrets of teams: seals, lists, opens and removes them, and changes the master key. */
import { setImmediate } from 'node:timers/promises';
import { BerthError, type Problem } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import type { SecretVersions } from '../core/model.ts';
import { isSecretName, readVariable, SECRET_NAME_RULE, secretNamesOf } from '../core/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { SecretKey, SecretVersion, WrappedKey } from '../ports/secret-store.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import { type Draw, KEY_BYTES, masterKeyFrom, open, rewrap, seal } from './envelope.ts';
import { createKeyring } from './keyring.ts';

export interface KeeperNeeds {
  readonly store: Store;
  /** Path of the key file. */
  readonly keyFile: string;
  readonly draw: Draw;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Also of a project that is only about to be. */
  readonly teamOf: (project: string) => string;
}

/** How it is with the key file. */
export interface KeyState {
  /** `locked`: some values cannot be opened. `unused`: there is nothing to open yet. */
  readonly state: 'open' | 'unused' | 'locked';
  /** Of the current key; absent when there is none. */
  readonly masterKeyId?: string;
  /** How many values are kept, and how many of them this file does not open. */
  readonly values: number;
  readonly locked: number;
  /** A sentence about what is wrong; absent when nothing is. */
  readonly because?: string;
}

export interface Keeper extends Secrets {
  /** Of one team, by name and version. */
  list(team: string): Promise<readonly SecretVersion[]>;
  /** Version 1, or the next number of a name that was removed. Throws SECRET_EXISTS, INVALID_INPUT, SECRETS_LOCKED. */
  add(team: string, name: string, value: string, by: string): Promise<SecretVersion>;
  /** The next version. Throws SECRET_NOT_FOUND, INVALID_INPUT, SECRETS_LOCKED. */
  rotate(team: string, name: string, value: string, by: string): Promise<SecretVersion>;
  /** Erases all versions. Throws SECRET_NOT_FOUND. */
  remove(team: string, name: string): Promise<void>;
  keyState(): Promise<KeyState>;
  /** Everything is wrapped anew with a fresh master key, or nothing is. Throws SECRETS_LOCKED. */
  rotateKey(): Promise<{ readonly masterKeyId: string; readonly values: number }>;
}

/** Keys handled in one go: 100 hold the thread for a millisecond. */
const BATCH = 100;

/** Makes the key file when nothing is kept yet, and ends a rotation that was interrupted. Never throws for a bad key file. */
export async function openKeeper(needs: KeeperNeeds): Promise<Keeper> {
  const { store, clock, draw } = needs;
  const keyring = createKeyring(needs);
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time: none may be sealed with a key that is just being replaced. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  async function write(
    team: string,
    name: string,
    value: string,
    by: string,
  ): Promise<SecretVersion> {
    for (;;) {
      const master = await keyring.current();
      const version = (await store.latestSecretVersion(team, name)) + 1;
      const key: SecretKey = { team, name, version };
      const made: SecretVersion = { ...key, createdAt: clock.now(), createdBy: by };
      if (await store.insertSecret({ ...made, ...seal(value, key, master, draw) })) return made;
    }
  }

  async function isThere(team: string, name: string): Promise<boolean> {
    return (await store.secretVersions(team)).some((one) => one.name === name);
  }

  /** Wraps with the newest key of the file what is wrapped with an older one of it. @returns what it could not. */
  async function wrapAnew(): Promise<{ done: number; locked: readonly WrappedKey[] }> {
    const [current, ...older] = await keyring.all();
    const done: WrappedKey[] = [];
    const locked: WrappedKey[] = [];
    for (const [index, wrapped] of (await store.wrappedKeys()).entries()) {
      if (index % BATCH === BATCH - 1) await setImmediate();
      if (wrapped.masterKeyId === current.id) continue;
      const from = older.find(({ id }) => id === wrapped.masterKeyId);
      const wrappedKey = from && rewrap(wrapped.wrappedKey, wrapped, from, current, draw);
      if (wrappedKey === undefined) locked.push(wrapped);
      else done.push({ ...wrapped, wrappedKey, masterKeyId: current.id });
    }
    await store.rewrapKeys(done);
    // Not before: until now a crash would have left values that only an older one opens.
    if (locked.length === 0) await keyring.write([current]);
    return { done: done.length, locked };
  }

  async function keyState(): Promise<KeyState> {
    const wrapped = await store.wrappedKeys();
    const file = await keyring.look();
    const keys = file.kind === 'read' ? file.keys : [];
    const ids = new Set(keys.map(({ id }) => id));
    const locked = wrapped.filter(({ masterKeyId }) => !ids.has(masterKeyId)).length;
    const because = keyring.whatIsWrong(file, locked, wrapped.length);
    return {
      state:
        locked > 0 || file.kind === 'damaged' ? 'locked' : wrapped.length > 0 ? 'open' : 'unused',
      ...(keys[0] && { masterKeyId: keys[0].id }),
      values: wrapped.length,
      locked,
      ...(because !== undefined && { because }),
    };
  }

  const file = await keyring.look();
  if (file.kind === 'read' && file.keys.length > 1) await inTurn(wrapAnew);
  if (file.kind === 'absent' && (await store.wrappedKeys()).length === 0) await keyring.make();
  const { because } = await keyState();
  if (because !== undefined) needs.reporter.report('error', 'secrets.locked', { because });

  return {
    list: (team) => store.secretVersions(team),

    async add(team, name, value, by) {
      check(name, value);
      return inTurn(async () => {
        if (await isThere(team, name)) {
          throw new BerthError('SECRET_EXISTS', { detail: `There is a secret ${name} already.` });
        }
        return write(team, name, value, by);
      });
    },

    async rotate(team, name, value, by) {
      check(name, value);
      return inTurn(async () => {
        if (!(await isThere(team, name))) throw notFound(name);
        return write(team, name, value, by);
      });
    },

    remove: (team, name) =>
      inTurn(async () => {
        if (!(await isThere(team, name))) throw notFound(name);
        await store.deleteSecret(team, name);
      }),

    keyState,

    rotateKey: () =>
      inTurn(async () => {
        const before = await keyring.all();
        const { locked, because } = await keyState();
        if (locked > 0) throw new BerthError('SECRETS_LOCKED', { detail: because ?? '' });
        await keyring.write([masterKeyFrom(draw(KEY_BYTES)), ...before]);
        const { done } = await wrapAnew();
        return { masterKeyId: (await keyring.all())[0].id, values: done };
      }),

    async pin(project, variables, kept = {}) {
      const names = secretNamesOf(variables);
      if (names.length === 0) return {};
      const versions = await store.secretVersions(needs.teamOf(project));
      const pinned: Record<string, number> = {};
      for (const name of names) {
        const own = versions.filter((one) => one.name === name).map(({ version }) => version);
        const wanted = kept[name];
        const version = wanted !== undefined && own.includes(wanted) ? wanted : own.at(-1);
        if (version !== undefined) pinned[name] = version;
      }
      const problems = unknownIn(variables, pinned);
      if (problems.length > 0) {
        const detail = problems.map(({ message }) => message).join('\n');
        throw new BerthError('SECRET_NOT_FOUND', { detail, problems });
      }
      return pinned;
    },

    async reveal(project, versions) {
      const entries = Object.entries(versions);
      if (entries.length === 0) return {};
      const team = needs.teamOf(project);
      const values: Record<string, string> = {};
      for (const [name, version] of entries) {
        const key: SecretKey = { team, name, version };
        const sealed = await store.sealedSecret(key);
        if (!sealed) {
          throw new BerthError('SECRET_NOT_FOUND', {
            detail: `Version ${version} of the secret ${name} was removed.`,
          });
        }
        const master = await keyring.find(sealed.masterKeyId, name);
        const value = open(sealed, key, master);
        if (value === undefined) {
          throw new BerthError('SECRETS_LOCKED', {
            detail: `Version ${version} of the secret ${name} in the data file is damaged.`,
          });
        }
        values[name] = value;
      }
      return values;
    },
  };
}

/** Throws INVALID_INPUT; the value is not in its words. */
function check(name: string, value: string): void {
  const problems: Problem[] = [];
  if (!isSecretName(name)) problems.push({ at: 'name', message: `must be ${SECRET_NAME_RULE}` });
  if (value === '') problems.push({ at: 'value', message: 'is empty' });
  if (value.includes('\0')) problems.push({ at: 'value', message: 'has a NUL character' });
  if (Buffer.byteLength(value) > BOUNDS.envValueBytes) {
    const message = `has more than ${BOUNDS.envValueBytes} bytes: no variable may`;
    problems.push({ at: 'value', message });
  }
  if (problems.length === 0) return;
  const detail = problems.map(({ at, message }) => `The ${at} ${message}.`).join('\n');
  throw new BerthError('INVALID_INPUT', { detail, problems });
}

function notFound(name: string): BerthError {
  return new BerthError('SECRET_NOT_FOUND', { detail: `There is no secret ${name}.` });
}

function unknownIn(
  variables: Readonly<Record<string, string>>,
  pinned: SecretVersions,
): readonly Problem[] {
  return Object.entries(variables).flatMap(([variable, kept]) => {
    const read = readVariable(kept);
    if (read.kind === 'plain' || Object.hasOwn(pinned, read.name)) return [];
    const message = `${variable} names the secret "${read.name}", which is not there; for a plain "${kept}" write "@${kept}"`;
    return [{ at: `env.${variable}`, message }];
  });
}
