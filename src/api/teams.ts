/** Teams and plans: make, list, change, remove. */
import { z } from 'zod';
import { DEFAULT_TEAM } from '../core/access.ts';
import { aliasName } from '../core/alias.ts';
import { BerthError } from '../core/errors.ts';
import { isVisible } from '../core/permission.ts';
import { DEFAULT_PLAN, PLANS } from '../core/quota.ts';
import { environmentKey } from '../core/route.ts';
import { whoOf } from './actor.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  plan,
  planInput,
  planParameters,
  quotaInput,
  team,
  teamInput,
  teamParameters,
} from './schemas-access.ts';
import { toWireTeam } from './wire-access.ts';

const SHOWN = 20;

export function addTeams(routes: Routes, needs: ApiNeeds): void {
  const { store, access, quotas } = needs;

  routes.get(
    '/teams',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Teams with their plans and what they use now',
        response: { 200: team.array(), ...problems },
      },
    },
    async (request) => {
      const who = whoOf(request);
      const visible = (await store.teams()).filter(({ name }) => isVisible(who, { team: name }));
      return Promise.all(visible.map(({ name }) => wireTeam(name)));
    },
  );

  routes.post(
    '/teams',
    {
      config: { verb: 'operate', action: 'team.added' },
      schema: {
        summary: 'Add a team',
        body: teamInput,
        response: { 201: team, ...problems },
      },
    },
    async (request, reply) => {
      const { name, plan: wanted = DEFAULT_PLAN } = request.body;
      audited(request, { subject: name, team: name, detail: `plan ${wanted}` });
      await needPlan(wanted);
      if (!(await access.addTeam({ name, plan: wanted }))) {
        throw new BerthError('TEAM_EXISTS', { detail: `There is a team ${name} already.` });
      }
      await access.applyPlans();
      return reply.code(201).send(await wireTeam(name));
    },
  );

  routes.put(
    '/teams/:team/plan',
    {
      config: { verb: 'operate', action: 'team.plan-set' },
      schema: {
        summary: 'Put a team on a plan',
        description: 'It applies at once to what begins from now on; what runs already goes on.',
        params: teamParameters,
        body: planInput,
        response: { 200: team, ...problems },
      },
    },
    async (request) => {
      const { team: name } = request.params;
      audited(request, { subject: name, team: name, detail: `plan ${request.body.plan}` });
      await needPlan(request.body.plan);
      if (!(await store.setTeamPlan(name, request.body.plan))) throw noTeam(name);
      await access.applyPlans();
      return wireTeam(name);
    },
  );

  routes.delete(
    '/teams/:team',
    {
      config: { verb: 'operate', action: 'team.removed' },
      schema: {
        summary: 'Remove a team that has nothing deployed, with its tokens and secrets',
        params: teamParameters,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const { team: name } = request.params;
      audited(request, { subject: name, team: name });
      await removeTeam(name);
      return reply.code(204).send(null);
    },
  );

  routes.get(
    '/plans',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Plans and what each allows',
        response: { 200: plan.array(), ...problems },
      },
    },
    async (request) => {
      const teams = await store.teams();
      const who = whoOf(request);
      return [...(await access.plans())].map(([name, quota]) => ({
        name,
        ...quota,
        isPreset: Object.hasOwn(PLANS, name),
        teams: teams
          .filter((one) => one.plan === name && isVisible(who, { team: one.name }))
          .map((one) => one.name),
      }));
    },
  );

  routes.put(
    '/plans/:plan',
    {
      config: { verb: 'operate', action: 'plan.set' },
      schema: {
        summary: 'Add or change a plan of one’s own',
        params: planParameters,
        body: quotaInput,
        response: { 204: z.null().describe('It applies from now on.'), ...problems },
      },
    },
    async (request, reply) => {
      const { plan: name } = request.params;
      const { instances, requests } = request.body;
      const detail = `${instances ?? 'any number of'} instances, ${requests ?? 'any number of'} requests`;
      audited(request, { subject: name, detail });
      needOwn(name);
      await store.putPlan({
        name,
        ...(instances === undefined ? {} : { instances }),
        ...(requests === undefined ? {} : { requests }),
      });
      await access.applyPlans();
      return reply.code(204).send(null);
    },
  );

  routes.delete(
    '/plans/:plan',
    {
      config: { verb: 'operate', action: 'plan.removed' },
      schema: {
        summary: 'Remove a plan of one’s own that no team is on',
        params: planParameters,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const { plan: name } = request.params;
      audited(request, { subject: name });
      needOwn(name);
      const on = (await store.teams()).filter((one) => one.plan === name);
      if (on.length > 0) {
        const detail = `${on.map((one) => one.name).join(', ')} would have no plan.`;
        throw new BerthError('PLAN_IN_USE', { detail });
      }
      if (!(await store.deletePlan(name))) throw noPlan(name);
      return reply.code(204).send(null);
    },
  );

  async function wireTeam(name: string) {
    const found = await store.team(name);
    if (!found) throw noTeam(name);
    return toWireTeam(found, quotas.team(name), (await store.projects({ team: name })).length);
  }

  async function needPlan(name: string): Promise<void> {
    if (!(await access.plans()).has(name)) throw noPlan(name);
  }

  /** Throws TEAM_NOT_FOUND, or TEAM_IN_USE with what is left. */
  async function removeTeam(name: string): Promise<void> {
    if (!(await store.team(name))) throw noTeam(name);
    if (name === DEFAULT_TEAM) {
      throw new BerthError('TEAM_IN_USE', { detail: `The team ${name} always stays.` });
    }
    const projects = await store.projects({ team: name });
    const aliases = (await store.aliases()).filter((one) => one.team === name);
    const left = aliases.map(aliasName);
    for (const { name: project } of projects) {
      const [deployments, environments] = await Promise.all([
        store.deployments({ project }),
        store.environments({ project }),
      ]);
      left.push(...deployments.map(({ id }) => id));
      left.push(...environments.map((one) => environmentKey(project, one.name)));
    }
    if (left.length > 0) {
      throw new BerthError('TEAM_IN_USE', {
        detail: `${left.length} things of ${name} are left.`,
        problems: left.slice(0, SHOWN).map((at) => ({ at, message: 'is left' })),
      });
    }
    await access.removeTeam(name);
  }
}

function needOwn(name: string): void {
  if (Object.hasOwn(PLANS, name)) {
    throw new BerthError('PLAN_IN_USE', { detail: `${name} is a preset.` });
  }
}

function noTeam(name: string): BerthError {
  return new BerthError('TEAM_NOT_FOUND', { detail: `There is no team ${name}.` });
}

function noPlan(name: string): BerthError {
  return new BerthError('PLAN_NOT_FOUND', { detail: `There is no plan ${name}.` });
}
