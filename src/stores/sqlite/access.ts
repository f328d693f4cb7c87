/** Teams, projects, tokens, invitations and plans on SQLite: each method one statement or one transaction. */
import type { Kysely } from 'kysely';
import type { Grant, Invitation, Token } from '../../core/access.ts';
import type { AccessStore, NamedPlan } from '../../ports/access-store.ts';
import type { GrantColumns, InvitationRow, PlanRow, Tables, TokenRow } from './schema.ts';

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteAccess(open: () => Kysely<Tables>): AccessStore {
  return {
    async insertTeam({ name, plan, createdAt }) {
      const { numInsertedOrUpdatedRows } = await open()
        .insertInto('teams')
        .values({ name, plan, created_at: createdAt })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async team(name) {
      const row = await open()
        .selectFrom('teams')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst();
      return row && { name: row.name, plan: row.plan, createdAt: row.created_at };
    },
    async teams() {
      const rows = await open().selectFrom('teams').selectAll().orderBy('name').execute();
      return rows.map(({ name, plan, created_at }) => ({ name, plan, createdAt: created_at }));
    },
    async setTeamPlan(name, plan) {
      const { numUpdatedRows } = await open()
        .updateTable('teams')
        .set({ plan })
        .where('name', '=', name)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    deleteTeam: (name) =>
      open()
        .transaction()
        .execute(async (transaction) => {
          const project = await transaction
            .selectFrom('projects')
            .select('name')
            .where('team', '=', name)
            .executeTakeFirst();
          if (project) return false;
          await transaction.deleteFrom('tokens').where('team', '=', name).execute();
          await transaction.deleteFrom('invitations').where('team', '=', name).execute();
          const { numDeletedRows } = await transaction
            .deleteFrom('teams')
            .where('name', '=', name)
            .executeTakeFirst();
          return numDeletedRows === 1n;
        }),

    async claimProject({ name, team, createdAt }) {
      // An update that changes nothing makes `returning` give the row of whoever came first.
      const row = await open()
        .insertInto('projects')
        .values({ name, team, created_at: createdAt })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((of) => ({ name: of.ref('projects.name') })),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      return { name: row.name, team: row.team, createdAt: row.created_at };
    },
    async project(name) {
      const row = await open()
        .selectFrom('projects')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst();
      return row && { name: row.name, team: row.team, createdAt: row.created_at };
    },
    async projects({ team } = {}) {
      let query = open().selectFrom('projects').selectAll().orderBy('name');
      if (team !== undefined) query = query.where('team', '=', team);
      const rows = await query.execute();
      return rows.map((row) => ({ name: row.name, team: row.team, createdAt: row.created_at }));
    },
    async deleteProject(name) {
      await open().deleteFrom('projects').where('name', '=', name).execute();
    },

    async insertToken(token) {
      const { numInsertedOrUpdatedRows } = await open()
        .insertInto('tokens')
        .values(tokenToRow(token))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },
    async tokenByHash(hash) {
      const row = await open()
        .selectFrom('tokens')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst();
      return row && tokenFromRow(row);
    },
    async tokens({ team } = {}) {
      let query = open().selectFrom('tokens').selectAll().orderBy('created_at').orderBy('id');
      if (team !== undefined) query = query.where('team', '=', team);
      return (await query.execute()).map(tokenFromRow);
    },
    async noteTokenUse(id, at) {
      await open().updateTable('tokens').set({ last_used_at: at }).where('id', '=', id).execute();
    },
    async deleteToken(id) {
      const { numDeletedRows } = await open()
        .deleteFrom('tokens')
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },

    async insertInvitation(invitation) {
      await open().insertInto('invitations').values(invitationToRow(invitation)).execute();
    },
    async invitations(now) {
      const rows = await open()
        .selectFrom('invitations')
        .selectAll()
        .where('expires_at', '>', now)
        .orderBy('created_at')
        .orderBy('hash')
        .execute();
      return rows.map(invitationFromRow);
    },
    async redeemInvitation(hash, now) {
      const row = await open()
        .deleteFrom('invitations')
        .where('hash', '=', hash)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst();
      return row && invitationFromRow(row);
    },

    async putPlan({ name, instances = null, requests = null }) {
      await open()
        .insertInto('plans')
        .values({ name, instances, requests })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ instances, requests }))
        .execute();
    },
    async plans() {
      return (await open().selectFrom('plans').selectAll().orderBy('name').execute()).map(
        planFromRow,
      );
    },
    async deletePlan(name) {
      const { numDeletedRows } = await open()
        .deleteFrom('plans')
        .where('name', '=', name)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
  };
}

/** Lists are words without spaces; an empty list is an empty text, and no list is null. */
function grantToRow({ team, role, can, projects }: Grant): GrantColumns {
  return {
    team: team ?? null,
    role,
    can: can?.join(' ') ?? null,
    projects: projects?.join(' ') ?? null,
  };
}

function grantFromRow({ team, role, can, projects }: GrantColumns): Grant {
  return {
    role,
    ...(team !== null && { team }),
    ...(can !== null && { can: words(can) as Grant['can'] & object }),
    ...(projects !== null && { projects: words(projects) }),
  };
}

function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}

function tokenToRow(token: Token): TokenRow {
  const { id, name, kind, hash, createdAt, createdBy, expiresAt, lastUsedAt } = token;
  return {
    id,
    name,
    kind,
    hash,
    ...grantToRow(token),
    created_at: createdAt,
    created_by: createdBy,
    expires_at: expiresAt ?? null,
    last_used_at: lastUsedAt ?? null,
  };
}

function tokenFromRow(row: TokenRow): Token {
  const { id, name, kind, hash } = row;
  return {
    id,
    name,
    kind,
    hash,
    ...grantFromRow(row),
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  };
}

function invitationToRow(invitation: Invitation): InvitationRow {
  const { name, hash, createdAt, createdBy, expiresAt } = invitation;
  return {
    name,
    hash,
    ...grantToRow(invitation),
    created_at: createdAt,
    created_by: createdBy,
    expires_at: expiresAt,
  };
}

function invitationFromRow(row: InvitationRow): Invitation {
  const { name, hash } = row;
  return {
    name,
    hash,
    ...grantFromRow(row),
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
  };
}

function planFromRow({ name, instances, requests }: PlanRow): NamedPlan {
  return {
    name,
    ...(instances !== null && { instances }),
    ...(requests !== null && { requests }),
  };
}
