/** The contract of `ports/audit.ts` as tests, called by the contract of the store. */
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../core/model.ts';
import type { OpenedStore } from './store.contract.ts';

const bare: AuditEntry = {
  at: 1_795_252_808_349.5,
  actor: 'local',
  action: 'deployment.removed',
  subject: 'shop-1a2b3c4d',
  team: 'default',
  detail: '',
};
const full: AuditEntry = {
  ...bare,
  actor: 'ci',
  detail: "it's\n🛥",
  project: 'shop',
  failure: 'FORBIDDEN',
  token: 't1',
  address: '127.0.0.1',
};

export function auditContract(name: string, fresh: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the audit log`, () => {
    it('newest first, with and without the optional facts', async () => {
      const { store } = await fresh();
      expect(await store.audit()).toStrictEqual([]);
      await store.appendAudit(bare);
      await store.appendAudit(full);
      await store.appendAudit(bare);
      expect(await store.audit()).toStrictEqual([bare, full, bare]);
    });

    it('of one team, of one project, since a time, and not more lines than asked for', async () => {
      const { store } = await fresh();
      for (let at = 1; at <= 6; at += 1) {
        const project = at % 2 ? 'odd' : 'even';
        await store.appendAudit({ ...bare, at, team: at > 3 ? 'late' : 'early', project });
      }
      const times = async (filter: Parameters<typeof store.audit>[0]) =>
        (await store.audit(filter)).map(({ at }) => at);
      expect(await times({ team: 'early' })).toStrictEqual([3, 2, 1]);
      expect(await times({ project: 'even' })).toStrictEqual([6, 4, 2]);
      expect(await times({ projects: ['odd', 'none'] })).toStrictEqual([5, 3, 1]);
      expect(await times({ projects: [] })).toStrictEqual([]);
      expect(await times({ since: 5 })).toStrictEqual([6, 5]);
      expect(await times({ project: 'odd', limit: 1 })).toStrictEqual([5]);
    });

    it('in the order they were given when many are added at once', async () => {
      const { store } = await fresh();
      const added = Array.from({ length: 150 }, (_, index) => ({ ...bare, subject: `${index}` }));
      await Promise.all(added.map((entry) => store.appendAudit(entry)));
      expect(await store.audit()).toStrictEqual(added.toReversed().slice(0, 100));
      expect(await store.audit({ limit: 1_000 })).toStrictEqual(added.toReversed());
      expect(await store.audit({ limit: 101 })).toStrictEqual(added.toReversed().slice(0, 101));
    });
  });
}
