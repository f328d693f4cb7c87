/** What the server is and does: health, status, identity, slots. */
import { checkSlot } from '../config/schema.ts';
import { BerthError } from '../core/errors.ts';
import { parseSlot, SLOTS } from '../core/limits.ts';
import type { Deployment, Slot } from '../core/model.ts';
import { whoOf } from './actor.ts';
import { seenDeployments } from './find.ts';
import type { ApiNeeds, ServerFacts } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { health, slot, status } from './schemas.ts';
import { whoami } from './schemas-access.ts';
import { toWireIdentity } from './wire-access.ts';
import { toIso } from './wire.ts';

export function addStatus(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/health',
    {
      config: { isOpen: true },
      schema: { summary: 'Whether the server answers', security: [], response: { 200: health } },
    },
    () => ({ status: 'ok' as const, version: needs.facts().version }),
  );

  routes.get(
    '/status',
    {
      config: { verb: 'anyone' },
      schema: { summary: 'What the server is and has', response: { 200: status, ...problems } },
    },
    async (request) => {
      const { cores: _, memoryMiB: __, startedAt, ...facts } = needs.facts();
      const seen = await seenDeployments(request, needs);
      const deployments: Partial<Record<Deployment['state'], number>> = {};
      for await (const page of needs.store.deploymentPages()) {
        for (const { id, state } of page) {
          if (seen === undefined || seen.has(id))
            deployments[state] = (deployments[state] ?? 0) + 1;
        }
      }
      const instances = needs.fleet
        .instances()
        .filter(({ deploymentId }) => seen === undefined || seen.has(deploymentId));
      return {
        ...facts,
        startedAt: toIso(startedAt),
        counts: {
          deployments,
          instances: countBy(instances),
        },
        eventLoopLagMs: needs.eventLoopLag(),
      };
    },
  );

  routes.get(
    '/whoami',
    {
      config: { verb: 'anyone' },
      schema: { summary: 'Who the token stands for', response: { 200: whoami, ...problems } },
    },
    (request) => toWireIdentity(whoOf(request)),
  );

  routes.get(
    '/slots',
    {
      config: { verb: 'anyone' },
      schema: {
        summary: 'The usual slots and whether this machine has as much',
        response: { 200: slot.array(), ...problems },
      },
    },
    () =>
      SLOTS.flatMap(({ name, for: purpose }) => {
        const parsed = parseSlot(name);
        return parsed ? [{ name, ...parsed, for: purpose, fits: fits(parsed, needs.facts()) }] : [];
      }),
  );
}

function fits(slot: Slot, { cores, memoryMiB }: ServerFacts): boolean {
  try {
    checkSlot(slot, { cpus: cores, memoryMiB });
    return true;
  } catch (error) {
    if (error instanceof BerthError) return false;
    throw error;
  }
}

function countBy<State extends string>(
  things: readonly { readonly state: State }[],
): Partial<Record<State, number>> {
  const counts: Partial<Record<State, number>> = {};
  for (const { state } of things) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
