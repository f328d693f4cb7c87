/** Names of environments, and the hostnames that follow from them. */
import type { EnvironmentName } from './model.ts';

/** These two exist for every project, released to or not. */
export const PRODUCTION: EnvironmentName = 'production';
export const STAGING: EnvironmentName = 'staging';

const PREVIEW = 'preview/';
const PLAIN_CHARS = 40;
const BRANCH_CHARS = 200;
const LABEL_CHARS = 63;

export const ENVIRONMENT_NAME_RULE =
  'is neither preview/<branch> nor lower-case letters, digits and inner hyphens (at most 40, not beginning with "preview")';

/** A name that needs no escaping in a hostname. `preview` is kept for branches, so that no two names share a hostname. */
const PLAIN = /^(?!preview(?:-|$))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** What git allows in the name of a branch, without the few characters that only trouble people. */
const BRANCH =
  /^(?![/.-])(?!.*(?:\.\.|\/\/|@\{|\/\.|\.lock$))[^\s\p{C}~^:?*[\]\\"'`<>|&;$%#]+(?<![/.])$/u;

export function isEnvironmentName(name: string): boolean {
  if (!name.startsWith(PREVIEW)) return name.length <= PLAIN_CHARS && PLAIN.test(name);
  const branch = name.slice(PREVIEW.length);
  return branch.length <= BRANCH_CHARS && BRANCH.test(branch);
}

/** Whether it came from a branch: it costs nothing while nobody looks at it. */
export function isPreview(name: EnvironmentName): boolean {
  return name.startsWith(PREVIEW);
}

/** The environment of a branch; characters that a name may not have become hyphens. */
export function previewOf(branch: string): EnvironmentName {
  const name = `${PREVIEW}${branch.slice(0, BRANCH_CHARS)}`;
  if (isEnvironmentName(name)) return name;
  const cleaned = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, BRANCH_CHARS)
    .replace(/^-+|-+$/g, '');
  return `${PREVIEW}${cleaned || 'branch'}`;
}

/**
 * The first label of an environment's hostname. Two environments of a project never share one, and but for production
 * none looks like the id of a deployment.
 *
 * | environment | label |
 * |---|---|
 * | production | `shop` |
 * | staging | `shop-staging` |
 * | preview/cart | `shop-preview-cart` |
 * | preview/Fix/Cart, or too long, or like a deployment's id | `shop-preview-fix-cart-` and six characters of its own |
 */
export function environmentLabel(project: string, name: EnvironmentName): string {
  if (name === PRODUCTION) return project;
  const plain = isPreview(name) ? name.replace('/', '-') : name;
  const slug = plain
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const room = LABEL_CHARS - project.length - 1;
  if (slug === plain && slug.length <= room && !LIKE_ID.test(`-${slug}`)) {
    return `${project}-${slug}`;
  }
  const mark = markOf(name);
  const cut = slug.slice(0, room - mark.length - 1).replace(/-+$/, '');
  return `${project}-${cut === '' ? '' : `${cut}-`}${mark}`;
}

/** The projects of which an environment can have this label: `a-b-c` → `a-b-c`, `a-b` and `a`. */
export function projectsOfLabel(label: string): readonly string[] {
  const words = label.split('-');
  return words.map((_, index) => words.slice(0, words.length - index).join('-'));
}

/** As the ids of deployments end: eight characters of their alphabet. */
const LIKE_ID = /-[0-9a-hjkmnp-tv-z]{8}$/;
const MARK_CHARS = 6;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Six characters that follow from the name: FNV-1a with 32 bits, of which 30 are shown. */
function markOf(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of name) {
    hash = Math.imul(hash ^ (byte.codePointAt(0) ?? 0), 0x01000193);
  }
  let mark = '';
  for (let index = 0; index < MARK_CHARS; index += 1) {
    mark += ALPHABET.charAt((hash >>> (index * 5)) & 31);
  }
  return mark;
}
