/** Secrets of a team: add, list with who uses them, give a new value, remove; and the key that seals them. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BerthError } from '../core/errors.ts';
import { behind, type SecretUses, type Users, usesOf } from '../core/secret-uses.ts';
import type { SecretVersion } from '../ports/secret-store.ts';
import { actorOf, demand, teamOf, whoOf } from './actor.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import {
  rotated,
  rotatedKey,
  secret,
  secretInput,
  secretParameters,
  secretQuery,
  secretRemoval,
  secretsKey,
  secretVersionInput,
} from './schemas-secrets.ts';
import { toIso } from './wire.ts';

type WireSecret = z.output<typeof secret>;

/** A value of 64 KiB in JSON, all of it escaped. */
const MAX_BODY_BYTES = 512 * 1024;

export function addSecrets(routes: Routes, needs: ApiNeeds): void {
  const { secrets } = needs;

  routes.get(
    '/secrets',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Secrets of a team, by name, with who uses them',
        description:
          'Never their values: those leave only for the processes that need them. With a token for some projects, those that these name.',
        querystring: secretQuery,
        response: { 200: secret.array(), ...problems },
      },
    },
    async (request) => {
      const team = await teamIn(request, request.query.team);
      const [versions, users] = await Promise.all([secrets.list(team), usersIn(request, team)]);
      const all = toWireSecrets(versions, users);
      // A token for some projects is told of what those name: the other names are others' business.
      if (whoOf(request).projects === undefined) return all;
      return all.filter(
        ({ deployments, environments }) => deployments.length + environments.length > 0,
      );
    },
  );

  routes.post(
    '/secrets',
    {
      bodyLimit: MAX_BODY_BYTES,
      config: { verb: 'configure', action: 'secret.added' },
      schema: {
        summary: 'Add a secret',
        querystring: secretQuery,
        body: secretInput,
        response: { 201: secret, ...problems },
      },
    },
    async (request, reply) => {
      const { name, value } = request.body;
      const team = await teamToChange(request, name);
      await secrets.add(team, name, value, actorOf(request));
      return reply.code(201).send(await one(request, team, name));
    },
  );

  routes.post(
    '/secrets/:name/versions',
    {
      bodyLimit: MAX_BODY_BYTES,
      config: { verb: 'configure', action: 'secret.rotated' },
      schema: {
        summary: 'Give a secret a new value',
        description:
          'Deployments keep the version they were made with; what is made later takes the new one.',
        params: secretParameters,
        querystring: secretQuery,
        body: secretVersionInput,
        response: { 201: rotated, ...problems },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const team = await teamToChange(request, name);
      const { version } = await secrets.rotate(team, name, request.body.value, actorOf(request));
      const left = behind(usesOf(name, await usersIn(request, team)), version);
      return reply.code(201).send({
        secret: await one(request, team, name),
        behind: left.map((use) => ({ ...use })),
      });
    },
  );

  routes.delete(
    '/secrets/:name',
    {
      config: { verb: 'configure', action: 'secret.removed' },
      schema: {
        summary: 'Remove a secret with all its versions',
        description: 'Refused while a deployment starts with it, unless forced.',
        params: secretParameters,
        querystring: secretRemoval,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const team = await teamToChange(request, name);
      // A deployment may still name what was removed by force before.
      await one(request, team, name);
      if (request.query.force !== true) {
        refuseInUse(name, usesOf(name, await usersOf(team)));
      }
      await secrets.remove(team, name);
      return reply.code(204).send(null);
    },
  );

  routes.get(
    '/secrets-key',
    {
      config: { verb: 'operate' },
      schema: {
        summary: 'Whether the key file opens what is kept',
        response: { 200: secretsKey, ...problems },
      },
    },
    () => secrets.keyState(),
  );

  routes.post(
    '/secrets-key/rotate',
    {
      config: { verb: 'operate', action: 'secrets.key-rotated' },
      schema: {
        summary: 'Seal all secrets with a new key',
        description: 'The key file is replaced; copies of the old one open nothing from then on.',
        response: { 200: rotatedKey, ...problems },
      },
    },
    async (request) => {
      audited(request, { subject: 'secrets.key' });
      return secrets.rotateKey();
    },
  );

  /** The team that is asked for, else that of the token. Throws FORBIDDEN, TEAM_NOT_FOUND. */
  async function teamIn(request: FastifyRequest, wanted: string | undefined): Promise<string> {
    const team = wanted ?? teamOf(request);
    const absent = () => new BerthError('TEAM_NOT_FOUND', { detail: `There is no team ${team}.` });
    demand(request, 'read', { team }, absent);
    if (!(await needs.store.team(team))) throw absent();
    return team;
  }

  /** Secrets are the whole team's: a token for some of its projects may not change them. Throws FORBIDDEN, TEAM_NOT_FOUND. */
  async function teamToChange(request: FastifyRequest, name: string): Promise<string> {
    const team = await teamIn(request, (request.query as { readonly team?: string }).team);
    audited(request, { subject: name, team });
    const { projects } = whoOf(request);
    if (projects !== undefined) {
      throw new BerthError('FORBIDDEN', {
        detail: `Secrets belong to the whole team, and this token is for ${projects.join(', ')} only.`,
      });
    }
    return team;
  }

  async function usersOf(team: string): Promise<Users> {
    const [deployments, environments, releases] = await Promise.all([
      needs.store.deployments(),
      needs.store.environments(),
      needs.store.currentReleases(),
    ]);
    const isOwn = ({ project }: { readonly project: string }) =>
      needs.access.teamOf(project) === team;
    return {
      deployments: deployments.filter(isOwn),
      environments: environments.filter(isOwn),
      releases: releases.filter(isOwn),
    };
  }

  /** Those that the token may see. */
  async function usersIn(request: FastifyRequest, team: string): Promise<Users> {
    const who = whoOf(request);
    const sees = ({ project }: { readonly project: string }) => needs.access.sees(who, project);
    const { deployments, environments, releases } = await usersOf(team);
    return {
      deployments: deployments.filter(sees),
      environments: environments.filter(sees),
      releases: releases.filter(sees),
    };
  }

  async function one(request: FastifyRequest, team: string, name: string): Promise<WireSecret> {
    const versions = (await secrets.list(team)).filter((entry) => entry.name === name);
    const [found] = toWireSecrets(versions, await usersIn(request, team));
    if (!found) throw new BerthError('SECRET_NOT_FOUND', { detail: `There is no secret ${name}.` });
    return found;
  }
}

/** Throws SECRET_IN_USE with everybody who is in the way. */
function refuseInUse(name: string, { deployments, environments }: SecretUses): void {
  const users = [
    ...environments.map(({ project, environment, release }) => ({
      at: `${project} ${environment}`,
      message: release === undefined ? 'names it in a variable' : `runs with it since v${release}`,
    })),
    ...deployments.map(({ id, version }) => ({
      at: id,
      message: `starts with version ${version}`,
    })),
  ];
  if (users.length === 0) return;
  throw new BerthError('SECRET_IN_USE', {
    detail: `The secret ${name} is in use.`,
    problems: users,
  });
}

/** `versions` are in order of name and version. */
function toWireSecrets(versions: readonly SecretVersion[], users: Users): WireSecret[] {
  return [...Map.groupBy(versions, ({ name }) => name)].flatMap(([name, own]) => {
    const newest = own.at(-1);
    if (!newest) return [];
    const { deployments, environments } = usesOf(name, users);
    return [
      {
        team: newest.team,
        name,
        version: newest.version,
        createdAt: toIso(newest.createdAt),
        createdBy: newest.createdBy,
        versions: own.map(({ version, createdAt, createdBy }) => ({
          version,
          createdAt: toIso(createdAt),
          createdBy,
        })),
        deployments: deployments.map((use) => ({ ...use })),
        environments: environments.map((use) => ({ ...use })),
      },
    ];
  });
}
