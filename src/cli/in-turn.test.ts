/** Waits for turns on virtual time, and leaves every other failure alone. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { inTurn } from './in-turn.ts';
import { createOutput } from './output.ts';
import type { World } from './world.ts';

function context(interrupted = new AbortController().signal) {
  const clock = new VirtualClock();
  let said = '';
  const sink = {
    write: (text: string) => {
      said += text;
    },
  };
  const streams = { stdout: sink, stderr: sink, env: {}, clock };
  const world = { ...streams, interrupted } as unknown as World;
  const made: Context = { world, output: createOutput(streams, false) };
  return { context: made, clock, said: () => said };
}

it('asks again when the server said there would be a turn, and tells that it waited', async () => {
  const { context: given, clock, said } = context();
  const asked: number[] = [];
  const result = inTurn(given, () => {
    asked.push(clock.now());
    const error = new BerthError('RATE_LIMITED', { retryAfterSeconds: 6 });
    return asked.length < 3 ? Promise.reject(error) : Promise.resolve('deployed');
  });
  await clock.advance(12_000);
  expect(await result).toBe('deployed');
  const [first = 0] = asked;
  expect(asked.map((at) => at - first)).toStrictEqual([0, 6_000, 12_000]);
  expect(said()).toContain('Waited for a turn');
});

it('waits for nothing else, and no longer than somebody wants', async () => {
  const { context: given } = context();
  const failing = inTurn(given, () => Promise.reject(new BerthError('FORBIDDEN')));
  await expect(failing).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const { context: left } = context(AbortSignal.abort());
  const refused = () => Promise.reject(new BerthError('RATE_LIMITED', { retryAfterSeconds: 60 }));
  await expect(inTurn(left, refused)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});
