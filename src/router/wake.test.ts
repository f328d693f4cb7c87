/** A request that the rules keep from waking is served when somebody is awake, and else costs nothing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APP, call, startWorld, type World } from '../../test/fixtures/router-world.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld({ wakeRules: () => ({ ignorePaths: ['/wp-*'], methods: ['GET'] }) });
  await world.fleet.serve(APP, (_req, res) => res.end('ok'));
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

describe('wake rules', () => {
  it('answer 503 ASLEEP with Retry-After, and ask for no lease', async () => {
    world.fleet.isAsleep = true;
    const reply = await call(world, { path: '/wp-login.php?x=1' });
    expect(reply.status).toBe(503);
    expect(reply.headers).toMatchObject({
      'x-berth-error': 'ASLEEP',
      'retry-after': expect.any(String),
    });
    expect((await call(world, { method: 'POST', body: 'x' })).status).toBe(503);
    expect(world.fleet.acquired).toBe(0);
    expect(world.records[0]).toMatchObject({ status: 503, error: 'ASLEEP' });
  });

  it('let the others through', async () => {
    world.fleet.isAsleep = true;
    expect(await call(world, { path: '/?x=/wp-' })).toMatchObject({ status: 200, text: 'ok' });
  });

  it('do not matter to one who finds somebody awake', async () => {
    expect(await call(world, { path: '/wp-login.php' })).toMatchObject({ status: 200 });
  });
});
