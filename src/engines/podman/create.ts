/** Makes the container of an instance, and the network of its project when it is the first. */
import { BerthError } from '../../core/errors.ts';
import type { EngineInstance, InstanceSpec } from '../../ports/engine.ts';
import { refusalOf, refused } from './client.ts';
import type { Context } from './context.ts';
import { show } from './instances.ts';
import { containerSpec } from './spec.ts';

/** Throws IMAGE_NOT_FOUND, ENGINE_FAILED. One that exists already is the result. */
export async function create(context: Context, spec: InstanceSpec): Promise<EngineInstance> {
  const { client, instances, networks, ledgerId, secretFiles } = context;
  const placeholders = secretFiles.placeholders(spec.id, spec.secretEnv ?? {});
  const network = await networks.ensure(spec.project);
  const call = {
    method: 'POST',
    path: '/containers/create',
    lane: 'change',
    body: containerSpec(spec, placeholders, ledgerId, network, context.caps()),
  } as const;
  const answer = await client.ask(call);
  if (answer.status >= 400) {
    const { cause, message } = refusalOf(answer);
    if (/image not known|no such image/.test(`${cause} ${message}`)) {
      throw new BerthError('IMAGE_NOT_FOUND', { detail: `There is no image ${spec.imageId}.` });
    }
    // Asked twice, or the answer to the first time was lost.
    const existing = await instances.refresh(spec.id);
    if (existing) return show(existing);
    throw refused(call, answer);
  }
  const created = await instances.refresh(spec.id);
  if (!created) throw refused(call, answer);
  return show(created);
}
