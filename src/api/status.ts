/** What the server is and does: health, status, identity, slots. */
import { checkSlot } from '../config/schema.ts';
import { BerthError } from '../core/errors.ts';
import { parseSlot, SLOTS } from '../core/limits.ts';
import type { Slot } from '../core/model.ts';
import type { ApiNeeds, ServerFacts } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { health, slot, status, whoami } from './schemas.ts';
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
    { schema: { summary: 'What the server is and has', response: { 200: status, ...problems } } },
    async () => {
      const { cores: _, memoryMiB: __, startedAt, ...facts } = needs.facts();
      return {
        ...facts,
        startedAt: toIso(startedAt),
        counts: {
          deployments: countBy(await needs.store.deployments()),
          instances: countBy(needs.fleet.instances()),
        },
        eventLoopLagMs: needs.eventLoopLag(),
      };
    },
  );

  routes.get(
    '/whoami',
    { schema: { summary: 'Who the token stands for', response: { 200: whoami, ...problems } } },
    () => ({ name: 'local', via: 'the token file of the data folder' }),
  );

  routes.get(
    '/slots',
    {
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
