/** The release that a rollback means: the one that is named, or the previous one that was different. */
import { BerthError } from '../core/errors.ts';
import type { Release } from '../core/model.ts';
import { previousRelease, rollbackTo, type RollbackTarget } from '../core/release.ts';
import type { Store } from '../ports/store.ts';
import type { RollbackRequest } from './releases.ts';

/** Releases looked through at once for one to go back to. */
const PAGE = 50;

/** Throws RELEASE_NOT_FOUND for a number that the environment never had. */
export async function findTarget(
  store: Store,
  { project, environment, to }: RollbackRequest,
  current: Release | undefined,
): Promise<RollbackTarget> {
  if (to !== undefined) {
    const wanted = await store.release(project, environment, to);
    if (wanted) return rollbackTo(current, wanted);
    const detail = `${environment} of ${project} has no v${to}.`;
    throw new BerthError('RELEASE_NOT_FOUND', { detail });
  }
  let before = current?.number;
  while (before !== undefined) {
    const page = await store.releases({ project, environment, before, limit: PAGE });
    const target = previousRelease(current, page);
    if (target.kind === 'found' || page.length < PAGE) return target;
    before = page.at(-1)?.number;
  }
  return previousRelease(undefined, []);
}
