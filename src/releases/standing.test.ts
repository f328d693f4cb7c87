/** What stands is not released again, and a promotion says where what it runs came from. */
import { describe, expect, it } from 'vitest';
import { world } from './fixtures/booted.ts';

const PRODUCTION = { project: 'shop', environment: 'production', createdBy: 'me' } as const;
const STAGING = { ...PRODUCTION, environment: 'staging' } as const;

describe('a release of what stands', () => {
  it('gets no number, whoever asks; where its image went, it is made anew', async () => {
    const { releases, deploy, images, store } = await world();
    const base = await deploy('one');
    await releases.release({ ...PRODUCTION, deployment: base });
    const again = await releases.release({ ...PRODUCTION, deployment: base, isPromotion: true });
    expect(again).toMatchObject({ number: 1, isStanding: true, state: 'current' });
    expect(await store.releases({ project: 'shop' })).toHaveLength(1);
    const change = () => ({ variables: { A: '1' }, limits: {} });
    const changed = await releases.release({ ...PRODUCTION, deployment: base, change });
    expect(changed.isStanding).toBeUndefined();
    const derived = await store.deployment(changed.deploymentId);
    if (!derived?.image) throw new Error('it has no image');
    const other = { ...derived.image, id: 'sha256:other' };
    await store.updateDeployment({ ...derived, image: other });
    images.delete(other.id);
    const repaired = await releases.release({ ...PRODUCTION, deployment: base });
    expect(repaired).toMatchObject({ number: 3, state: 'current' });
    expect(repaired.isStanding).toBeUndefined();
  });

  it('by hand ends the pause after a rollback, and one by itself does not', async () => {
    const { releases, deploy, store } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    await releases.release({ ...PRODUCTION, deployment: two });
    await releases.rollback(PRODUCTION);
    const automatic = releases.release({ ...PRODUCTION, deployment: one, isAutomatic: true });
    await expect(automatic).rejects.toMatchObject({ code: 'ENVIRONMENT_PAUSED' });
    await releases.release({ ...PRODUCTION, deployment: one });
    expect(await store.environment('shop', 'production')).toMatchObject({ current: 3, latest: 3 });
    expect((await store.environment('shop', 'production'))?.pausedBecause).toBeUndefined();
  });

  it('is no rollback either', async () => {
    const { releases, deploy, store } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    for (const deployment of [one, two, one]) {
      await releases.release({ ...PRODUCTION, deployment });
    }
    await expect(releases.rollback({ ...PRODUCTION, to: 1 })).rejects.toMatchObject({
      code: 'NOTHING_TO_ROLL_BACK',
      detail: 'v1 ran the same as v3, which is current.',
    });
    expect(await store.environment('shop', 'production')).toMatchObject({ latest: 3 });
  });
});

describe('a promotion', () => {
  it('of a deployment by its name says so, and where it runs or ran', async () => {
    const { releases, deploy } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    const promote = (deployment: typeof one) =>
      releases.release({ ...PRODUCTION, deployment, isPromotion: true });
    expect(await promote(one)).toMatchObject({ kind: 'promote', because: `Promote ${one.id}` });
    await releases.release({ ...STAGING, deployment: one });
    await releases.release({ ...STAGING, deployment: two });
    expect(await promote(two)).toMatchObject({
      kind: 'promote',
      because: `Promote ${two.id} from staging v2`,
    });
    expect(await promote(one)).toMatchObject({ because: `Promote ${one.id} from staging v1` });
  });
});
