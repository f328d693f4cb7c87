/** A folder without a Dockerfile: what kind it is, and the Dockerfile that Berth uses for it. */
import { BerthError } from '../core/errors.ts';
import { recogniseGo } from './kinds/go.ts';
import type { FolderView, Kind, Recognised, Recognition } from './kinds/kind.ts';
import { recogniseNode } from './kinds/node.ts';
import { recognisePython } from './kinds/python.ts';
import { recogniseStatic } from './kinds/static.ts';

/** In this order: an index.html may stand beside any app, a package.json beside most. */
const RECOGNISERS: readonly [Kind, (view: FolderView) => Promise<Recognition>][] = [
  ['node', recogniseNode],
  ['go', recogniseGo],
  ['python', recognisePython],
  ['static', recogniseStatic],
];

/** Throws NO_DOCKERFILE saying what was missing. `only`: it must be of this kind. */
export async function recognise(view: FolderView, only?: Kind): Promise<Recognised> {
  const reasons: string[] = [];
  for (const [kind, look] of RECOGNISERS) {
    if (only !== undefined && only !== kind) continue;
    const found = await look(view);
    if (found === undefined) continue;
    if ('dockerfile' in found) return found;
    reasons.push(found.whyNot);
  }
  const asked = only === undefined ? '' : ` of the kind that "type" asks for (${only})`;
  throw new BerthError('NO_DOCKERFILE', {
    detail: [`there is no Dockerfile, and nothing${asked} was recognised`, ...reasons].join('; '),
  });
}
