/** What every engine driver must do, proved with real apps: `engineContract(name, open)` in the driver's own test file. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../core/errors.ts';
import type { InstanceId } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, EngineEvent, EngineInstance, InstanceSpec, Look } from '../ports/engine.ts';

/**
 * The apps that a driver's test must be able to run.
 *
 * | app | does |
 * |---|---|
 * | `hello` | listens on `PORT` on all addresses, answers HTTP, ends on SIGTERM |
 * | `loopback` | the same on 127.0.0.1 only |
 * | `silent` | runs and listens nowhere |
 * | `failing` | ends at once with code 3 |
 * | `stubborn` | listens, and ignores SIGTERM |
 * | `leaking` | takes memory until it is killed for it |
 */
export type App = 'hello' | 'loopback' | 'silent' | 'failing' | 'stubborn' | 'leaking';

/** One engine under test with the means to cause what the cases need. */
export interface EngineGround {
  readonly engine: Engine;
  readonly clock: Clock;
  /** A new instance of this app each time, or why this driver cannot run it. */
  spec(app: App): InstanceSpec | { readonly skip: string };
  /** Removes the container without the engine's knowledge, or says why that cannot be. */
  vanish(id: InstanceId): Promise<void> | { readonly skip: string };
  /** Another engine object over the same containers, as after a restart of Berth; or why there is none. */
  reopen(): Promise<Engine> | { readonly skip: string };
  /** An image id that does not exist, or why every one does. */
  readonly unknownImage: string | { readonly skip: string };
  /** Why the kernel's view of connections is not what `connections` tells, if it is not. */
  readonly noConnections?: { readonly skip: string };
  /** Removes everything the cases left, and closes the engine. */
  close(): Promise<void>;
}

const WAIT_MS = 30_000;
/** A call on something that is gone fails at once, it does not wait for a deadline. */
const QUICK_MS = 5_000;

