/** What the doctor says of secrets: the key file, what it opens, and whether values can be handed over in memory. */
import type { Finding } from './doctor.ts';

/** What can be seen without a server. */
export interface SecretsFacts {
  /** Absent: there is none yet. */
  readonly keyFile?: {
    readonly path: string;
    /** Permission bits. */
    readonly mode: number;
    readonly isOwn: boolean;
  };
  /** A file system in memory at /run or /dev/shm. */
  readonly hasMemory: boolean;
  readonly hasBash: boolean;
}

/** What the running server says of it. */
export interface SecretsState {
  readonly state: 'open' | 'unused' | 'locked';
  readonly values: number;
  readonly because?: string | undefined;
}

/** `state` absent: no server runs, so nobody can say what the key opens. */
export function secretsFindings(facts: SecretsFacts, state?: SecretsState): readonly Finding[] {
  const about = 'secrets';
  const found: Finding[] = [];
  const { keyFile } = facts;
  if (keyFile && !keyFile.isOwn) {
    found.push({
      level: 'problem',
      about,
      what: `${keyFile.path} belongs to somebody else, who can read or change it`,
      do: `chown it to the user that runs Berth: chown root ${keyFile.path}`,
    });
  }
  if (keyFile && (keyFile.mode & 0o077) !== 0) {
    found.push({
      level: 'problem',
      about,
      what: `${keyFile.path} has mode ${keyFile.mode.toString(8)}: others than its owner can use it`,
      do: `chmod 600 ${keyFile.path}; if anybody may have read it, change the key: berth secrets rotate-key`,
    });
  }
  if (state?.state === 'locked') {
    found.push({
      level: 'problem',
      about,
      what: state.because ?? 'some values cannot be opened',
      do: 'Put secrets.key back from its copy; without one, remove the secrets (berth secrets rm --force) and add them anew.',
    });
  }
  const lacking = [
    ...(facts.hasBash ? [] : ['bash']),
    ...(facts.hasMemory ? [] : ['a tmpfs at /run or /dev/shm']),
  ];
  if (lacking.length > 0) {
    found.push({
      level: 'note',
      about,
      what: `no ${lacking.join(' and no ')}: apps with secrets are refused, because their values may touch no disk`,
      do: facts.hasBash ? 'Mount one: mount -t tmpfs tmpfs /dev/shm' : 'apt-get install bash',
    });
  }
  if (found.length > 0) return found;
  if (!keyFile)
    return [{ level: 'ok', about, what: 'none yet: the key file is made at the start' }];
  const opens = {
    open: `opens all ${state?.values ?? 0} values`,
    unused: 'nothing is kept yet',
    locked: '',
    unknown: 'what it opens only a running server can say',
  }[state?.state ?? 'unknown'];
  return [{ level: 'ok', about, what: `${keyFile.path} is there for its owner alone; ${opens}` }];
}
