/** Values of secrets on the real Podman of this host: the process has them, and nothing else does. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InstanceSpec } from '../../ports/engine.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import { openPodmanEngine } from './engine.ts';
import { openPodmanGround, podman, type PodmanGround } from './fixture.ts';
import { containerName } from './names.ts';
import { createSecretFiles, secretsFolder } from './secret-files.ts';

const execute = promisify(execFile);

/** Everything that a shell, JSON or a pattern could read wrongly. */
const NASTY = [
  'line one\nline two\r\n\ttab\n',
  `quotes " ' \` and \\ backslashes \\\\ \\n \\u0041 at the end \\`,
  '$HOME ${HOME} $(id) `id` & && \\& ; | * ? [a-z] ~ # ! % { } < > ',
  'ünïcode 秘密 \u{1f512} \u2028 \u007f \u0001',
  '@at =equals= "}],',
  ' ',
  'x'.repeat(64 * 1024),
];

describe('a container with secrets', () => {
  let ground: PodmanGround;
  beforeAll(async () => {
    // Limits by hand: these tests close the service under each other.
    const host = { cgroupVersion: 1, maxOpenFiles: 1024, maxProcesses: 4096 } as const;
    ground = await openPodmanGround({ host });
  });
  afterAll(async () => {
    await ground?.close();
  });

  const canary = () => `canary-${systemRandom.id(24)}`;
  const SHOW = `const { createHash } = require('crypto');
    const show = {};
    for (const [name, value] of Object.entries(process.env))
      if (/^S\\d+$/.test(name)) show[name] = createHash('sha256').update(value).digest('hex');
    console.log(JSON.stringify({ ...show, PLAIN: process.env.PLAIN, umask: process.umask() }));`;
  const ended = async (id: string) => {
    const until = systemClock.now() + 30_000;
    while ((await ground.engine.look(id)).kind !== 'exited') {
      if (systemClock.now() > until) throw new Error(`${id} did not end`);
      await systemClock.sleep(5);
    }
  };
  const printed = (spec: InstanceSpec): Record<string, unknown> => {
    const line = readFileSync(spec.logFile, 'utf8').split('\n')[0] ?? '';
    return JSON.parse(line.replace(/^\S+ stdout F /, '')) as Record<string, unknown>;
  };
  const sha256 = (value: string) => createHash('sha256').update(value).digest('hex');
  const idOf = (spec: InstanceSpec) =>
    podman('inspect', '--format', '{{.Id}}', containerName(spec.id));

  test('gives its process every value exactly, and its plain variables too', async () => {
    const secretEnv = Object.fromEntries(NASTY.map((value, index) => [`S${index}`, value]));
    const spec = ground.script(SHOW, { secretEnv, env: { PORT: '1', PLAIN: 'a "plain" one' } });
    await ground.engine.create(spec);
    await ground.engine.start(spec.id);
    await ended(spec.id);
    const { PLAIN, umask, ...seen } = printed(spec);
    expect(seen).toEqual(
      Object.fromEntries(NASTY.map((value, index) => [`S${index}`, sha256(value)])),
    );
    expect(PLAIN).toBe('a "plain" one');
    expect(umask).toBe(0o022);
  });

  test('leaves its values in no file and no inspection, from its creation to its end', async () => {
    const value = canary();
    const spec = ground.script(`${SHOW} setInterval(() => {}, 1e9)`, { secretEnv: { S0: value } });
    const sinks = async () => {
      const containerId = await idOf(spec);
      const found = await execute('grep', [
        '-rlaF',
        '--exclude-dir=proc',
        value,
        join('/var/lib/containers/storage/overlay-containers', containerId),
        '/var/lib/containers/storage/libpod',
        `/run/runc/${containerId}`,
        `/run/containers/storage/overlay-containers/${containerId}`,
        ground.dataFolder,
        secretsFolder(ground.ledgerId, ground.options.runtime) ?? '',
        '/tmp/podman-run-0',
      ]).catch(({ stdout, code }: { stdout: string; code: number }) => {
        // 1: nothing found, 2: nothing found and some of these are not there.
        expect([1, 2]).toContain(code);
        return { stdout };
      });
      return [
        found.stdout.trim(),
        (await podman('inspect', containerName(spec.id))).includes(value) ? 'inspect' : '',
      ].filter((sink) => sink !== '');
    };
    await ground.engine.create(spec);
    expect(await sinks(), 'created').toEqual([]);
    await ground.engine.park(spec.id);
    expect(await sinks(), 'parked').toEqual([]);
    const adopted = await openPodmanEngine(ground.options);
    await adopted.start(spec.id);
    expect(await sinks(), 'started by the next Berth').toEqual([]);
    const until = systemClock.now() + 30_000;
    while (!readFileSync(spec.logFile, 'utf8').includes(sha256(value))) {
      if (systemClock.now() > until) throw new Error('the process did not say what it has');
      await systemClock.sleep(10);
    }
    await adopted.freeze(spec.id);
    await adopted.stop(spec.id, 0);
    expect(await sinks(), 'stopped').toEqual([]);
    await adopted.close();
  });

  test('is not executed again when it has ended', async () => {
    const spec = ground.script(SHOW, { secretEnv: { S0: canary() } });
    await ground.engine.create(spec);
    await ground.engine.start(spec.id);
    await ended(spec.id);
    const before = readFileSync(spec.logFile, 'utf8');
    const call = ground.engine.start(spec.id);
    await expect(call).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(readFileSync(spec.logFile, 'utf8')).toBe(before);
  });

  test('is refused by our runtime when its values are not at hand, and says why', async () => {
    const value = canary();
    const spec = ground.script(SHOW, { secretEnv: { S0: value } });
    await ground.engine.create(spec);
    // Another Berth over the same folder was never told the values.
    const other = await openPodmanEngine(ground.options);
    await expect(other.park(spec.id)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      detail: expect.stringContaining('only Berth can hand them over'),
    });
    await other.close();
  });

  test('leaves no folder behind in memory', async () => {
    const folder = secretsFolder(ground.ledgerId, ground.options.runtime);
    expect(folder).toMatch(/^\/(run|dev\/shm)\/berth-/);
    const spec = ground.script(SHOW, { secretEnv: { S0: canary() } });
    await ground.engine.create(spec);
    await ground.engine.park(spec.id);
    expect(readdirSync(folder ?? '')).toEqual([]);
    await ground.engine.remove(spec.id);
  });

  test('whose Berth was killed in the middle leaves nothing once the next one is there', async () => {
    const { mkdir, writeFile, stat } = await import('node:fs/promises');
    const folder = secretsFolder(ground.ledgerId, ground.options.runtime) ?? '';
    await mkdir(join(folder, 'left'), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'left', 'values'), 'x');
    const next = await openPodmanEngine(ground.options);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    await next.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('is refused where values could not be handed over in memory', () => {
    const nowhere = createSecretFiles(undefined);
    expect(nowhere.placeholders('app-1.abcdef', {})).toEqual({});
    expect(() => nowhere.placeholders('app-1.abcdef', { S0: 'x' })).toThrow(
      expect.objectContaining({ code: 'HOST_UNSUPPORTED' }),
    );
  });
});
