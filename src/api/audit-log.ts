/** The audit log: who changed what, newest first. */
import { isVisible } from '../core/permission.ts';
import { AUDIT_LINES } from '../ports/audit.ts';
import { whoOf } from './actor.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { auditEntry, auditQuery } from './schemas-access.ts';
import { toWireAuditEntry } from './wire-access.ts';

export function addAuditLog(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/audit',
    {
      config: { verb: 'audit' },
      schema: {
        summary: 'The audit log, newest first',
        description:
          'Every change and every try that was refused, but not what could not be understood: who, when, with which token, from where. Lines cannot be changed or removed.',
        querystring: auditQuery,
        response: { 200: auditEntry.array(), ...problems },
      },
    },
    async (request) => {
      const who = whoOf(request);
      const { project, team = who.team, since, limit = AUDIT_LINES } = request.query;
      if (team !== undefined && !isVisible(who, { team })) return [];
      const from = Math.max(since === undefined ? 0 : Date.parse(since), await bornAt(who.team));
      const entries = await needs.store.audit({
        limit,
        ...(project === undefined ? {} : { project }),
        ...(who.projects === undefined ? {} : { projects: who.projects }),
        ...(team === undefined ? {} : { team }),
        ...(from === 0 ? {} : { since: from }),
      });
      return entries.map(toWireAuditEntry);
    },
  );

  /** What a removed team of the same name did is not this one's to see; only those for all teams are. */
  async function bornAt(team: string | undefined): Promise<number> {
    return (team === undefined ? undefined : await needs.store.team(team))?.createdAt ?? 0;
  }
}
