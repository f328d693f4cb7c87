/** Which deployment a person means by a name, a hostname or a URL. */
import type { Deployment } from './model.ts';

/** `one`: exactly what was named, as needed to remove it. `newest`: a project's name means its newest good deployment. */
export type FindMode = 'one' | 'newest';

/** What a deployment is found by; the rest of it may be in any form. */
type Named = Pick<Deployment, 'id' | 'project' | 'state'>;

export type Found<Kind extends Named = Deployment> =
  | { readonly kind: 'found'; readonly deployment: Kind }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Kind[] };

/** `https://hello-1a2b3c4d.localhost:8080/path` → `hello-1a2b3c4d`; a plain name stays as it is. */
function nameFromAddress(address: string): string {
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#:]*)/i.exec(address.trim())?.[1] ?? '';
  return (host.split('.')[0] ?? '').toLowerCase();
}

/**
 * | name | mode `newest` | mode `one` |
 * |---|---|---|
 * | an id, or its hostname or URL | that one | that one |
 * | a project | its newest ready one, else its newest | its only one, else ambiguous |
 * | the beginning of an id | the only one that fits, else ambiguous | the same |
 *
 * @param deployments newest first.
 */
export function findDeployment<Kind extends Named>(
  address: string,
  deployments: readonly Kind[],
  mode: FindMode,
): Found<Kind> {
  const name = nameFromAddress(address);
  if (name === '') return { kind: 'none' };
  const exact = deployments.find((deployment) => deployment.id === name);
  if (exact) return { kind: 'found', deployment: exact };

  const ofProject = deployments.filter((deployment) => deployment.project === name);
  const newest = ofProject.find((deployment) => deployment.state === 'ready') ?? ofProject[0];
  if (newest && mode === 'newest') return { kind: 'found', deployment: newest };

  const fitting =
    ofProject.length > 0
      ? ofProject
      : deployments.filter((deployment) => deployment.id.startsWith(name));
  const only = fitting[0];
  if (!only) return { kind: 'none' };
  return fitting.length === 1
    ? { kind: 'found', deployment: only }
    : { kind: 'ambiguous', candidates: fitting };
}