/** Runs every case against one driver. A case that the driver has no power for is skipped with the reason. */
export function engineContract(name: string, open: () => Promise<EngineGround>): void {
  describe(`the engine contract, kept by ${name}`, () => {
    let ground: EngineGround;
    let engine: Engine;

    beforeAll(async () => {
      ground = await open();
      engine = ground.engine;
    });
    afterAll(async () => {
      await ground?.close();
    });

    type Skip = (reason: string) => never;
    const needs = <Value>(value: Value | { readonly skip: string }, skip: Skip): Value => {
      if (typeof value === 'object' && value !== null && 'skip' in value) return skip(value.skip);
      return value;
    };
    const needsPower = (power: keyof Engine['powers'], skip: Skip) => {
      if (!engine.powers[power]) skip(`${name} has no power to ${power}`);
    };
    const created = async (app: App, skip: Skip): Promise<InstanceSpec> => {
      const spec = needs(ground.spec(app), skip);
      await engine.create(spec);
      return spec;
    };
    const until = async <Value>(
      what: string,
      look: () => Promise<Value | undefined>,
    ): Promise<Value> => {
      const end = ground.clock.now() + WAIT_MS;
      for (;;) {
        const value = await look();
        if (value !== undefined) return value;
        if (ground.clock.now() > end) throw new Error(`${what}: not within ${WAIT_MS} ms`);
        await ground.clock.sleep(1);
      }
    };
    const settled = (id: InstanceId, by: Engine = engine): Promise<Look> =>
      until(`${id} listens or ends`, async () => {
        const look = await by.look(id);
        return look.kind === 'exited' || look.ports.length > 0 ? look : undefined;
      });
    const running = async (
      app: App,
      skip: Skip,
    ): Promise<{ id: InstanceId; port: number; host: string }> => {
      const { id } = await created(app, skip);
      const { host } = await engine.start(id);
      const look = await settled(id);
      if (look.kind === 'exited') throw new Error(`${id} ended with ${look.exit.code}`);
      return { id, port: look.ports[0]!.port, host: host! };
    };
    const listed = async (
      id: InstanceId,
      by: Engine = engine,
    ): Promise<EngineInstance | undefined> =>
      (await by.list()).find((instance) => instance.id === id);
    const answers = async (host: string, port: number, ms = WAIT_MS): Promise<boolean> =>
      fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(ms) }).then(
        async (response) => (await response.text(), response.ok),
        () => false,
      );
    const failsWith = async (code: ErrorCode, call: () => Promise<unknown>) => {
      const began = ground.clock.now();
      await expect(call()).rejects.toMatchObject({ name: 'BerthError', code });
      expect(ground.clock.now() - began).toBeLessThan(QUICK_MS);
    };

    test('it describes itself', async () => {
      const description = await engine.describe();
      expect(description.name).not.toBe('');
      expect(description.version).not.toBe('');
      expect([1, 2]).toContain(description.cgroupVersion);
    });

    test('creating makes an instance that is created, and creating it again changes nothing', async ({
      skip,
    }) => {
      const spec = await created('hello', skip);
      expect(await engine.create(spec)).toMatchObject({
        id: spec.id,
        deploymentId: spec.deploymentId,
        state: 'created',
      });
      expect(await listed(spec.id)).toMatchObject({ state: 'created' });
      await engine.remove(spec.id);
    });

    test('creating from an unknown image fails with IMAGE_NOT_FOUND and leaves nothing', async ({
      skip,
    }) => {
      const imageId = needs(ground.unknownImage, skip);
      const spec = needs(ground.spec('hello'), skip);
      await failsWith('IMAGE_NOT_FOUND', () => engine.create({ ...spec, imageId }));
      expect(await listed(spec.id)).toBeUndefined();
    });

    test('parking gives an address and runs nothing; parking again changes nothing', async ({
      skip,
    }) => {
      needsPower('park', skip);
      const { id } = await created('hello', skip);
      const parked = await engine.park(id);
      expect(parked).toMatchObject({ state: 'parked', host: expect.any(String) });
      expect(await engine.park(id)).toEqual(parked);
      expect(await listed(id)).toEqual(parked);
      expect(await engine.look(id)).toEqual({ kind: 'listening', ports: [] });
      await engine.remove(id);
    });

    test('a parked instance starts, is seen to listen, and answers; starting again changes nothing', async ({
      skip,
    }) => {
      needsPower('park', skip);
      const { id } = await created('hello', skip);
      const { host } = await engine.park(id);
      expect(await engine.start(id)).toMatchObject({ id, state: 'running', host });
      const look = await settled(id);
      expect(look).toMatchObject({ kind: 'listening', ports: [{ loopbackOnly: false }] });
      expect(await engine.start(id)).toMatchObject({ state: 'running', host });
      if (look.kind === 'listening') expect(await answers(host!, look.ports[0]!.port)).toBe(true);
      expect(await listed(id)).toMatchObject({ state: 'running', host });
      await engine.remove(id);
    });

    test('a created instance starts without being parked, and may be looked at meanwhile', async ({
      skip,
    }) => {
      const { id } = await created('hello', skip);
      const starting = engine.start(id);
      const look = await settled(id);
      expect(look.kind).toBe('listening');
      expect((await starting).host).toEqual(expect.any(String));
      await engine.remove(id);
    });

    test('a port that listens on loopback only is told apart', async ({ skip }) => {
      needsPower('portDiscovery', skip);
      const { id } = await created('loopback', skip);
      await engine.start(id);
      expect(await settled(id)).toMatchObject({
        kind: 'listening',
        ports: [{ port: expect.any(Number), loopbackOnly: true }],
      });
      await engine.remove(id);
    });

    test('an app that listens nowhere has no ports and goes on running', async ({ skip }) => {
      const { id } = await created('silent', skip);
      await engine.start(id);
      expect(await engine.look(id)).toEqual({ kind: 'listening', ports: [] });
      expect(await listed(id)).toMatchObject({ state: 'running' });
      await engine.remove(id);
    });

    test('an app that ends while booting is seen with its exit code, and cannot be started again', async ({
      skip,
    }) => {
      const { id } = await created('failing', skip);
      await engine.start(id);
      const exit = { code: 3, outOfMemory: false };
      expect(await settled(id)).toEqual({ kind: 'exited', exit });
      expect(await listed(id)).toMatchObject({ state: 'exited', exit });
      await failsWith('ENGINE_FAILED', () => engine.start(id));
      expect(await engine.stop(id, 1_000)).toEqual(exit);
      await engine.remove(id);
    });

    test('an app that is killed for memory is reported as such', async ({ skip }) => {
      const { id } = await created('leaking', skip);
      await engine.start(id);
      const exit = await until(`${id} ends`, async () => {
        const look = await engine.look(id);
        return look.kind === 'exited' ? look.exit : undefined;
      });
      expect(exit).toMatchObject({ outOfMemory: true });
      expect(await listed(id)).toMatchObject({ state: 'exited', exit: { outOfMemory: true } });
      await engine.remove(id);
    });

    test('the CPU quota is applied to a running instance, once and again', async ({ skip }) => {
      needsPower('boost', skip);
      const { id, host, port } = await running('hello', skip);
      await engine.limitCpu(id);
      await engine.limitCpu(id);
      expect(await answers(host, port)).toBe(true);
      await engine.remove(id);
    });

    test('a frozen instance answers nothing, and answers again when thawed; both may be said twice', async ({
      skip,
    }) => {
      needsPower('freeze', skip);
      const { id, host, port } = await running('hello', skip);
      await engine.freeze(id);
      await engine.freeze(id);
      expect(await listed(id)).toMatchObject({ state: 'frozen', host });
      expect(await answers(host, port, 200)).toBe(false);
      await engine.thaw(id);
      await engine.thaw(id);
      expect(await listed(id)).toMatchObject({ state: 'running' });
      expect(await answers(host, port)).toBe(true);
      await engine.remove(id);
    });

    test('a frozen instance that gave up its pages answers when thawed; a running one keeps its pages', async ({
      skip,
    }) => {
      const reclaim = engine.reclaim?.bind(engine);
      if (!reclaim) {
        skip('the driver cannot take pages from a frozen instance');
        return;
      }
      const { id, host, port } = await running('hello', skip);
      await failsWith('ENGINE_FAILED', () => reclaim(id));
      await engine.freeze(id);
      await reclaim(id);
      await reclaim(id);
      expect(await listed(id)).toMatchObject({ state: 'frozen', host });
      await engine.thaw(id);
      expect(await answers(host, port)).toBe(true);
      await engine.remove(id);
    });

    test('it is told whether an instance is frozen, whoever did it', async ({ skip }) => {
      const isFrozen = engine.isFrozen?.bind(engine);
      if (!isFrozen) {
        skip('the driver cannot tell');
        return;
      }
      const { id } = await running('hello', skip);
      expect(await isFrozen(id)).toBe(false);
      await engine.freeze(id);
      expect(await isFrozen(id)).toBe(true);
      await engine.thaw(id);
      expect(await isFrozen(id)).toBe(false);
      await engine.remove(id);
      await failsWith('ENGINE_FAILED', () => isFrozen(id));
    });

    test('what a frozen instance has not accepted and not read is seen, to the byte', async ({
      skip,
    }) => {
      const connections = engine.connections?.bind(engine);
      if (!connections) {
        skip('the driver cannot see connections');
        return;
      }
      if (ground.noConnections) needs(ground.noConnections, skip);
      const { id, host, port } = await running('hello', skip);
      const request = 'POST / HTTP/1.1\r\nhost: app\r\ncontent-length: 3\r\n\r\nabc';
      const sockets: Socket[] = [];
      const dial = async () => {
        const socket = connect({ host, port });
        socket.on('error', () => {});
        sockets.push(socket);
        await once(socket, 'connect');
        return socket;
      };
      const answered = await dial();
      answered.write(request);
      await once(answered, 'data');
      const atRest = (await connections(id)).find(
        ({ peerPort }) => peerPort === answered.localPort,
      );
      expect(atRest).toEqual({
        peerHost: answered.localAddress,
        peerPort: answered.localPort,
        isAccepted: true,
        unreadBytes: 0,
      });
      await engine.freeze(id);
      answered.write(request);
      const fresh = await dial();
      fresh.write(request);
      const seen = (socket: Socket, isAccepted: boolean) =>
        until(`${request.length} bytes wait, accepted: ${isAccepted}`, async () =>
          (await connections(id)).find(
            (row) =>
              row.peerPort === socket.localPort &&
              row.isAccepted === isAccepted &&
              row.unreadBytes === request.length,
          ),
        );
      await seen(answered, true);
      await seen(fresh, false);
      await engine.stop(id, 0);
      for (const socket of sockets) socket.destroy();
      await engine.remove(id);
      await failsWith('ENGINE_FAILED', () => connections(id));
    });

    test('what does not run cannot be frozen or thawed', async ({ skip }) => {
      needsPower('freeze', skip);
      const { id } = await created('hello', skip);
      await failsWith('ENGINE_FAILED', () => engine.freeze(id));
      if (engine.powers.park) {
        await engine.park(id);
        await failsWith('ENGINE_FAILED', () => engine.freeze(id));
      }
      await engine.remove(id);
    });

    test('stopping ends the app, and says again how it ended', async ({ skip }) => {
      const { id, host, port } = await running('hello', skip);
      const exit = await engine.stop(id, 10_000);
      expect(exit.outOfMemory).toBe(false);
      expect(await engine.stop(id, 10_000)).toEqual(exit);
      expect(await listed(id)).toMatchObject({ state: 'exited', exit });
      expect(await answers(host, port, 1_000)).toBe(false);
      await engine.remove(id);
    });

    test('stopping a frozen instance lets it end as one that runs', async ({ skip }) => {
      needsPower('freeze', skip);
      const { id } = await running('hello', skip);
      const other = await running('hello', skip);
      await engine.freeze(id);
      expect(await engine.stop(id, 10_000)).toEqual(await engine.stop(other.id, 10_000));
      await engine.remove(id);
      await engine.remove(other.id);
    });

    test('a parked instance just ends', async ({ skip }) => {
      needsPower('park', skip);
      const { id } = await created('hello', skip);
      await engine.park(id);
      await engine.stop(id, 10_000);
      // What never ran may be as if it had not been parked.
      expect(['exited', 'created']).toContain((await listed(id))?.state);
      await engine.remove(id);
    });

    test('an app that does not listen to SIGTERM is killed after the grace', async ({ skip }) => {
      const { id } = await running('stubborn', skip);
      const began = ground.clock.now();
      expect(await engine.stop(id, 300)).toEqual({ code: 137, outOfMemory: false });
      expect(ground.clock.now() - began).toBeGreaterThanOrEqual(300);
      await engine.remove(id);
    });

    test('removing takes away what runs or is frozen, and may be said twice', async ({ skip }) => {
      const { id } = await running('hello', skip);
      if (engine.powers.freeze) await engine.freeze(id);
      await engine.remove(id);
      expect(await listed(id)).toBeUndefined();
      await engine.remove(id);
    });

    test('stopping and removing what was never there succeeds; everything else says ENGINE_FAILED', async () => {
      const id = 'nothing-00000000.aaaaaa';
      await expect(engine.stop(id, 1_000)).resolves.toMatchObject({ outOfMemory: false });
      await expect(engine.remove(id)).resolves.toBeUndefined();
      await failsWith('ENGINE_FAILED', () => engine.start(id));
      await failsWith('ENGINE_FAILED', () => engine.look(id));
      if (engine.powers.park) await failsWith('ENGINE_FAILED', () => engine.park(id));
      if (engine.powers.freeze) {
        await failsWith('ENGINE_FAILED', () => engine.freeze(id));
        await failsWith('ENGINE_FAILED', () => engine.thaw(id));
      }
      expect((await engine.memory([id])).size).toBe(0);
    });

    test('an instance removed behind our back is noticed by every verb, quickly', async ({
      skip,
    }) => {
      const { id } = await running('hello', skip);
      await needs(ground.vanish(id), skip);
      await failsWith('ENGINE_FAILED', () => engine.look(id));
      await failsWith('ENGINE_FAILED', () => engine.start(id));
      if (engine.powers.freeze) {
        await failsWith('ENGINE_FAILED', () => engine.freeze(id));
        await failsWith('ENGINE_FAILED', () => engine.thaw(id));
      }
      if (engine.powers.park) {
        await failsWith('ENGINE_FAILED', () => engine.park(id));
        const parked = await created('hello', skip);
        await engine.park(parked.id);
        await needs(ground.vanish(parked.id), skip);
        await failsWith('ENGINE_FAILED', () => engine.start(parked.id));
      }
      expect(await listed(id)).toBeUndefined();
      await engine.stop(id, 1_000);
      await engine.remove(id);
    });

    test('watching begins with a resync and tells of ends and removals, until it is called off', async ({
      skip,
    }) => {
      const events: EngineEvent[] = [];
      const calledOff = new AbortController();
      const watching = engine.watch((event) => events.push(event), calledOff.signal);
      const seen = (kind: EngineEvent['kind'], id?: InstanceId) =>
        until(`${kind} ${id ?? ''}`, async () =>
          events.find(
            (event) => event.kind === kind && (event.kind === 'resync' || event.id === id),
          ),
        );
      await seen('resync');
      expect(events[0]).toEqual({ kind: 'resync' });
      const { id } = await created('failing', skip);
      await engine.start(id);
      expect(await seen('exited', id)).toMatchObject({ exit: { code: 3, outOfMemory: false } });
      await engine.remove(id);
      await seen('removed', id);
      calledOff.abort();
      await watching;
    });

    test('memory is told for those that hold some', async ({ skip }) => {
      const { id } = await running('hello', skip);
      const held = await engine.memory([id, 'nothing-00000000.aaaaaa']);
      expect([...held.keys()]).toEqual([id]);
      expect(held.get(id)).toBeGreaterThan(0);
      await engine.remove(id);
    });

    test('many calls at once all succeed', async ({ skip }) => {
      const specs = Array.from({ length: 8 }, () => needs(ground.spec('hello'), skip));
      await Promise.all(
        specs.map(async (spec) => {
          await engine.create(spec);
          await engine.start(spec.id);
          expect((await settled(spec.id)).kind).toBe('listening');
        }),
      );
      const hosts = await Promise.all(specs.map(async (spec) => (await listed(spec.id))?.host));
      expect(hosts.every((host) => host !== undefined)).toBe(true);
      await Promise.all(specs.map((spec) => engine.remove(spec.id)));
    });

    test('a new engine takes over what runs, is frozen or parked, and every verb works on it', async ({
      skip,
    }) => {
      needsPower('park', skip);
      needsPower('freeze', skip);
      const warm = await running('hello', skip);
      const frozen = await running('hello', skip);
      await engine.freeze(frozen.id);
      const parked = await created('hello', skip);
      const { host } = await engine.park(parked.id);
      const next = await needs(ground.reopen(), skip);
      try {
        expect(await listed(warm.id, next)).toMatchObject({ state: 'running', host: warm.host });
        expect(await listed(frozen.id, next)).toMatchObject({ state: 'frozen', host: frozen.host });
        expect(await listed(parked.id, next)).toMatchObject({ state: 'parked', host });
        await next.thaw(frozen.id);
        expect(await answers(frozen.host, frozen.port)).toBe(true);
        await next.limitCpu(warm.id);
        await next.freeze(warm.id);
        await next.start(parked.id);
        expect((await settled(parked.id, next)).kind).toBe('listening');
        expect((await next.memory([warm.id])).size).toBe(1);
        for (const { id } of [warm, frozen, parked]) {
          await next.stop(id, 5_000);
          await next.remove(id);
        }
      } finally {
        await next.close();
      }
      // The first one notices.
      expect(await listed(warm.id)).toBeUndefined();
    });

    test('an image that is not there and cannot be had is IMAGE_NOT_FOUND; one that is there says what it is', async ({
      skip,
    }) => {
      const { imageId } = needs(ground.spec('hello'), skip);
      expect(await engine.image(imageId)).toMatchObject({ id: imageId, bytes: expect.any(Number) });
      const unknown = needs(ground.unknownImage, skip);
      await failsWith('IMAGE_NOT_FOUND', () => engine.image(unknown));
      expect(await engine.hasImage(imageId)).toBe(true);
      expect(await engine.hasImage(unknown)).toBe(false);
      await engine.removeImage(unknown);
    });

    test('a network that was never made can be removed', async () => {
      await engine.removeNetwork('never-made');
    });
  });
}
