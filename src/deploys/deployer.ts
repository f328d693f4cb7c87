/** All deploys of this server: admitted once per identity, run, followed, continued after a restart, removed. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { deploymentIdFrom, identityText } from '../core/identity.ts';
import type {
  Configuration,
  Deployment,
  DeploymentId,
  Image,
  SecretVersions,
  Source,
} from '../core/model.ts';
import type { Derivation, Derivations } from '../ports/derivation.ts';
import { dockerfileOf } from './build.ts';
import { derivedDeployment, failureOf, idOfDerived, imageGone } from './derived.ts';
import type { Examined } from './folder-work.ts';
import { imageFor } from './image-for.ts';
import { createLanes } from './lanes.ts';
import type { DeploysNeeds } from './needs.ts';
import { createJournal } from './progress.ts';
import type { Journal, ProgressEvent } from './progress.ts';
import { recount } from './recount.ts';
import { removeDeployment } from './remove.ts';
import { runDeploy } from './run.ts';
import { why } from './why.ts';
import { createTurns } from './turns.ts';

export interface DeployRequest {
  readonly project: string;
  readonly configuration: Configuration;
  readonly source:
    | { readonly kind: 'folder'; readonly manifest: string }
    | { readonly kind: 'image'; readonly reference: string };
  readonly createdBy: string;
  /** Whether who asks may see a project: of images that were built here only those of such are found. */
  readonly sees: (project: string) => boolean;
  /** Called when nothing is left that could refuse it, but for this itself, and the deployment is going to be written. */
  readonly beforeWriting?: () => Promise<void>;
}

/** What a deployment's name follows from. */
export type Identified = Omit<DeployRequest, 'createdBy' | 'beforeWriting'>;

/** `ready`: it was there already. `started`: work is under way, begun by this request or an earlier one. */
export interface Deployed {
  readonly kind: 'ready' | 'started';
  readonly deployment: Deployment;
}

