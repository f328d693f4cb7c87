/** Proves what releases run, what rollbacks mean, and that neither loses anything. */
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { DEFAULT_LIMITS, DEFAULT_SCALE, DEFAULT_SLOT } from './limits.ts';
import type { Configuration, EnvironmentSettings, Release, Scale } from './model.ts';
import {
  baseOf,
  combinedScale,
  configurationWith,
  describeDeed,
  emptySettings,
  isSameContent,
  parseVersion,
  previousRelease,
  readyBeforeSwitch,
  restores,
  rollbackTo,
  scaleOf,
  whatRuns,
} from './release.ts';

const configuration: Configuration = {
  slot: DEFAULT_SLOT,
  limits: DEFAULT_LIMITS,
  scale: DEFAULT_SCALE,
  idle: 'freeze',
  env: { A: '1', B: '2' },
  buildEnv: {},
};

const variables = fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('1', '2', ''));
const scale = fc
  .tuple(fc.nat(5), fc.nat(5))
  .map(([min, more]): Scale => ({ min, max: min + more }));
const settingsArbitrary: fc.Arbitrary<EnvironmentSettings> = fc
  .record(
    {
      variables,
      limits: fc.constantFrom({}, { durationMs: 1_000 }, { maxConcurrentReqs: 1 }),
      scale,
    },
    { requiredKeys: ['variables', 'limits'] },
  )
  .map((drawn) => structuredClone(drawn));

describe('what a release runs', () => {
  it('is the base itself exactly when settings and secrets change nothing', () => {
    fc.assert(
      fc.property(
        settingsArbitrary,
        fc.constantFrom({}, { key: 1 }, { key: 2 }),
        (settings, secrets) => {
          const runs = whatRuns({ configuration, secrets: { key: 1 } }, settings, secrets);
          const laid = configurationWith(configuration, settings);
          const isSame =
            JSON.stringify(secrets) === '{"key":1}' &&
            Object.entries(settings.variables).every(
              ([name, value]) => configuration.env[name] === value,
            ) &&
            Object.entries(settings.limits).length === 0;
          expect(runs).toStrictEqual(
            isSame ? { kind: 'base' } : { kind: 'derived', configuration: laid, secrets },
          );
        },
      ),
    );
  });

  it('has every variable of the environment, and the base’s own where that says nothing', () => {
    const laid = configurationWith(configuration, { variables: { B: '3', C: '4' }, limits: {} });
    expect(laid.env).toStrictEqual({ A: '1', B: '3', C: '4' });
  });

  it('does not change with scale, which belongs to the pointer', () => {
    fc.assert(
      fc.property(scale, (drawn) => {
        expect(whatRuns({ configuration }, { ...emptySettings, scale: drawn }, {}).kind).toBe(
          'base',
        );
      }),
    );
  });

  it('is based on what was deployed, not on what another environment made of it', () => {
    expect(baseOf({ id: 'shop-1' })).toBe('shop-1');
    expect(baseOf({ id: 'shop-2', derivedFrom: 'shop-1' })).toBe('shop-1');
  });
});

function aRelease(number: number, changes: Partial<Release> = {}): Release {
  return {
    project: 'shop',
    environment: 'production',
    number,
    kind: 'deploy',
    state: 'superseded',
    baseId: `shop-${number}`,
    deploymentId: `shop-${number}`,
    settings: emptySettings,
    secrets: {},
    because: '',
    createdAt: number,
    createdBy: 'local',
    ...changes,
  };
}

/** A history as it can arise, newest first: numbers fall, the newest that took traffic is current. */
const historyArbitrary = fc
  .array(
    fc.record({
      base: fc.constantFrom('shop-a', 'shop-b'),
      settings: settingsArbitrary,
      isFailed: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((drawn) => {
    const releases = drawn.map(({ base, settings, isFailed }, index) =>
      aRelease(index + 1, {
        baseId: base,
        deploymentId: base,
        settings,
        state: isFailed ? 'failed' : 'superseded',
      }),
    );
    const newest = releases.findLastIndex(({ state }) => state === 'superseded');
    return releases
      .map((one, index): Release => (index === newest ? { ...one, state: 'current' } : one))
      .toReversed();
  });

describe('a rollback without a number', () => {
  it('means the newest earlier one that took traffic and was different', () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const current = history.find(({ state }) => state === 'current');
        const target = previousRelease(current, history);
        const fitting = history.filter(
          (one) => current && one.state === 'superseded' && !isSameContent(one, current),
        );
        if (target.kind === 'none') expect(fitting).toStrictEqual([]);
        else expect(target.release).toBe(fitting[0]);
      }),
    );
  });

  it('done twice is forth again', () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const current = history.find(({ state }) => state === 'current');
        const target = previousRelease(current, history);
        if (!current || target.kind === 'none') return;
        const back = aRelease(99, {
          ...restores(target.release),
          kind: 'rollback',
          state: 'current',
        });
        const after = [
          back,
          ...history.map((one) =>
            one === current ? { ...one, state: 'superseded' as const } : one,
          ),
        ];
        const again = previousRelease(back, after);
        expect(again.kind === 'found' && isSameContent(again.release, current)).toBe(true);
      }),
    );
  });

  it('restores deployment, settings with scale and limits, and secrets together', () => {
    const settings = {
      variables: { A: '@key' },
      limits: { timeoutMs: 5 },
      scale: { min: 1, max: 2 },
    };
    const old = aRelease(1, { settings, secrets: { key: 3 }, deploymentId: 'shop-x' });
    expect(restores(old)).toStrictEqual({
      baseId: 'shop-1',
      deploymentId: 'shop-x',
      settings,
      secrets: { key: 3 },
    });
  });

  it('has nothing to go to before the first release, or when all were alike', () => {
    expect(previousRelease(undefined, [])).toMatchObject({ kind: 'none' });
    const same = { baseId: 'shop-a', deploymentId: 'shop-a' };
    const current = aRelease(2, { ...same, state: 'current' });
    expect(previousRelease(current, [current, aRelease(1, same)])).toMatchObject({ kind: 'none' });
  });
});

