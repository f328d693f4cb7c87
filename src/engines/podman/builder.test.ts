/** Builds on the real Podman: what comes out, what is left, and what nobody may see. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Builder, BuildOutcome } from '../../ports/builder.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import { classifyFailure, wasOvertaken } from './build-outcome.ts';
import { redactionScript } from './build-script.ts';
import { createPodmanBuilder, type PodmanBuilderOptions } from './builder.ts';
import { openPodmanGround, podman, type PodmanGround } from './fixture.ts';

const execute = promisify(execFile);
const NEVER = new AbortController().signal;

describe('the builder of Podman', () => {
  let ground: PodmanGround;
  let options: PodmanBuilderOptions;
  let builder: Builder;
  const images = new Set<string>();
  const begun = new Set<string>();

  beforeAll(async () => {
    ground = await openPodmanGround();
    options = {
      ...ground.options,
      limits: { memoryMiB: 512, cpus: 1 },
      image: (reference) => ground.engine.image(reference),
    };
    builder = createPodmanBuilder(options);
  });
  afterAll(async () => {
    for (const id of begun) await builder.discard(id);
    for (const id of images) await ground.engine.removeImage(id);
    // Layers of builds that failed, which stay as cache.
    const layers = await podman('images', '--all', '--quiet', '--filter', `label=${mark()}`);
    if (layers !== '') await podman('rmi', '--force', ...new Set(layers.split('\n')));
    await ground.close();
  });

  /** On every layer that is made here: so that no run finds the cache of another, and all can be removed. */
  const mark = () => `berth.test=${ground.ledgerId}`;
  const NODE = 'FROM node:24-slim\n';

  interface Order {
    readonly files?: Readonly<Record<string, string>>;
    readonly buildArgs?: Readonly<Record<string, string>>;
    readonly timeoutMs?: number;
  }
  const begin = async (dockerfile: string, order: Order = {}): Promise<string> => {
    const id = `build-${systemRandom.id(8)}`;
    begun.add(id);
    const folder = join(ground.dataFolder, 'context', id);
    await mkdir(folder, { recursive: true });
    const text = dockerfile.replace(NODE, `${NODE}LABEL ${mark()}\n`);
    const files = { Dockerfile: text, ...order.files };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await builder.begin({
      id,
      folder,
      dockerfile: 'Dockerfile',
      buildArgs: order.buildArgs ?? {},
      timeoutMs: order.timeoutMs ?? 60_000,
    });
    return id;
  };
  const follow = async (
    id: string,
    by = builder,
  ): Promise<{ outcome: BuildOutcome; lines: string[] }> => {
    const lines: string[] = [];
    const outcome = await by.follow(id, (line) => lines.push(line), NEVER);
    if (outcome.kind === 'built') images.add(outcome.image.id);
    return { outcome, lines };
  };
  const build = async (dockerfile: string, order: Order = {}) =>
    follow(await begin(dockerfile, order));
  const until = async (what: string, look: () => Promise<boolean>) => {
    const end = systemClock.now() + 30_000;
    while (!(await look())) {
      if (systemClock.now() > end) throw new Error(`${what}: not within 30 s`);
      await systemClock.sleep(20);
    }
  };
  const outputOf = (id: string) =>
    readFile(join(ground.dataFolder, 'builds', id, 'podman', 'output.log'), 'utf8').catch(() => '');
  /** Working containers whose parameters name this build. */
  const leftovers = async (id: string): Promise<string[]> => {
    const root = join(
      await podman('info', '--format', '{{.Store.GraphRoot}}'),
      'overlay-containers',
    );
    const found: string[] = [];
    for (const name of await readdir(root).catch(() => [])) {
      const file = join(root, name, 'userdata', 'buildah.json');
      if ((await readFile(file, 'utf8').catch(() => '')).includes(id)) found.push(name);
    }
    return found;
  };

  test('a folder becomes an image; its output is told line by line, and again to whoever follows later', async () => {
    const id = await begin(
      'FROM node:24-slim\nRUN echo one && echo two >&2\nEXPOSE 3000 9090/tcp\nCMD ["node"]\n',
    );
    const { outcome, lines } = await follow(id);
    expect(outcome).toMatchObject({
      kind: 'built',
      image: { id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), exposedPorts: [3000, 9090] },
    });
    expect(lines).toContain('one');
    expect(lines).toContain('two');
    expect(await follow(id)).toEqual({ outcome, lines });
    const labels = await podman(
      'image',
      'inspect',
      '--format',
      '{{json .Labels}}',
      (outcome as { image: { id: string } }).image.id,
    );
    expect(JSON.parse(labels)).toMatchObject({ 'berth.ledger': ground.ledgerId });
    expect(await leftovers(id)).toEqual([]);
  });

  test('the engine is asked once for what a build made, however many follow it', async () => {
    const id = await begin('FROM node:24-slim\nRUN echo said\n');
    const { outcome } = await follow(id);
    const toldToBoth = Promise.withResolvers<void>();
    let looks = 0;
    const counting = createPodmanBuilder({
      ...options,
      async image(reference) {
        looks += 1;
        await toldToBoth.promise;
        return options.image(reference);
      },
    });
    let told = 0;
    const tell = (line: string) => {
      if (line === 'said') told += 1;
      if (told === 2) toldToBoth.resolve();
    };
    const outcomes = await Promise.all([
      counting.follow(id, tell, NEVER),
      counting.follow(id, tell, NEVER),
    ]);
    expect(outcomes).toEqual([outcome, outcome]);
    expect(looks).toBe(1);
  });

  test('the layers of an image are told with the biggest first', async () => {
    const { outcome } = await build(
      'FROM node:24-slim\nRUN head -c 3000000 /dev/urandom >/big\nRUN head -c 1000 /dev/urandom >/small\n',
    );
    if (outcome.kind !== 'built') throw new Error(outcome.kind);
    const sizes = outcome.image.layers.map((layer) => layer.bytes);
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one));
    expect(
      outcome.image.layers.find((layer) => layer.createdBy.includes('/big'))?.bytes,
    ).toBeGreaterThan(3_000_000);
    expect(outcome.image.bytes).toBeGreaterThanOrEqual(sizes[0]!);
  });

  test('images are listed with the parents and owners that Podman itself tells, and no more once they are gone', async () => {
    const { outcome } = await build('FROM node:24-slim\nRUN touch /one\nRUN touch /two\n');
    const top = (outcome as { image: { id: string } }).image.id;
    const filter = ['--filter', `label=${mark()}`];
    const told = JSON.parse(
      await podman('images', '--all', '--no-trunc', '--format', 'json', ...filter),
    ) as readonly { Id: string; ParentId: string; Labels: Record<string, string> }[];
    const listed = new Map((await ground.engine.images()).map((image) => [image.id, image]));
    expect(told.length).toBeGreaterThan(2);
    for (const { Id, ParentId, Labels } of told) {
      expect(listed.get(`sha256:${Id}`)).toMatchObject({
        parentId: `sha256:${ParentId}`,
        isOurs: Labels['berth.ledger'] === ground.ledgerId,
      });
    }
    const names = (one: { readonly id: string }) => one.id;
    expect([...listed.values()].filter(({ isOurs }) => isOurs).map(names)).toContain(top);
    await ground.engine.removeImage(top);
    images.delete(top);
    const after = (await ground.engine.images()).map(names);
    expect(after).not.toContain(top);
    expect(after).toContain(listed.get(top)?.parentId);
  });

  test('the same folder again is the same image, from the cache', async () => {
    const dockerfile = 'FROM node:24-slim\nRUN date +%N >/when\nCOPY app.js /\n';
    const first = await build(dockerfile, { files: { 'app.js': 'one' } });
    const second = await build(dockerfile, { files: { 'app.js': 'one' } });
    const changed = await build(dockerfile, { files: { 'app.js': 'two' } });
    const imageOf = ({ outcome }: { outcome: BuildOutcome }) =>
      outcome.kind === 'built' && outcome.image.id;
    expect(imageOf(second)).toBe(imageOf(first));
    expect(imageOf(changed)).not.toBe(imageOf(first));
    expect(changed.lines.filter((line) => line.includes('Using cache'))).toHaveLength(2);
  });

  test('SHELL is kept, as Dockerfiles expect it', async () => {
    const { outcome } = await build(
      'FROM node:24-slim\nSHELL ["/bin/bash", "-c"]\nRUN [[ a == a ]]\n',
    );
    expect(outcome.kind).toBe('built');
  });

  test('values of build arguments reach RUN, and are seen neither in the output, nor in ps, nor in what is told of layers', async () => {
    const secret = `s3cr3t/&.*[${systemRandom.id(12)}]$^\\x`;
    const proxy = `http://user:${systemRandom.id(12)}@localhost:1/`;
    const id = await begin(
      'FROM node:24-slim\nARG TOKEN\nARG MODE\nRUN echo "the token is $TOKEN, the mode $MODE" && head -c 2000000 /dev/zero >/zero && sleep 3\nRUN test "${#TOKEN}" -gt 10\n',
      { buildArgs: { TOKEN: secret, MODE: 'on', http_proxy: proxy } },
    );
    await until('the step runs', async () => (await outputOf(id)).includes('the token is'));
    const { stdout: processes } = await execute('ps', ['-eo', 'args']);
    expect(processes).toContain(id);
    expect(processes).not.toContain(secret);
    const { outcome, lines } = await follow(id);
    expect(outcome.kind).toBe('built');
    expect(lines).toContain('the token is [TOKEN], the mode on');
    expect(await outputOf(id)).not.toContain(secret);
    const layers = outcome.kind === 'built' ? outcome.image.layers : [];
    expect(layers.some(({ createdBy }) => createdBy.includes('the token is'))).toBe(true);
    for (const { createdBy } of layers) expect(createdBy).not.toContain(secret);
  });

  test('a build argument named like a variable of the loader or of Podman means nothing to the programs that build', async () => {
    const { outcome, lines } = await build(
      'FROM node:24-slim\nARG LD_PRELOAD\nARG CONTAINER_HOST\nRUN echo "host=$CONTAINER_HOST"\n',
      { buildArgs: { CONTAINER_HOST: 'unix:///nowhere', STORAGE_DRIVER: 'vfs' } },
    );
    expect(outcome.kind).toBe('built');
    expect(lines).toContain('host=[CONTAINER_HOST]');
  });

  test.each([
    [
      'a RUN that fails',
      'FROM node:24-slim\nRUN echo so far && exit 7\n',
      'BUILD_FAILED',
      /STEP 3\/4: RUN echo so far && exit 7: .*exit status 7/,
    ],
    [
      'a COPY of what is not there',
      'FROM node:24-slim\nCOPY nothing /\n',
      'BUILD_FAILED',
      /nothing/,
    ],
    ['an unknown base image', 'FROM localhost/never-made:1\n', 'IMAGE_NOT_FOUND', /never-made/],
    [
      'a base image whose registry does not exist',
      'FROM registry.invalid/never/made\n',
      'IMAGE_NOT_FOUND',
      /registry\.invalid/,
    ],
    ['an unknown instruction', 'FROM node:24-slim\nRUNX true\n', 'DOCKERFILE_INVALID', /RUNX/],
    ['no FROM', 'RUN true\n', 'DOCKERFILE_INVALID', /FROM/],
    ['nothing at all', '', 'DOCKERFILE_INVALID', /./],
    ['too few arguments', 'FROM node:24-slim\nCOPY one\n', 'DOCKERFILE_INVALID', /COPY/],
    ['an image name that is none', 'FROM Bad:Name:x\n', 'DOCKERFILE_INVALID', /reference/],
  ] as const)('%s fails with its code', async (_what, dockerfile, code, detail) => {
    const id = await begin(dockerfile);
    const { outcome } = await follow(id);
    expect(outcome).toMatchObject({ kind: 'failed', code, detail: expect.stringMatching(detail) });
    expect(await leftovers(id)).toEqual([]);
  });

  test('a full disk is told as such', async () => {
    // In memory, because nobody wants to fill the real one.
    const folder = await mkdtemp(join(tmpdir(), 'berth-full-'));
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
    try {
      const { outcome } = await build(
        'FROM node:24-slim\nRUN dd if=/dev/zero of=/dev/full bs=4k count=1\n',
      );
      expect(outcome).toMatchObject({ kind: 'failed', code: 'DISK_FULL' });
      const small = createPodmanBuilder({ ...options, dataFolder: folder });
      const context = join(ground.dataFolder, 'context', 'full');
      await mkdir(context, { recursive: true });
      await writeFile(join(context, 'Dockerfile'), 'FROM node:24-slim\n');
      await writeFile(join(folder, 'ballast'), Buffer.alloc(4 * 1024 * 1024)).catch(
        () => undefined,
      );
      const job = {
        id: 'full',
        folder: context,
        dockerfile: 'Dockerfile',
        buildArgs: {},
        timeoutMs: 60_000,
      };
      await expect(small.begin(job)).rejects.toMatchObject({ code: 'DISK_FULL' });
      await small.discard('full');
    } finally {
      await execute('umount', [folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a build that takes too long is ended, and nothing of it is left', async () => {
    const id = await begin('FROM node:24-slim\nRUN echo begun && sleep 600\n', {
      // Long enough to come to its step while others build beside it.
      timeoutMs: 8_000,
    });
    const { outcome, lines } = await follow(id);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'BUILD_TIMEOUT',
      detail: expect.stringContaining('sleep 600'),
    });
    expect(lines).toContain('begun');
    expect(await leftovers(id)).toEqual([]);
  });

  test('another builder follows a build that is under way, from its first line, as after a restart', async () => {
    const id = await begin('FROM node:24-slim\nRUN echo first && sleep 1 && echo last\n');
    const calledOff = new AbortController();
    const seen: string[] = [];
    const following = builder.follow(id, (line) => seen.push(line), calledOff.signal);
    await until('the first line', () => Promise.resolve(seen.includes('first')));
    calledOff.abort();
    await following;
    expect(seen).not.toContain('last');

    const next = createPodmanBuilder(options);
    // Beginning again does nothing while it runs.
    await next.begin({
      id,
      folder: '/nowhere',
      dockerfile: 'Dockerfile',
      buildArgs: {},
      timeoutMs: 1_000,
    });
    const { outcome, lines } = await follow(id, next);
    expect(outcome.kind).toBe('built');
    expect(lines.indexOf('first')).toBeLessThan(lines.indexOf('last'));
    expect(lines.filter((line) => line === 'first')).toHaveLength(1);
  });

  test('a build whose processes were all killed is lost, leaves nothing, and may be begun again', async () => {
    const id = await begin('FROM node:24-slim\nRUN echo begun && sleep 600\n');
    await until('the step runs', async () => (await outputOf(id)).includes('begun'));
    const pid = Number.parseInt(
      await readFile(join(ground.dataFolder, 'builds', id, 'podman', 'process'), 'utf8'),
      10,
    );
    process.kill(-pid, 'SIGKILL');
    const { outcome } = await follow(id);
    expect(outcome).toEqual({ kind: 'lost' });
    expect(await leftovers(id)).toEqual([]);
    expect((await execute('ps', ['-eo', 'args'])).stdout).not.toContain(id);
  });

  test('discarding ends a build in the middle of a step, and in the middle of a pull, without traces', async () => {
    const id = await begin('FROM node:24-slim\nRUN echo begun && sleep 600\n');
    await until('the step runs', async () => (await outputOf(id)).includes('begun'));
    const other = await begin('FROM registry.invalid/never/made\nRUN true\n');
    await Promise.all([builder.discard(id), builder.discard(other)]);
    expect(await follow(id)).toEqual({ outcome: { kind: 'lost' }, lines: [] });
    expect(await leftovers(id)).toEqual([]);
    expect((await execute('ps', ['-eo', 'args'])).stdout).not.toContain(id);
    expect(await readdir(join(ground.dataFolder, 'builds'))).not.toContain(id);
    await builder.discard(id);
  });

  test('a build of which nothing is known is lost, and names that lead elsewhere are refused', async () => {
    expect(await follow('never-begun')).toEqual({ outcome: { kind: 'lost' }, lines: [] });
    await expect(builder.follow('../x', () => {}, NEVER)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  test('RUN steps are held in by their quota of memory', async () => {
    const { outcome } = await build(
      'FROM node:24-slim\nRUN node -e "const held = []; for (;;) held.push(Buffer.alloc(8e6, 1))"\n',
    );
    expect(outcome).toMatchObject({ kind: 'failed', code: 'BUILD_FAILED' });
  });
});

describe('what a failure is called', () => {
  test.each([
    [
      'Error: creating build container: initializing source docker://x: pinging container registry',
      'IMAGE_NOT_FOUND',
    ],
    [
      'Error: creating build container: short-name "x" did not resolve to an alias',
      'IMAGE_NOT_FOUND',
    ],
    [
      'Error: writing blob: storing blob to file "/x": write /x: no space left on device',
      'DISK_FULL',
    ],
    ['Error: building at STEP "RUN make": while running runtime: exit status 2', 'BUILD_FAILED'],
    [
      'Error: building at STEP "FOO": Build error: Unknown instruction: "FOO"',
      'DOCKERFILE_INVALID',
    ],
  ])('%s', (line, code) => {
    expect(
      classifyFailure({ status: 1, hasTimedOut: false, lines: ['STEP 1/1: X', line] }),
    ).toMatchObject({ code });
    expect(wasOvertaken([line])).toBe(false);
  });

  test('is no failure when somebody removed an image while Podman looked at it', () => {
    const cause = 'checking if cached image exists from a previous build: getting top layer info';
    expect(wasOvertaken(['STEP 5/5: X', `Error: ${cause}: layer not known`])).toBe(true);
  });
});

describe('keeping secrets out of output', () => {
  test('every line of a value is replaced, whatever characters it holds, the longest first', async () => {
    const values = {
      SHORT: 'abcd',
      LONG: 'abcd-efgh',
      TEXT: 'line one/\\1&\n]line* [two]$',
      TINY: 'abc',
    };
    const child = spawn('sed', ['-u', redactionScript(values)]);
    child.stdin.end('x abcd-efgh abcd abc\nline one/\\1& and ]line* [two]$\n');
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    expect(text).toBe('x [LONG] [SHORT] abc\n[TEXT] and [TEXT]\n');
  });
});
