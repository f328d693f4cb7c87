/** An engine without containers: tests, the simulator and work on the dashboard use it, with knobs for what goes wrong. */
import { BerthError } from '../../core/errors.ts';
import type { Image, InstanceId } from '../../core/model.ts';
import type { PeerConnection } from '../../core/unread.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Engine,
  EngineEvent,
  EngineInstance,
  EngineState,
  Exit,
  InstanceSpec,
  ListeningPort,
} from '../../ports/engine.ts';

/** The verbs that can be slow or refused. */
export type Verb = 'create' | 'park' | 'start' | 'freeze' | 'thaw' | 'stop' | 'remove' | 'list';

/** How the world behaves. The object may be changed, or its functions may draw from a seed. */
export interface MemoryKnobs {
  /** How long a verb takes, in ms. */
  delayMs(verb: Verb): number;
  /** The engine refuses this call. */
  refuses(verb: Verb, id: InstanceId | undefined): boolean;
  /** From exec until the app listens, in ms; undefined: it never does. */
  listensAfterMs(id: InstanceId): number | undefined;
  /** How the app ends while booting, if it does. */
  exitsOnBoot(id: InstanceId): Exit | undefined;
  /** This event is lost on the way. */
  losesEvent(event: EngineEvent): boolean;
  /** What an instance holds, in bytes. */
  heldBytes(id: InstanceId, state: EngineState): number;
  /** What the kernel would say of its connections. */
  connections(id: InstanceId): readonly PeerConnection[];
}

export const CALM: MemoryKnobs = {
  delayMs: () => 0,
  refuses: () => false,
  listensAfterMs: () => 0,
  exitsOnBoot: () => undefined,
  losesEvent: () => false,
  heldBytes: (_id, state) => (state === 'parked' ? 2 : 8) * 1024 * 1024,
  connections: () => [],
};