test('a rollback with a number takes only what took traffic, and not what does', () => {
  const current = aRelease(5, { state: 'current' });
  expect(rollbackTo(current, aRelease(3))).toMatchObject({ kind: 'found', release: { number: 3 } });
  for (const state of ['failed', 'preparing', 'trial'] as const)
    expect(rollbackTo(current, aRelease(3, { state }))).toMatchObject({ kind: 'none' });
  expect(rollbackTo(current, current)).toMatchObject({ because: 'v5 is current.' });
});

describe('scale', () => {
  it('of several environments keeps what each of them asks for', () => {
    fc.assert(
      fc.property(fc.array(scale, { minLength: 1, maxLength: 5 }), (scales) => {
        const all = combinedScale(scales);
        for (const { min, max } of scales) {
          expect(all?.min).toBeGreaterThanOrEqual(min);
          expect(all?.max).toBeGreaterThanOrEqual(max);
        }
        expect(scales.some(({ min }) => min === all?.min)).toBe(true);
        expect(scales.some(({ max }) => max === all?.max)).toBe(true);
      }),
    );
    expect(combinedScale([])).toBeUndefined();
  });

  it('is the environment’s own, else the deployment’s; previews keep none awake', () => {
    const eager = { scale: { min: 2, max: 4 } };
    expect(scaleOf('production', emptySettings, eager)).toStrictEqual({ min: 2, max: 4 });
    expect(scaleOf('preview/cart', emptySettings, eager)).toStrictEqual({ min: 0, max: 4 });
    const own = { ...emptySettings, scale: { min: 1, max: 1 } };
    expect(scaleOf('preview/cart', own, eager)).toStrictEqual({ min: 1, max: 1 });
  });

  it('before a switch is what is busy or kept, at least one, never more than allowed', () => {
    fc.assert(
      fc.property(fc.nat(20), scale, (busy, drawn) => {
        const ready = readyBeforeSwitch(busy, drawn);
        expect(ready).toBeGreaterThanOrEqual(1);
        expect(ready).toBeLessThanOrEqual(Math.max(1, drawn.max));
        if (busy <= drawn.max) expect(ready).toBeGreaterThanOrEqual(busy);
        if (drawn.max > 0) expect(ready).toBeGreaterThanOrEqual(drawn.min);
      }),
    );
  });
});

test('a line says what was done, and why, and never the value of a variable', () => {
  expect(describeDeed({ kind: 'deploy', baseId: 'shop-1' }, 'mends the cart')).toBe(
    'Deploy shop-1: mends the cart',
  );
  const from = { environment: 'staging', number: 4 };
  expect(describeDeed({ kind: 'promote', baseId: 'shop-1', from })).toBe(
    'Promote shop-1 from staging v4',
  );
  expect(describeDeed({ kind: 'rollback', to: 3 })).toBe('Rollback to v3');
  const to = {
    variables: { NEW: 'hidden', KEPT: 'same' },
    limits: { durationMs: 60_000 },
    scale: { min: 1, max: 5 },
  };
  const before = { variables: { OLD: 'hidden', KEPT: 'same' }, limits: {} };
  expect(describeDeed({ kind: 'settings', from: before, to })).toBe(
    'Set NEW; Remove OLD; Scale to 1–5 instances; Limit duration to 60 s',
  );
});

test('versions are read with and without their letter', () => {
  expect(['v12', '12', 'v0', 'v', '1.5', 'shop-1', 'v-1'].map(parseVersion)).toStrictEqual([
    12,
    12,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
