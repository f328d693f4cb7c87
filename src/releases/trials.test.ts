/** A release on trial: what ends it, and what does not. */
import { describe, expect, it } from 'vitest';
import type { Exit } from '../ports/engine.ts';
import type { MemoryKnobs } from '../engines/memory/engine.ts';
import { world } from './fixtures/booted.ts';
import type { Calls } from './fixtures/world.ts';

const PRODUCTION = { project: 'shop', environment: 'production', createdBy: 'me' } as const;
const CRASH: Exit = { code: 3, outOfMemory: false };

describe('a release on trial', () => {
  async function withTrial(knobs: Partial<MemoryKnobs> = {}, call?: Calls) {
    const opened = await world(knobs, call);
    const [one, two] = [await opened.deploy('one'), await opened.deploy('two')];
    await opened.releases.release({ ...PRODUCTION, deployment: one });
    await opened.releases.release({ ...PRODUCTION, deployment: two, percent: 10 });
    const pointer = () => opened.table.pointer('shop', 'production');
    const stateOf = async (number: number) => {
      const found = await opened.store.release('shop', 'production', number);
      return [found?.state, found?.because];
    };
    return { ...opened, one, two, pointer, stateOf };
  }

  it('goes on when another one fails to boot, and gives way with the switch to one that boots', async () => {
    const known = new Set<string>();
    let isBroken = false;
    const { releases, deploy, one, two, pointer, stateOf, fleet } = await withTrial({
      exitsOnBoot: (id) => {
        const deploymentId = id.slice(0, 'shop-00000000'.length);
        if (!isBroken) known.add(deploymentId);
        return isBroken && !known.has(deploymentId) ? CRASH : undefined;
      },
    });
    const trial = { deploymentId: one.id, trial: { deploymentId: two.id, percent: 10 } };
    expect(pointer()).toMatchObject(trial);
    isBroken = true;
    const change = () => ({ variables: { BROKEN: '1' }, limits: {} });
    const failing = releases.change({ ...PRODUCTION, kind: 'variables', change });
    await expect(failing).rejects.toMatchObject({ code: 'RELEASE_FAILED' });
    expect(pointer()).toMatchObject(trial);
    expect(await stateOf(2)).toStrictEqual(['trial', `Deploy ${two.id}`]);
    const tried = releases.release({ ...PRODUCTION, deployment: one, percent: 20, change });
    await expect(tried).rejects.toMatchObject({ code: 'RELEASE_FAILED' });
    expect(pointer()).toMatchObject(trial);

    isBroken = false;
    const three = await deploy('three');
    const made = await releases.release({ ...PRODUCTION, deployment: three });
    expect(made).toMatchObject({ number: 5, endedTrial: 2 });
    expect(pointer()).toStrictEqual(expect.objectContaining({ deploymentId: three.id }) as unknown);
    expect(pointer()?.trial).toBeUndefined();
    expect(await stateOf(2)).toStrictEqual([
      'failed',
      `Deploy ${two.id}; taken back: v5 was released`,
    ]);
    expect(fleet.instances(three.id).length).toBeGreaterThan(0);
  });

  it('that does worse gets no more clients, also while another release takes long to boot', async () => {
    const booting = Promise.withResolvers<void>();
    let isSlow = false;
    const { releases, one, two, pointer, stateOf } = await withTrial({}, (name, act) =>
      isSlow && name === 'create' ? booting.promise.then(act) : act(),
    );
    isSlow = true;
    const change = () => ({ variables: { SLOW: '1' }, limits: {} });
    const released = releases.change({ ...PRODUCTION, kind: 'variables', change });
    for (let count = 0; count < 50; count += 1) {
      releases.note('shop/production', one.id, { isError: false, appMs: 1 });
      releases.note('shop/production', two.id, { isError: true, appMs: 1 });
    }
    await expect.poll(() => pointer()?.trial, { timeout: 20_000 }).toBeUndefined();
    expect(pointer()?.deploymentId).toBe(one.id);
    expect((await stateOf(2))[0]).toBe('trial');
    booting.resolve();
    expect(await released).toMatchObject({ number: 3, state: 'current' });
    expect((await stateOf(2))[0]).toBe('failed');
  }, 60_000);

  it('gives way to another one on trial', async () => {
    const { releases, deploy, pointer, stateOf, two } = await withTrial();
    const three = await deploy('three');
    await releases.release({ ...PRODUCTION, deployment: three, percent: 30 });
    expect(pointer()?.trial).toStrictEqual({ deploymentId: three.id, percent: 30 });
    expect(await stateOf(2)).toStrictEqual([
      'failed',
      `Deploy ${two.id}; taken back: v3 is tried with 30 % of clients`,
    ]);
  });

  it('is taken back when what stands is asked for again, by promotion or by rollback', async () => {
    const { releases, one, two, pointer, stateOf } = await withTrial();
    const standing = await releases.release({ ...PRODUCTION, deployment: one });
    expect(standing).toMatchObject({ number: 1, isStanding: true, endedTrial: 2 });
    expect(pointer()?.trial).toBeUndefined();
    expect(await stateOf(2)).toStrictEqual([
      'failed',
      `Deploy ${two.id}; taken back: v1 was asked for again`,
    ]);
    await releases.release({ ...PRODUCTION, deployment: two, percent: 10 });
    expect(await releases.rollback({ ...PRODUCTION, to: 1 })).toMatchObject({
      number: 3,
      state: 'failed',
    });
    expect(pointer()?.trial).toBeUndefined();
  });
});
