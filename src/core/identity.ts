/** What makes two deploys the same deployment: one canonical text, hashed at the edge. */
import type { Configuration, DeploymentId, SecretVersions } from './model.ts';

/** What the app is made of: the files of a folder, or the image a reference meant at the time. */
export type IdentitySource =
  | { readonly kind: 'folder'; readonly manifest: string }
  | { readonly kind: 'image'; readonly imageId: string };

/** The same as `systemRandom`: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SUFFIX_CHARS = 8;

/**
 * The text whose sha256 is the deployment's identity. Equal input gives equal text, whatever the order of its keys; one that
 * names no secret is what it was before there were any.
 */
export function identityText(
  project: string,
  source: IdentitySource,
  configuration: Configuration,
  secrets: SecretVersions = {},
): string {
  const pinned = Object.keys(secrets).length > 0 ? { secrets } : {};
  return canonicalText({ form: 1, project, source, configuration, ...pinned });
}

/** Whether two configurations are the same, whatever the order of their keys. */
export function isSameConfiguration(a: Configuration, b: Configuration): boolean {
  return canonicalText(a) === canonicalText(b);
}

/** `<project>-<8 chars>` from a sha256 in hex: 40 bits of it, five to a character. */
export function deploymentIdFrom(project: string, sha256: string): DeploymentId {
  let suffix = '';
  for (let index = 0; index < SUFFIX_CHARS; index += 1) {
    // Four characters of five bits are five hex digits: read 20 bits at a time.
    const bits = Number.parseInt(
      sha256.slice(Math.floor(index / 4) * 5, Math.floor(index / 4) * 5 + 5),
      16,
    );
    suffix += ALPHABET.charAt((bits >> (15 - (index % 4) * 5)) & 31);
  }
  return `${project}-${suffix}`;
}

/** JSON with sorted keys and without absent values. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field)}`);
  return `{${fields.join(',')}}`;
}

/** The project of a deployment, by its id alone: also for one that is not there any more. */
export function projectOfId(id: DeploymentId): string {
  return id.slice(0, -(SUFFIX_CHARS + '-'.length));
}
