/** Sealed secrets in memory: the same contract as every store's. */
import type { SealedSecret, SecretKey, SecretStore } from '../../ports/secret-store.ts';

/** `needOpen` throws SHUTTING_DOWN once the store is closed. */
export function memorySecrets(needOpen: () => void): SecretStore {
  const secrets = new Map<string, SealedSecret>();
  const latest = new Map<string, number>();
  const keyOf = ({ team, name, version }: SecretKey) => JSON.stringify([team, name, version]);
  const nameOf = (team: string, name: string) => JSON.stringify([team, name]);
  const sorted = () =>
    [...secrets.values()].sort(
      (a, b) => compare(a.team, b.team) || compare(a.name, b.name) || a.version - b.version,
    );

  return {
    insertSecret(secret) {
      return attempt(() => {
        const name = nameOf(secret.team, secret.name);
        if (secrets.has(keyOf(secret)) || secret.version <= (latest.get(name) ?? 0)) return false;
        secrets.set(keyOf(secret), { ...secret });
        latest.set(name, secret.version);
        return true;
      });
    },
    latestSecretVersion: (team, name) => attempt(() => latest.get(nameOf(team, name)) ?? 0),
    secretVersions: (team) =>
      attempt(() =>
        sorted()
          .filter((one) => team === undefined || one.team === team)
          .map(({ sealed: _, wrappedKey: __, masterKeyId: ___, ...version }) => version),
      ),
    sealedSecret: (key) => attempt(() => secrets.get(keyOf(key))),
    deleteSecret: (team, name) =>
      attempt(() => {
        for (const [key, one] of secrets) {
          if (one.team === team && one.name === name) secrets.delete(key);
        }
      }),
    wrappedKeys: () =>
      attempt(() =>
        sorted().map(({ team, name, version, wrappedKey, masterKeyId }) => ({
          team,
          name,
          version,
          wrappedKey,
          masterKeyId,
        })),
      ),
    rewrapKeys: (keys) =>
      attempt(() => {
        for (const { wrappedKey, masterKeyId, ...key } of keys) {
          const secret = secrets.get(keyOf(key));
          if (secret) secrets.set(keyOf(key), { ...secret, wrappedKey, masterKeyId });
        }
      }),
  };

  async function attempt<Result>(work: () => Result): Promise<Result> {
    needOpen();
    return work();
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
