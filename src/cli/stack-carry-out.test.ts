/** Proves that a plan that is out of date is noticed, and that nothing of somebody else's is overwritten. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../api/fixtures/server.ts';
import { readStackText } from '../config/read-stack.ts';
import { systemClock } from '../system/clock.ts';
import type { Context } from './context.ts';
import { createOutput } from './output.ts';
import { carryOut } from './stack-carry-out.ts';
import { look } from './stack-look.ts';
import type { World } from './world.ts';

let server: TestServer;
let context: Context;
beforeAll(async () => {
  server = await openTestServer();
  const nowhere = { write: () => undefined };
  const world = {
    stdout: nowhere,
    stderr: nowhere,
    env: {},
    clock: systemClock,
    interrupted: new AbortController().signal,
  } as unknown as World;
  context = { world, output: createOutput(world, false) };
});
afterAll(() => server.close());

/** Plans now; the steps are carried out when it is called. */
async function planned(text: string): Promise<() => Promise<void>> {
  const found = { ...readStackText(text, 'berth.stack.yaml'), folder: server.folder };
  const looked = await look(context, server.local, found, {});
  expect(looked.plan.steps).not.toHaveLength(0);
  const carry = carryOut(context, server.local, looked, 'by a test');
  return async () => {
    for (const step of looked.plan.steps) await carry(step);
  };
}

describe('a plan is out of date', () => {
  it('when somebody released to the environment since', async () => {
    const id = await server.deploy('shop');
    await server.local.release('shop', 'production', { deployment: id });
    const text = 'projects: { shop: { environments: { production: { variables: { A: mine } } } } }';
    const apply = await planned(text);
    await server.local.changeVariables('shop', 'production', { set: { A: 'theirs' } });
    await expect(apply()).rejects.toMatchObject({
      code: 'PLAN_OUTDATED',
      detail: 'production of shop was at v1 and is at v2 now.',
    });
    expect(await server.local.variables('shop', 'production')).toStrictEqual({ A: 'theirs' });
    await (await planned(text))();
    expect(await server.local.variables('shop', 'production')).toStrictEqual({ A: 'mine' });
  });

  it('when what was to be promoted is not what runs there any more', async () => {
    const [one, two] = [await server.deploy('blog'), await deployed('blog')];
    await server.local.release('blog', 'staging', { deployment: one });
    const apply = await planned(
      'projects: { blog: { environments: { production: { runs: { from: staging } } } } }',
    );
    await server.local.release('blog', 'staging', { deployment: two });
    await expect(apply()).rejects.toMatchObject({
      code: 'PLAN_OUTDATED',
      detail: `staging of blog ran ${one} and runs ${two} now.`,
    });
    expect((await server.local.environment('blog', 'production')).current).toBeUndefined();
  });
});

/** Another deployment of the project. */
async function deployed(project: string): Promise<string> {
  const { deployment } = await server.local.deploy({
    project,
    source: { kind: 'image', reference: `docker.io/library/${project}:2` },
  });
  for await (const event of server.local.progress(deployment.id)) if (event.kind === 'end') break;
  return deployment.id;
}
