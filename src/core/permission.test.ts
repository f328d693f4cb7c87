/** Who may do what, as a table, and what a grant can hand on. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Grant, type Principal, ROLES, VERBS } from './access.ts';
import { decide, isVisible, mayGrant, reaches, verbsOf } from './permission.ts';

const as = (grant: Grant): Principal => ({ name: 'ann', kind: 'token', ...grant });

describe('a role', () => {
  it('may what the table says', () => {
    const member = ['read', 'audit', 'deploy', 'release', 'configure', 'remove'];
    const may = (grant: Grant) =>
      VERBS.filter((verb) => decide(as(grant), verb).kind === 'allowed');
    expect(may({ team: 'blue', role: 'viewer' })).toStrictEqual(['read']);
    expect(may({ team: 'blue', role: 'member' })).toStrictEqual(member);
    expect(may({ team: 'blue', role: 'owner' })).toStrictEqual([...member, 'team']);
    expect(may({ role: 'viewer' })).toStrictEqual(['read', 'metrics']);
    expect(may({ role: 'member' })).toStrictEqual([...member, 'metrics']);
    expect(may({ role: 'owner' })).toStrictEqual([...VERBS]);
    expect(may({ role: 'owner', projects: ['shop'] })).toStrictEqual([...member, 'team']);
  });

  it('says what is missing and who has it', () => {
    const because = (grant: Grant, verb: (typeof VERBS)[number]) => {
      const decision = decide(as(grant), verb);
      return decision.kind === 'forbidden' ? decision.because : decision.kind;
    };
    expect(because({ team: 'blue', role: 'viewer' }, 'deploy')).toBe(
      'ann is viewer of blue; this needs deploy, which members and owners have.',
    );
    expect(because({ team: 'blue', role: 'owner' }, 'operate')).toBe(
      'ann is for team blue; this needs operate, which only those of all teams have.',
    );
    expect(because({ role: 'owner', projects: ['shop'] }, 'operate')).toBe(
      'ann is for shop; this needs operate, which only those of all projects have.',
    );
    expect(because({ team: 'blue', role: 'member', can: ['read'] }, 'deploy')).toBe(
      'The token ann may read; this needs deploy.',
    );
  });

  it('hides what is of another team or outside the projects', () => {
    const who = as({ team: 'blue', role: 'owner', projects: ['shop'] });
    expect(decide(who, 'read', { team: 'blue', project: 'shop' }).kind).toBe('allowed');
    expect(decide(who, 'read', { team: 'red', project: 'shop' }).kind).toBe('hidden');
    expect(decide(who, 'read', { team: 'blue', project: 'toys' }).kind).toBe('hidden');
  });
});

const grant = fc.record(
  {
    team: fc.constantFrom('blue', 'red'),
    role: fc.constantFrom(...ROLES),
    can: fc.subarray([...VERBS]),
    projects: fc.subarray(['shop', 'toys']),
  },
  { requiredKeys: ['role'] },
) as fc.Arbitrary<Grant>;

describe('what somebody hands on', () => {
  it('is never more than they have: no verb, no team, no project', () => {
    fc.assert(
      fc.property(grant, grant, (own, given) => {
        if (mayGrant(as(own), given).kind !== 'allowed') return;
        expect(verbsOf(own)).toContain('team');
        for (const verb of verbsOf(given)) expect(verbsOf(own)).toContain(verb);
        expect(reaches(own, given)).toBe(true);
        for (const team of ['blue', 'red']) {
          for (const project of ['shop', 'toys', 'other']) {
            if (isVisible(given, { team, project })) {
              expect(isVisible(own, { team, project })).toBe(true);
            }
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
