/** The real router and scheduler in forty false worlds, and proof that a seed replays its world. */
import { describe, expect, it } from 'vitest';
import { type Outcome, World } from './world.ts';

/** Kinds of happening that no world is sure to have, but forty are. */
const KINDS = ['proofs', 'busy', 'asleep', 'overQuota', 'reused', 'sockets', 'cancelled'] as const;

describe('the simulation', () => {
  const outcomes: Outcome[] = [];

  for (let seed = 1; seed <= 40; seed += 1) {
    it(`holds in the world of seed ${seed}`, async () => {
      const outcome = await new World(seed).run(150);
      expect(outcome.requests).toBeGreaterThan(0);
      expect(outcome.served).toBeGreaterThan(0);
      outcomes.push(outcome);
    });
  }

  // Seeds that found a mistake once; each keeps its mistake from coming back.
  const found: readonly (readonly [seed: number, mistake: string])[] = [
    [8, 'a container that could not be removed stayed for ever'],
    [309, 'a ledger entry outlived its container'],
    [347, 'idle: run started an instance before the old one was adopted'],
    [376, 'an idle instance was replaced again and again and never came to rest'],
    [2, 'a list that was slow to arrive took an instance for dead that was made meanwhile'],
    [3, 'an engine that did not answer took a living instance and its requests for dead'],
    [14, 'the sweep removed the instances of a deployment that was still draining'],
    [264, 'instances that were draining were adopted beyond scale.max'],
    [598, 'what a failed attempt had left unread of a body was sent twice'],
    [625, 'a handshake that nobody answered held its lease for ever'],
  ];
  for (const [seed, mistake] of found) {
    it(`holds where once ${mistake} (seed ${seed})`, async () => {
      await new World(seed, true).run(150);
    });
  }

  it('meets in its worlds all that they are there for', () => {
    for (const kind of KINDS) {
      const count = outcomes.reduce((sum, outcome) => sum + outcome[kind], 0);
      expect(count, kind).toBeGreaterThan(10);
    }
  });

  it('replays the same world from the same seed', async () => {
    const first = await new World(7).run(60);
    const second = await new World(7).run(60);
    expect(second.trace).toEqual(first.trace);
  });
});
