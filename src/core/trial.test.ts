/** Clients keep their side, and a release on trial is taken back when it does worse, not when it is unlucky. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTally, judge, note, pickSide, type Tally, WINDOW_MS } from './trial.ts';

const TRIAL = { deploymentId: 'shop-00000002', percent: 10 };

describe('pickSide', () => {
  it('sends the share of clients that was asked for, and the same ones again by their cookie', () => {
    const draws = Array.from({ length: 1_000 }, (_, index) => index / 1_000);
    const sides = draws.map((draw) => pickSide('shop-00000001', TRIAL, undefined, draw));
    const onTrial = sides.filter(({ deploymentId }) => deploymentId === TRIAL.deploymentId);
    expect(onTrial).toHaveLength(100);
    for (const { deploymentId, setCookie } of sides) {
      const cookies = `a=b; ${(setCookie ?? '').split(';')[0]}; c=d`;
      for (const draw of [0, 0.999]) {
        const again = pickSide('shop-00000001', TRIAL, cookies, draw);
        expect(again).toEqual({ deploymentId, setCookie: undefined });
      }
    }
  });

  it('moves nobody back when the share grows', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(100), fc.nat(100), (lot, one, other) => {
        const side = (percent: number) =>
          pickSide('old', { deploymentId: 'new', percent }, `berth-lot=${lot}`, 0).deploymentId;
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        if (side(less) === 'new') expect(side(more)).toBe('new');
        expect([side(0), side(100)]).toEqual(['old', 'new']);
      }),
    );
  });

  it.each(['berth-lot=', 'berth-lot=abc', 'berth-lot=123', 'xberth-lot=5', 'x=berth-lot=5', ''])(
    'draws anew for the cookie %j',
    (cookies) => {
      expect(pickSide('old', TRIAL, cookies, 0.5).setCookie).toContain('berth-lot=50;');
    },
  );
});

/** A side that answered so many requests over some seconds before `at`. */
function side(requests: number, errors: number, appMs = 10, at = 100_000): Tally {
  const tally = createTally();
  for (let index = 0; index < requests; index += 1) {
    const isError = index % Math.max(1, Math.floor(requests / Math.max(1, errors))) === 0;
    const counted = isError && index / requests < 1 && errors > 0;
    note(tally, { isError: counted, appMs }, at - 20_000 + (index / requests) * 20_000);
  }
  return tally;
}

describe('judge', () => {
  it.each([
    ['nothing was asked', side(0, 0), side(0, 0), false],
    ['both are well', side(900, 0), side(100, 0), false],
    ['a tenth fails', side(900, 0), side(100, 10), true],
    ['all fails, after a few', side(180, 0), side(20, 20), true],
    ['too few to say', side(90, 0), side(10, 10), false],
    ['one failed by bad luck', side(900, 0), side(100, 1), false],
    ['both fail alike', side(900, 90), side(100, 10), false],
    ['it fails less', side(900, 450), side(100, 10), false],
    ['it fails with nothing beside it', side(0, 0), side(50, 25), true],
    ['it is as slow', side(900, 0, 40), side(100, 0, 60), false],
    ['it is much slower', side(900, 0, 40), side(100, 0, 400), true],
    ['it is twice as slow and still quick', side(900, 0, 1), side(100, 0, 20), false],
  ])('%s', (_, stable, trial, isWorse) => {
    expect(judge(stable, trial, 100_000).isWorse).toBe(isWorse);
  });

  it('says what it saw', () => {
    const { because } = judge(side(900, 0), side(40, 20), 100_000);
    expect(because).toBe(
      '20 of 40 requests (50 %) failed, against 0 of 900 requests (0 %) without it',
    );
  });

  it('forgets what is more than a minute ago', () => {
    const trial = side(50, 50);
    expect(judge(side(500, 0), trial, 100_000).isWorse).toBe(true);
    expect(judge(side(500, 0), trial, 100_000 + WINDOW_MS).isWorse).toBe(false);
  });

  it('hardly ever takes back what is as good, although it is asked each second', () => {
    let worse = 0;
    let state = 7;
    const random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    };
    for (let round = 0; round < 200; round += 1) {
      const [stable, trial] = [createTally(), createTally()];
      let isTakenBack = false;
      for (let second = 0; second < 60; second += 1) {
        for (let request = 0; request < 20; request += 1) {
          const tally = random() < 0.1 ? trial : stable;
          note(tally, { isError: random() < 0.01, appMs: 5 + random() * 10 }, second * 1_000);
        }
        isTakenBack ||= judge(stable, trial, second * 1_000).isWorse;
      }
      if (isTakenBack) worse += 1;
    }
    expect(worse).toBeLessThan(10);
  });
});
