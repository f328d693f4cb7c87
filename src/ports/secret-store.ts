/** What the store keeps of secrets: sealed values, which it cannot read, and their numbers. Part of the contract of `store.ts`. */

/** Names one value of one secret. */
export interface SecretKey {
  readonly team: string;
  readonly name: string;
  /** 1, 2, 3, …; never given twice to the same name, even after it was removed. */
  readonly version: number;
}

/** One value, without the value. */
export interface SecretVersion extends SecretKey {
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** The key of one value, encrypted with a master key. */
export interface WrappedKey extends SecretKey {
  /** Base64. */
  readonly wrappedKey: string;
  /** Which master key wrapped it. */
  readonly masterKeyId: string;
}

export interface SealedSecret extends SecretVersion, WrappedKey {
  /** The value, encrypted with its own key; base64. */
  readonly sealed: string;
}

export interface SecretStore {
  /** False when that version was given already; then nothing is written. */
  insertSecret(secret: SealedSecret): Promise<boolean>;
  /** Highest version ever given to this name, removed ones included; 0 for none. */
  latestSecretVersion(team: string, name: string): Promise<number>;
  /** Of one team or of all, by team, name and version. */
  secretVersions(team?: string): Promise<readonly SecretVersion[]>;
  sealedSecret(key: SecretKey): Promise<SealedSecret | undefined>;
  /** Erases all values of a name; their numbers stay taken. */
  deleteSecret(team: string, name: string): Promise<void>;

  wrappedKeys(): Promise<readonly WrappedKey[]>;
  /** All of them or none. A version that was removed meanwhile is left out. */
  rewrapKeys(keys: readonly WrappedKey[]): Promise<void>;
}
