/**
 * How the values of secrets reach a process and nothing else. Podman keeps what it is told of a container on the disk, so
 * it is told placeholders. Our program in front of the runtime (`runc.ts`) puts the values in their place when the
 * container is created, in a copy of its configuration that lies in memory and is gone right after. See
 * docs/decisions/0011-secret-values.md.
 */
import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import type { InstanceId } from '../../core/model.ts';

/** The annotation of a container that must not run without its values. */
export const SECRETS_ANNOTATION = 'berth.secrets';

/** Names inside the folder of one container; our program in front of the runtime knows them too. */
export const SECRET_FILE = { values: 'values', bundle: 'bundle' } as const;

const IN_MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

/**
 * A folder of this Berth on a file system that is in memory: a run folder first, because only its owner writes there.
 * Undefined where there is none, and for crun also where /run is none: it copies the configuration there before our
 * program takes the values out again. It is not made yet.
 */
export function secretsFolder(ledgerId: string, runtime: 'runc' | 'crun'): string | undefined {
  if (runtime === 'crun' && !isInMemory('/run')) return undefined;
  const own = process.env.XDG_RUNTIME_DIR;
  const places = ['/run', ...(own === undefined ? [] : [own]), '/dev/shm'];
  const place = places.find(isInMemory);
  return place === undefined ? undefined : join(place, `berth-${ledgerId}`);
}

function isInMemory(path: string): boolean {
  try {
    // Some kernels give the number with a sign.
    return IN_MEMORY.includes(statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}

/** The values of containers that are made and not yet parked. */
export interface SecretFiles {
  /** What Podman is told in the place of these values; they are remembered until `forget`. Throws HOST_UNSUPPORTED. */
  placeholders(
    id: InstanceId,
    values: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>>;
  /** Does what makes Podman create the container, with its values at hand for as long as that takes. */
  handOver<Result>(
    id: InstanceId,
    containerId: string,
    work: () => Promise<Result>,
  ): Promise<Result>;
  forget(id: InstanceId): void;
  /** Removes whatever lies there. */
  clear(): void;
}

/** `folder` as `secretsFolder` says; undefined also where nothing stands in front of the runtime. */
export function createSecretFiles(folder: string | undefined): SecretFiles {
  /** Placeholder → value as JSON text has it. */
  const waiting = new Map<InstanceId, ReadonlyMap<string, string>>();
  return {
    placeholders(id, values) {
      const names = Object.keys(values);
      if (names.length === 0) return {};
      if (folder === undefined) {
        throw new BerthError('HOST_UNSUPPORTED', {
          detail:
            'Secrets need bash and a tmpfs, at /run or (for runc) /dev/shm, so that their values touch no disk.',
        });
      }
      const byPlaceholder = new Map<string, string>();
      const told: Record<string, string> = {};
      for (const [index, name] of names.entries()) {
        // Nobody can write this into a variable beforehand: the id of an instance is drawn when it is made.
        const placeholder = `berth-secret:${id}:${index}:`;
        told[name] = placeholder;
        byPlaceholder.set(placeholder, jsonText(values[name] ?? ''));
      }
      waiting.set(id, byPlaceholder);
      return told;
    },

    async handOver(id, containerId, work) {
      const values = waiting.get(id);
      if (!values || folder === undefined) return work();
      const own = join(folder, containerId);
      try {
        makePrivate(folder);
        rmSync(own, { recursive: true, force: true });
        mkdirSync(join(own, SECRET_FILE.bundle), { recursive: true, mode: 0o700 });
        const lines = [...values].flatMap((pair) => pair);
        writeFileSync(join(own, SECRET_FILE.values), `${lines.join('\n')}\n`, { mode: 0o600 });
        return await work();
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    },

    forget: (id) => void waiting.delete(id),

    clear() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** /dev/shm is open to everybody: a folder that somebody else put there is not used. */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new BerthError('HOST_UNSUPPORTED', {
      detail: `${folder} is not ours alone: secrets are not written there. Remove it.`,
    });
  }
}

/** As between the quotes of JSON, in ASCII and without a line end, so that a shell can handle it byte by byte. */
function jsonText(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
