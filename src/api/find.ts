/** The deployment that a request names, or the error that says why it is none. */
import { BerthError } from '../core/errors.ts';
import { findDeployment } from '../core/find-deployment.ts';
import type { FindMode } from '../core/find-deployment.ts';
import type { Deployment } from '../core/model.ts';
import type { Store } from '../ports/store.ts';

const SHOWN_CANDIDATES = 20;

/** Throws DEPLOYMENT_NOT_FOUND or DEPLOYMENT_AMBIGUOUS, which lists what would fit. */
export async function find(store: Store, name: string, mode: FindMode): Promise<Deployment> {
  // By far the most common name is an id: that needs one row only.
  const exact = await store.deployment(name);
  if (exact) return exact;
  const found = findDeployment(name, await store.deployments(), mode);
  switch (found.kind) {
    case 'found':
      return found.deployment;
    case 'none':
      throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail: `No deployment is called ${name}.` });
    case 'ambiguous':
      throw new BerthError('DEPLOYMENT_AMBIGUOUS', {
        detail: `${found.candidates.length} deployments fit ${name}.`,
        problems: found.candidates
          .slice(0, SHOWN_CANDIDATES)
          .map(({ id, state }) => ({ at: id, message: `is ${state}` })),
      });
  }
}