/** What answers for an instance: a real server, or nothing but an address. */
export interface MemoryApp {
  readonly host: string;
  readonly ports: readonly ListeningPort[];
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

export interface MemoryEngineOptions {
  readonly clock: Clock;
  readonly knobs?: MemoryKnobs;
  /** Called when an instance is executed; absent: instances have an address where nothing listens. */
  readonly run?: (spec: InstanceSpec) => Promise<MemoryApp>;
  /** References that exist; absent: every reference does. */
  readonly images?: ReadonlyMap<string, Image>;
}

interface Container {
  readonly spec: InstanceSpec;
  state: EngineState;
  executedAt: number;
  exit: Exit | undefined;
  app: MemoryApp | undefined;
  isReclaimed: boolean;
}

/** The engine, with the faults a test can cause from outside. */
export interface MemoryEngine extends Engine {
  /** The app ends by itself, or is killed. */
  crash(id: InstanceId, exit: Exit): Promise<void>;
  /** Somebody else freezes it. */
  freezeFromOutside(id: InstanceId): void;
  /** Somebody removes the container behind our back. */
  vanish(id: InstanceId): Promise<void>;
  /** The stream of events broke and was taken up again. */
  breakEvents(): void;
  /** A container that carries our label but that nobody asked for. */
  plant(spec: InstanceSpec, state: EngineState): void;
}

const NOWHERE: MemoryApp = {
  host: '127.0.0.1',
  ports: [{ port: 8080, loopbackOnly: false }],
  freeze: () => {},
  thaw: () => {},
  close: () => Promise.resolve(),
};

export function createMemoryEngine(options: MemoryEngineOptions): MemoryEngine {
  const { clock, run } = options;
  const knobs = options.knobs ?? CALM;
  const containers = new Map<InstanceId, Container>();
  const watchers = new Set<(event: EngineEvent) => void>();

  const tell = (event: EngineEvent) => {
    if (knobs.losesEvent(event)) return;
    for (const watcher of watchers) watcher(event);
  };
  const verb = async (name: Verb, id?: InstanceId) => {
    const ms = knobs.delayMs(name);
    if (ms > 0) await clock.sleep(ms);
    if (knobs.refuses(name, id))
      throw new BerthError('ENGINE_FAILED', { detail: `${name} ${id ?? ''} was refused.` });
  };
  const existing = (id: InstanceId): Container => {
    const container = containers.get(id);
    if (!container)
      throw new BerthError('ENGINE_FAILED', { detail: `There is no container ${id}.` });
    return container;
  };
  const show = (container: Container): EngineInstance => ({
    id: container.spec.id,
    deploymentId: container.spec.deploymentId,
    state: container.state,
    ...(container.state === 'created' ? {} : { host: container.app?.host ?? NOWHERE.host }),
    ...(container.exit ? { exit: container.exit } : {}),
  });
  const end = async (container: Container, exit: Exit) => {
    if (container.state === 'exited') return;
    container.state = 'exited';
    container.exit = exit;
    await container.app?.close();
    tell({ kind: 'exited', id: container.spec.id, exit });
  };

  return {
    powers: { park: true, freeze: true, boost: true, portDiscovery: true },
    describe: () =>
      Promise.resolve({ name: 'memory', version: '1', runtime: 'none', cgroupVersion: 2 }),

    async create(spec) {
      await verb('create', spec.id);
      if (options.images && !options.images.has(spec.imageId)) {
        throw new BerthError('IMAGE_NOT_FOUND', { detail: `There is no image ${spec.imageId}.` });
      }
      const container = containers.get(spec.id) ?? {
        spec,
        state: 'created',
        executedAt: 0,
        exit: undefined,
        app: undefined,
        isReclaimed: false,
      };
      containers.set(spec.id, container);
      return show(container);
    },

    async park(id) {
      await verb('park', id);
      const container = existing(id);
      if (container.state === 'created') container.state = 'parked';
      return show(container);
    },

    async start(id) {
      await verb('start', id);
      const container = existing(id);
      if (container.state === 'exited')
        throw new BerthError('ENGINE_FAILED', { detail: `${id} has ended.` });
      if (container.state === 'created' || container.state === 'parked') {
        container.app = run ? await run(container.spec) : NOWHERE;
        container.state = 'running';
        container.executedAt = clock.now();
        const exit = knobs.exitsOnBoot(id);
        if (exit) await end(container, exit);
      }
      return show(container);
    },

    look(id) {
      const container = containers.get(id);
      if (!container)
        return Promise.reject(
          new BerthError('ENGINE_FAILED', { detail: `There is no container ${id}.` }),
        );
      if (container.exit) return Promise.resolve({ kind: 'exited', exit: container.exit });
      const after = knobs.listensAfterMs(id);
      const listens =
        container.app && after !== undefined && clock.now() >= container.executedAt + after;
      return Promise.resolve({
        kind: 'listening',
        ports: listens && container.app ? container.app.ports : [],
      });
    },

    limitCpu: () => Promise.resolve(),

    async freeze(id) {
      await verb('freeze', id);
      const container = existing(id);
      if (container.state !== 'running' && container.state !== 'frozen') {
        throw new BerthError('ENGINE_FAILED', {
          detail: `${id} is ${container.state}, not running.`,
        });
      }
      container.app?.freeze();
      container.state = 'frozen';
    },

    async reclaim(id) {
      await verb('freeze', id);
      const container = existing(id);
      if (container.state !== 'frozen') {
        throw new BerthError('ENGINE_FAILED', {
          detail: `${id} is ${container.state}, not frozen.`,
        });
      }
      container.isReclaimed = true;
    },

    async thaw(id) {
      await verb('thaw', id);
      const container = existing(id);
      if (container.state !== 'running' && container.state !== 'frozen') {
        throw new BerthError('ENGINE_FAILED', {
          detail: `${id} is ${container.state}, not frozen.`,
        });
      }
      container.app?.thaw();
      container.isReclaimed = false;
      container.state = 'running';
    },

    async isFrozen(id) {
      return existing(id).state === 'frozen';
    },

    async connections(id) {
      const container = existing(id);
      if (container.state !== 'running' && container.state !== 'frozen') {
        throw new BerthError('ENGINE_FAILED', {
          detail: `${id} is ${container.state}, not running.`,
        });
      }
      return knobs.connections(id);
    },

    async stop(id) {
      await verb('stop', id);
      const container = containers.get(id);
      if (!container) return { code: 0, outOfMemory: false };
      await end(container, { code: container.state === 'parked' ? 137 : 143, outOfMemory: false });
      return container.exit ?? { code: 0, outOfMemory: false };
    },

    async remove(id) {
      await verb('remove', id);
      const container = containers.get(id);
      if (!container) return;
      await container.app?.close();
      containers.delete(id);
      tell({ kind: 'removed', id });
    },

    async list() {
      await verb('list');
      return [...containers.values()].map(show);
    },

    async watch(onEvent, signal) {
      watchers.add(onEvent);
      onEvent({ kind: 'resync' });
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) resolve();
      });
      watchers.delete(onEvent);
    },

    memory(ids) {
      const known = ids.flatMap((id) => {
        const container = containers.get(id);
        if (!container) return [];
        const held = knobs.heldBytes(id, container.state);
        return [[id, container.isReclaimed ? held / 3 : held] as const];
      });
      return Promise.resolve(new Map(known));
    },

    image(reference) {
      const known = options.images?.get(reference);
      if (known) return Promise.resolve(known);
      if (options.images) {
        return Promise.reject(
          new BerthError('IMAGE_NOT_FOUND', { detail: `There is no image ${reference}.` }),
        );
      }
      return Promise.resolve({ id: reference, bytes: 1_000_000, layers: [], exposedPorts: [] });
    },

    hasImage: (imageId) => Promise.resolve(options.images?.has(imageId) ?? true),
    images: () => Promise.resolve([]),
    removeImage: () => Promise.resolve(true),
    removeNetwork: () => Promise.resolve(),

    async close() {
      await Promise.all([...containers.values()].map(async (container) => container.app?.close()));
    },

    async crash(id, exit) {
      const container = containers.get(id);
      if (container && container.state !== 'created') await end(container, exit);
    },

    freezeFromOutside(id) {
      const container = containers.get(id);
      if (container?.state !== 'running') return;
      container.app?.freeze();
      container.state = 'frozen';
    },

    async vanish(id) {
      const container = containers.get(id);
      if (!container) return;
      await container.app?.close();
      containers.delete(id);
      tell({ kind: 'removed', id });
    },

    breakEvents() {
      for (const watcher of watchers) watcher({ kind: 'resync' });
    },

    plant(spec, state) {
      containers.set(spec.id, {
        spec,
        state,
        executedAt: 0,
        exit: undefined,
        app: undefined,
        isReclaimed: false,
      });
    },
  };
}
