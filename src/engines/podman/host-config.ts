/** Podman's configuration files as Berth needs them: the host's own texts with a line added, in Berth's folder. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * containers.conf in which the runtime is our program first and the real one after it; its path. So containers carry the
 * plain name, and people's own `podman` manages them with its own runtime, even when our folder is gone. Undefined where the
 * operator has a containers.conf: Podman would read ours instead of it.
 */
export function writeRuntime(
  folder: string,
  name: 'runc' | 'crun',
  quick: string,
  real: string,
): string | undefined {
  const system = '/etc/containers/containers.conf';
  const isConfigured = [system, ...dropInsOf(system)].some((file) => readText(file).trim() !== '');
  if (isConfigured || process.env.CONTAINERS_CONF !== undefined) return undefined;
  const text = withRuntime(readText('/usr/share/containers/containers.conf'), name, quick, real);
  return text === undefined ? undefined : write(join(folder, 'containers.conf'), text);
}

/** Undefined when the text names that runtime itself. */
export function withRuntime(
  text: string,
  name: 'runc' | 'crun',
  quick: string,
  real: string,
): string | undefined {
  if (new RegExp(`^\\s*${name}\\s*=`, 'm').test(text)) return undefined;
  const line = `${name} = ${JSON.stringify([quick, real])}`;
  const table = /^[ \t]*\[engine\.runtimes\][ \t]*$/m;
  return table.test(text)
    ? text.replace(table, (header) => `${header}\n${line}`)
    : `${text}\n[engine.runtimes]\n${line}\n`;
}

/**
 * Dockerfiles say `FROM node:24` and mean Docker Hub. A host whose registries.conf names no registry for such names
 * gets its own text with docker.io added, in our folder; a host that has made its choice keeps it (undefined).
 */
export function writeRegistries(folder: string): string | undefined {
  const system = '/etc/containers/registries.conf';
  const texts = [system, ...dropInsOf(system)].map(readText);
  if (texts.some((text) => /^\s*unqualified-search-registries\s*=/m.test(text))) return undefined;
  // A top-level key has to stand before the first table.
  const text = `unqualified-search-registries = ["docker.io"]\n\n${texts.join('\n')}`;
  return write(join(folder, 'registries.conf'), text);
}

/** The files of `FILE.d`, in Podman's order. */
function dropInsOf(file: string): string[] {
  return readFolder(`${file}.d`).map((name) => join(`${file}.d`, name));
}

function write(file: string, text: string): string {
  if (readText(file) !== text) writeFileSync(file, text);
  return file;
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .toSorted();
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