export interface Deployer extends Derivations {
  /**
   * Throws before anything is written when it cannot work: UPLOAD_INCOMPLETE, NO_DOCKERFILE, DISK_FULL, IMAGE_NOT_FOUND,
   * SECRET_NOT_FOUND, DOCKERFILE_…, SHUTTING_DOWN. Everything after that is the deployment's own failure.
   */
  deploy(request: DeployRequest): Promise<Deployed>;
  /** Which deployment it would be; nothing is made. Throws what `deploy` throws before it looks at the files. */
  identify(request: Identified): Promise<DeploymentId>;
  /** Every event of the latest deploy of this id from its start, until its end, the server's, or `signal` aborts. */
  follow(
    id: DeploymentId,
    onEvent: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** The deployment with its instances, logs and output; what others may use as well is left to clean-up. */
  removeRow(deployment: Deployment): Promise<void>;
  /** Those that are worked on right now. */
  underWay(): ReadonlySet<DeploymentId>;
  isBuilding(): boolean;
  /** Does the work while no build runs and none can begin; false, with nothing done, when one runs. */
  whileNoBuild(work: () => Promise<void>): Promise<boolean>;
  /** The folder of a build that no deployment has. */
  discardBuild(id: DeploymentId): Promise<void>;
  /** Goes on with unfinished deploys. Once, at the start. */
  resume(): Promise<void>;
  /** Leaves running builds to themselves: the next start follows them. */
  close(): Promise<void>;
}

/** A deploy under way. */
interface Work {
  readonly journal: Journal<ProgressEvent>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** What a source is once looked at: enough to name the deployment. */
type Looked = {
  readonly id: DeploymentId;
  readonly source: Source;
  readonly secrets: SecretVersions;
} & ({ readonly image: Image } | { readonly examined: Examined });

/** Why a deploy was stopped: its deployment is going. The other reason is the end of the server. */
const REMOVED = Symbol('removed');

/** Longer ones are not parsed here, in bytes. */
const MAX_DOCKERFILE_BYTES = 64 * 1024;

export function createDeployer(needs: DeploysNeeds): Deployer {
  const { store, engine, fleet, blobs, folders, clock } = needs;
  const buildNeeds = {
    ...needs,
    lanes: createLanes(needs.buildsAtOnce),
  };
  const works = new Map<DeploymentId, Work>();
  const turns = createTurns();
  const closing = new AbortController();

  function start(deployment: Deployment, isResumed: boolean): void {
    const journal = createJournal<ProgressEvent>();
    const stop = new AbortController();
    const done = runDeploy(buildNeeds, deployment, isResumed, journal, stop.signal)
      .then(
        () => undefined,
        (error: unknown) =>
          needs.reporter.report('error', 'deploy.broken', { id: deployment.id, error: why(error) }),
      )
      .finally(() => {
        works.delete(deployment.id);
        if (stop.signal.reason === REMOVED)
          journal.append({ kind: 'end', deployment: asRemoved(deployment) });
        journal.close();
      });
    works.set(deployment.id, { journal, stop, done });
  }

  async function admit(request: DeployRequest, looked: Looked): Promise<Deployed> {
    const existing = await store.deployment(looked.id);
    if (existing && works.has(looked.id)) return { kind: 'started', deployment: existing };
    if (existing?.state === 'ready') {
      if (existing.image && (await engine.hasImage(existing.image.id)))
        return { kind: 'ready', deployment: existing };
      // Its image was taken away by someone: made again under the same name.
      await fleet.remove(existing.id);
    }
    if ('examined' in looked) await checkFolder(request, looked.examined);
    const deployment: Deployment = {
      id: looked.id,
      project: request.project,
      source: looked.source,
      configuration: request.configuration,
      ...(Object.keys(looked.secrets).length > 0 ? { secrets: looked.secrets } : {}),
      ...('image' in looked ? { state: 'verifying', image: looked.image } : { state: 'building' }),
      createdAt: clock.now(),
      createdBy: request.createdBy,
    };
    await request.beforeWriting?.();
    if (existing) await store.updateDeployment(deployment);
    else await store.insertDeployment(deployment);
    needs.directory.note(deployment);
    start(deployment, false);
    return { kind: 'started', deployment };
  }

  /** Begins to make it unless it is there or under way. Throws IMAGE_GONE. */
  async function beginDerived(derivation: Derivation): Promise<Deployment> {
    const deployment = derivedDeployment(derivation, clock.now());
    const existing = await store.deployment(deployment.id);
    if (existing && works.has(existing.id)) return existing;
    if (existing?.state === 'ready') {
      if (await hasImage(existing)) return existing;
      // The base may have been built again meanwhile: the same under the same name, with another image.
      if (await hasImage(derivation.base)) await fleet.remove(existing.id);
    }
    if (!(await hasImage(derivation.base))) throw imageGone(derivation.base);
    if (existing) await store.updateDeployment(deployment);
    else await store.insertDeployment(deployment);
    needs.directory.note(deployment);
    start(deployment, false);
    return deployment;
  }

  async function hasImage({ image }: Deployment): Promise<boolean> {
    return image !== undefined && engine.hasImage(image.id);
  }

  async function look(request: Identified): Promise<Looked> {
    const secrets = await needs.secrets.pin(request.project, request.configuration.env);
    if (request.source.kind === 'image') {
      const image = await imageFor(needs, request.source.reference, request.sees);
      const id = idOf(request, { kind: 'image', imageId: image.id }, secrets);
      return { id, source: request.source, secrets, image };
    }
    const { manifest } = request.source;
    const examined = await folders.examine(manifest, dockerfileOf(request));
    const { files, bytes } = examined;
    return {
      id: idOf(request, { kind: 'folder', manifest }, secrets),
      secrets,
      source: { kind: 'folder', manifest, files, bytes },
      examined,
    };
  }

  /** Everything about a folder that can be refused while the person still waits for the first answer. */
  async function checkFolder(request: DeployRequest, examined: Examined): Promise<void> {
    const { missing, missingCount, file } = examined;
    if (missingCount > 0) {
      throw new BerthError('UPLOAD_INCOMPLETE', {
        detail: `${missingCount} of ${examined.files} files were not uploaded.`,
        problems: missing.map((sha256) => ({ at: sha256, message: 'not uploaded' })),
      });
    }
    const path = dockerfileOf(request);
    if (!file) {
      throw new BerthError('NO_DOCKERFILE', { detail: `The folder has no file ${path}.` });
    }
    // Parsing takes milliseconds on the thread that serves requests: only what may hold a heredoc is parsed, for of that the
    // builder says nothing helpful. All else it says better itself.
    const text = file.bytes > MAX_DOCKERFILE_BYTES ? '' : await blobs.readText(file.sha256);
    if (text?.includes('<<')) needs.checkDockerfile(text, path);
  }

  /** Not while its turn is held: making room may remove an earlier try of the same deployment. */
  async function makeRoom(looked: Looked): Promise<void> {
    if (!('examined' in looked) || works.has(looked.id)) return;
    const existing = await store.deployment(looked.id);
    if (existing?.state !== 'ready') await needs.room({ wantedBytes: looked.examined.bytes });
  }

  const removeRow = (deployment: Deployment) =>
    turns.take(deployment.id, async () => {
      const work = works.get(deployment.id);
      if (work) {
        work.stop.abort(REMOVED);
        // The boot of a verification ends when its instances go; a build when it is discarded.
        await Promise.all([fleet.remove(deployment.id), needs.builder.discard(deployment.id)]);
        await work.done;
      }
      await removeDeployment(needs, deployment);
    });

  async function follow(
    id: DeploymentId,
    onEvent: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const work = works.get(id);
    if (!work) {
      await recount(needs, id, onEvent, signal);
      return;
    }
    for (let index = 0; ; index += 1) {
      const event = await work.journal.at(index, signal);
      if (!event) return;
      onEvent(event);
      if (event.kind === 'step' && event.name === 'build' && event.state === 'running') {
        const tell = (text: string) => onEvent({ kind: 'line', text });
        await needs.builder.follow(id, tell, AbortSignal.any([signal, work.stop.signal]));
      }
    }
  }

  return {
    async deploy(request) {
      const looked = await look(request);
      await makeRoom(looked);
      return turns.take(looked.id, async () => {
        if (closing.signal.aborted) throw new BerthError('SHUTTING_DOWN');
        return admit(request, looked);
      });
    },

    identify: async (request) => (await look(request)).id,
    idOf: idOfDerived,
    hasImage,

    async derive(derivation, signal) {
      const begun = await turns.take(idOfDerived(derivation), async () => {
        if (closing.signal.aborted) throw new BerthError('SHUTTING_DOWN');
        return beginDerived(derivation);
      });
      if (begun.state === 'ready') return begun;
      const lines: string[] = [];
      let ended: Deployment | undefined;
      await follow(
        begun.id,
        (event) => {
          if (event.kind === 'line') lines.push(event.text);
          if (event.kind === 'end') ended = event.deployment;
        },
        signal,
      );
      if (ended?.state === 'ready') return ended;
      if (!ended) throw new BerthError('SHUTTING_DOWN');
      throw failureOf(ended, lines);
    },

    follow,

    async remove(deployment) {
      await removeRow(deployment);
      await needs.clear();
    },

    removeRow,
    underWay: () => new Set(works.keys()),
    isBuilding: () => buildNeeds.lanes.isBusy(),

    async whileNoBuild(work) {
      const leave = buildNeeds.lanes.takeAll();
      if (!leave) return false;
      try {
        await work();
      } finally {
        leave();
      }
      return true;
    },

    async discardBuild(id) {
      await needs.builder.discard(id);
      await rm(join(needs.buildsFolder, id), { recursive: true, force: true });
    },

    async resume() {
      for (const deployment of await store.deployments({ states: ['building', 'verifying'] })) {
        needs.reporter.report('info', 'deploy.resumed', {
          id: deployment.id,
          state: deployment.state,
        });
        start(deployment, true);
      }
    },

    async close() {
      closing.abort();
      const underWay = [...works.values()];
      for (const work of underWay) work.stop.abort();
      await Promise.all(underWay.map((work) => work.done));
    },
  };
}

function idOf(
  request: Identified,
  source: Parameters<typeof identityText>[1],
  secrets: SecretVersions,
): DeploymentId {
  const text = identityText(request.project, source, request.configuration, secrets);
  return deploymentIdFrom(request.project, createHash('sha256').update(text).digest('hex'));
}

/** What followers of a deploy hear when it was removed meanwhile. */
function asRemoved(deployment: Deployment): Deployment {
  const failure = { code: 'DEPLOY_INTERRUPTED', detail: 'The deployment was removed meanwhile.' };
  return { ...deployment, state: 'failed', failure };
}
