/** Answers monitors for a deployment without waking it: asleep is a good state, not a failure. */
import type { DeploymentId, InstanceState } from '../core/model.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { InboundRequest, InboundResponse } from './inbound.ts';

export const HEALTH_PATH = '/.well-known/berth/health';

const AWAKE: ReadonlySet<InstanceState> = new Set(['booting', 'ready', 'busy', 'draining']);

/** 200 with `{"deployment": …, "state": "awake" | "asleep", "instances": n awake}`. */
export function answerHealth(
  fleet: Fleet,
  deploymentId: DeploymentId,
  id: string,
  req: InboundRequest,
  res: InboundResponse,
): void {
  const awake = fleet.instances(deploymentId).filter(({ state }) => AWAKE.has(state)).length;
  const state = awake > 0 ? 'awake' : 'asleep';
  const body = `${JSON.stringify({ deployment: deploymentId, state, instances: awake })}\n`;
  res.writeHead(200, [
    ...['content-type', 'application/json'],
    ...['content-length', String(Buffer.byteLength(body))],
    ...['cache-control', 'no-store'],
    ...['x-berth-id', id],
  ]);
  res.end(req.method === 'HEAD' ? undefined : body);
}
