/** Projects: list, make and remove, and which deployment something would be in one of them. */
import { checkSlot, toConfiguration } from '../config/schema.ts';
import { BerthError } from '../core/errors.ts';
import type { Deployment } from '../core/model.ts';
import { baseOf } from '../core/release.ts';
import { makeProject, whoOf } from './actor.ts';
import { audited } from './audit.ts';
import { find } from './find.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { removeProject } from './remove-project.ts';
import { identified, identifyInput, project, projectInput, projectRemoved } from './schemas.ts';
import { projectParameters } from './schemas-releases.ts';
import { withAliasesQuery } from './with-aliases.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

export function addProjects(routes: Routes, needs: ApiNeeds): void {
  const { access, deployer, store } = needs;

  routes.get(
    '/projects',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Projects by name, and the team of each',
        response: { 200: project.array(), ...problems },
      },
    },
    async (request) => {
      const who = whoOf(request);
      const seen = (await store.projects()).filter(({ name }) => access.sees(who, name));
      return seen.map(({ name, team }) => ({ name, team }));
    },
  );

  routes.post(
    '/projects',
    {
      config: { verb: 'deploy', action: 'project.created' },
      schema: {
        summary: 'Make a project, unless the team has it',
        description: 'A first deploy does that by itself.',
        body: projectInput,
        response: { 200: project, ...problems },
      },
    },
    async (request) => {
      const { project: name, team } = request.body;
      audited(request, { subject: name, project: name });
      await makeProject(request, needs, name, team);
      return { name, team: access.teamOf(name) };
    },
  );

  routes.delete(
    '/projects/:project',
    {
      config: { verb: 'remove', action: 'project.removed' },
      schema: {
        summary: 'Remove a project with everything in it',
        description:
          'Its environments with their history and variables, its deployments with their images and logs, and its name. The audit log and the secrets of the team stay. Refused while an alias leads to it.',
        params: projectParameters,
        querystring: withAliasesQuery,
        response: { 200: projectRemoved, ...problems },
      },
    },
    async (request) => {
      const { project: name } = request.params;
      // Afterwards nobody can say whose it was.
      const facts = { subject: name, project: name, team: access.teamOf(name) };
      audited(request, facts);
      const removed = await removeProject(needs, name, request.query.withAliases);
      const { deployments, environments, aliases } = removed;
      const detail = `${deployments} deployments, ${environments} environments, ${aliases} aliases`;
      audited(request, { ...facts, detail });
      return { name, ...removed };
    },
  );

  routes.post(
    '/projects/:project/identify',
    {
      bodyLimit: MAX_BODY_BYTES,
      config: { verb: 'deploy', action: { none: 'it only looks: nothing is made or changed' } },
      schema: {
        summary: 'Which deployment a folder or an image would be, without making it',
        description: 'The manifest of a folder has to be announced; its files are not needed.',
        params: projectParameters,
        body: identifyInput,
        response: { 200: identified, ...problems },
      },
    },
    async (request) => {
      const { project: name } = request.params;
      const { source } = request.body;
      if (source.kind === 'deployment') {
        const found = await find(request, needs, source.name, 'one');
        if (found.project === name) return standing(found);
        const detail = `${found.id} belongs to ${found.project}, not to ${name}.`;
        throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail });
      }
      const configuration = toConfiguration(request.body.configuration);
      const { cores, memoryMiB } = needs.facts();
      checkSlot(configuration.slot, { cpus: cores, memoryMiB });
      const sees = (one: string) => access.sees(whoOf(request), one);
      const id = await deployer.identify({ project: name, configuration, source, sees });
      const there = await store.deployment(id);
      return there ? standing(there) : { deployment: id, isReady: false };
    },
  );

  /** What an environment that it is released to would have as its base. */
  async function standing(deployment: Deployment) {
    const base = (await store.deployment(baseOf(deployment))) ?? deployment;
    const isReady = base.state === 'ready' && (await deployer.hasImage(base));
    return { deployment: base.id, isReady };
  }
}
