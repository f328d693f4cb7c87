/** One command line from its words to its exit code, in a world of its own without a server. */
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../system/clock.ts';
import { run } from './run.ts';
import type { ServeOptions, World } from './world.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly served: readonly ServeOptions[];
}

async function berth(args: readonly string[], changes: Partial<World> = {}): Promise<Ran> {
  const written = { out: '', err: '' };
  const served: ServeOptions[] = [];
  const world: World = {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    canAsk: false,
    readInput: () => Promise.resolve(new Uint8Array()),
    env: { BERTH_DATA: folder },
    folder,
    version: '1.2.3',
    isRoot: true,
    homeFolder: folder,
    clock: systemClock,
    interrupted: new AbortController().signal,
    background: {
      start: () => Promise.reject(new Error('nothing is started here')),
      isServer: () => false,
      signal: () => false,
    },
    trustCertificate: () => Promise.reject(new Error('nothing is trusted here')),
    readHost: () => Promise.reject(new Error('the host is not read here')),
    setUpZram: () => Promise.reject(new Error('the host is not changed here')),
    undoZram: () => Promise.reject(new Error('the host is not changed here')),
    writeOutput: () => Promise.resolve(),
    restore: () => Promise.reject(new Error('not expected')),
    serve: (options) => {
      served.push(options);
      return Promise.resolve();
    },
    ...changes,
  };
  const code = await run(world, args);
  return { code, ...written, served };
}

describe('help and version', () => {
  it('are results: on stdout, with 0', async () => {
    expect(await berth(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n', err: '' });
    for (const args of [['--help'], ['help'], ['deploy', '--help'], ['help', 'deploy']]) {
      const { code, out, err } = await berth(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('Usage: berth');
    }
  });
});

describe('a command line that is not right', () => {
  it.each<[string, readonly string[], string]>([
    ['a misspelt command', ['deply'], 'Did you mean deploy?'],
    ['a misspelt option', ['ls', '--jsn'], 'Did you mean --json?'],
    ['a word that is nothing', ['frobnicate'], "unknown command 'frobnicate'"],
    ['a missing argument', ['inspect'], "missing required argument 'deployment'"],
    ['one argument too many', ['slots', 'x'], 'too many arguments'],
    ['a port out of range', ['deploy', '--port', '70000'], 'from 1 to 65535'],
    ['a variable without a value here', ['deploy', '-e', 'ABSENT'], 'ABSENT is not set here'],
    ['an engine that there is not', ['serve', '--engine', 'magic'], 'podman, memory'],
    ['a listen address without a port', ['up', '--listen', 'localhost'], 'HOST:PORT'],
    [
      'https options without https',
      ['serve', '--https-redirect'],
      '--https-redirect needs --listen-tls',
    ],
    ['a directory without an account', ['serve', '--acme-ca', 'x'], '--acme-ca needs --acme-email'],
    ['a plain ACME directory', ['serve', '--acme-directory', 'http://x/'], 'https://HOST/PATH'],
    ['a certificate without its key', ['tls', 'add', 'a.test', '--cert', 'x'], "'--key <file>'"],
    ['a misspelt option of a group', ['tls', 'trust', '--instal'], 'Did you mean --install?'],
    ['a time in no form', ['logs', 'x', '--since', 'yesterday'], '10m'],
    ['production and a preview at once', ['deploy', '--prod', '--branch', 'x'], 'cannot both be'],
    ['a branch without a name', ['deploy', '--branch', ''], '--branch has no name'],
    ['a release without waiting', ['deploy', '--prod', '--no-wait'], 'leave --no-wait out'],
    ['a reason for no release', ['deploy', '--why', 'x'], '--why belongs to a release'],
    ['no name of an environment', ['releases', '--env', 'No Name'], 'preview/'],
    ['no number of a release', ['rollback', 'shop', 'newest'], 'write it like v12'],
    ['a release before the first', ['rollback', 'v0'], 'v0 is no release'],
    ['a misspelt value', ['scale', 'shop', 'mni=1'], 'mni=1 is none of min=, max='],
    ['a time of a limit in no form', ['limits', 'shop', 'duration=soon'], '90s'],
  ])('%s is refused with 2', async (_name, args, said) => {
    const { code, out, err } = await berth(args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain('error USAGE:');
    expect(err).toContain(said);
    expect(err).toContain('docs/errors/USAGE.md');
  });

  it('names the page of the server that --data leads to', async () => {
    const data = join(folder, 'other');
    await mkdir(data);
    const note = { pid: 7, listen: '127.0.0.1:4711', version: '1' };
    await writeFile(join(data, 'server.json'), JSON.stringify(note));
    const background = {
      start: () => Promise.reject(new Error('nothing is started here')),
      isServer: (pid: number) => pid === 7,
      signal: () => false,
    };
    for (const given of [['--data', data], [`--data=${data}`]]) {
      const { err } = await berth(['ls', ...given, '--nope'], { background });
      expect(err).toContain('http://127.0.0.1:4711/docs/errors/USAGE');
    }
  });

  it('is told as JSON when asked for', async () => {
    const { code, out, err } = await berth(['ls', '--json', '--nope']);
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'USAGE' } });
  });
});

describe('without a server', () => {
  it.each([
    ['ls'],
    ['status'],
    ['instances'],
    ['slots'],
    ['whoami'],
    ['logs', 'x'],
    ['rm', 'x', '-y'],
  ])('%s says how to start one', async (...args) => {
    const { code, out, err } = await berth(args);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('error SERVER_NOT_RUNNING');
    expect(err).toContain('berth up');
  });

  it('a note left by a killed server counts as none', async () => {
    await writeFile(
      join(folder, 'server.json'),
      JSON.stringify({ pid: 1, listen: '127.0.0.1:1', version: '1' }),
    );
    expect((await berth(['status'])).err).toContain('SERVER_NOT_RUNNING');
    await writeFile(join(folder, 'server.json'), '{"pid":');
    expect((await berth(['status'])).err).toContain('SERVER_NOT_RUNNING');
  });

  it('down has nothing to do, and says so', async () => {
    expect(await berth(['down'])).toMatchObject({ code: 0, out: '' });
    const { code, out } = await berth(['down', '--json']);
    expect([code, JSON.parse(out)]).toEqual([0, { stopped: false }]);
  });

  it('a remote one needs a token', async () => {
    const { code, err } = await berth(['ls'], { env: { BERTH_URL: 'http://127.0.0.1:1' } });
    expect(code).toBe(1);
    expect(err).toContain('error UNAUTHORIZED');
  });
});

describe('what begins with no command', () => {
  it('is a deploy when it is a folder', async () => {
    await mkdir(join(folder, 'app'));
    await writeFile(join(folder, 'app', 'Dockerfile'), 'FROM scratch\n');
    for (const args of [['app'], ['./app'], ['--json', 'app'], ['--name', 'x', 'app']]) {
      expect((await berth(args)).err).toContain('SERVER_NOT_RUNNING');
    }
  });
});

describe('serve', () => {
  it('hands everything to the server, paths made absolute', async () => {
    const args = ['serve', '--data', 'd', '--listen', '0', '--domain', 'example.test'];
    args.push('--memory-budget', '512', '--build-timeout', '5m', '--storage', 's');
    args.push('--access-log', 'off', '--open-metrics', '--trusted-proxies', '10.0.0.0/8, ::1');
    args.push('--deploys-per-minute', '6', '--bound', 'waiting=50', '--bound', 'wait=5s');
    args.push('--disk-budget', '50G', '--preview-ttl', 'never', '--keep-releases', '5');
    args.push('--keep-production', '60d', '--failed-ttl', '1d', '--cache-ttl', '12h');
    const { code, served } = await berth([...args, '--engine', 'memory']);
    expect(code).toBe(0);
    expect(served).toEqual([
      {
        data: join(folder, 'd'),
        listen: '127.0.0.1:0',
        domain: 'example.test',
        memoryBudgetMiB: 512,
        buildTimeoutMs: 300_000,
        diskBudgetBytes: 50_000_000_000,
        cleanup: {
          previewTtlMs: Number.POSITIVE_INFINITY,
          keepReleases: 5,
          keepProductionMs: 60 * 86_400_000,
          failedTtlMs: 86_400_000,
          cacheTtlMs: 43_200_000,
        },
        storage: join(folder, 's'),
        engine: 'memory',
        hasAccessLog: false,
        trustedProxies: ['10.0.0.0/8', '::1'],
        trafficBounds: { maxWaiting: 50, maxWaitMs: 5_000 },
        hasOpenMetrics: true,
        deployRate: { burst: 60, everyMs: 10_000 },
      },
    ]);
  });

  it.each(['10.0.0.0/33', 'proxy', '::1/129', '10.0.0.1/', '10.0.0.0/8,'])(
    'refuses %s as trusted proxies',
    async (ranges) => {
      const { code, err, served } = await berth(['serve', '--trusted-proxies', ranges]);
      expect([code, served]).toEqual([2, []]);
      expect(err).toContain('is no address and no range');
    },
  );

  it('keeps the data of a person who is not root at home', async () => {
    const { served } = await berth(['serve'], { isRoot: false, env: {} });
    expect(served[0]?.data).toBe(join(folder, '.local/share/berth'));
  });

  it('reports a mistake of ours as INTERNAL, with 1', async () => {
    const { code, err } = await berth(['serve'], {
      serve: () => Promise.reject(new Error('oops')),
    });
    expect(code).toBe(1);
    expect(err).toContain('error INTERNAL: Something went wrong inside Berth: oops');
  });
});

describe('serve', () => {
  it('takes every word about https, and reads who vouches for an ACME directory', async () => {
    await writeFile(join(folder, 'ca.pem'), 'PEM of somebody');
    const words = '--listen-tls 8443 --https-redirect --hsts 180d --acme-email a@b.test';
    const directory = ['--acme-directory', 'https://acme.test/dir', '--acme-ca', 'ca.pem'];
    const { code, served } = await berth(['serve', ...words.split(' '), ...directory]);
    expect(code).toBe(0);
    expect(served[0]?.tls).toEqual({
      listen: '127.0.0.1:8443',
      redirects: true,
      hstsSeconds: 180 * 86_400,
      acme: { email: 'a@b.test', directory: 'https://acme.test/dir', trusted: 'PEM of somebody' },
    });
    expect((await berth(['serve'])).served[0]).not.toHaveProperty('tls');
  });

  it('says which file about https it cannot read', async () => {
    const words = '--listen-tls 8443 --acme-email a@b.test --acme-ca gone.pem'.split(' ');
    const { code, err } = await berth(['serve', ...words]);
    expect(code).toBe(2);
    expect(err).toContain('gone.pem cannot be read');
  });
});

describe('down --instances', () => {
  it.each([
    ['{"pid":7,"instances":0}', 0, 'no instance is left'],
    ['{"pid":7,"instances":2}', 1, 'left 2 instances: '],
    ['{"pid":6,"instances":0}', 1, 'did not count what is left: '],
    ['{"pi', 1, 'did not count what is left: '],
  ])('after a server that wrote %s ends with %i', async (left, expected, said) => {
    const note = { pid: 7, listen: '127.0.0.1:4711', version: '1' };
    await writeFile(join(folder, 'server.json'), JSON.stringify(note));
    await writeFile(join(folder, 'left.json'), left);
    let runs = true;
    const background = {
      start: () => Promise.reject(new Error('nothing is started here')),
      isServer: () => runs,
      signal: (_pid: number, signal: string) => {
        runs = signal !== 'SIGUSR2';
        return true;
      },
    };
    const { code, err } = await berth(['down', '--instances'], { background });
    expect([code, err]).toEqual([expected, expect.stringContaining(said)]);
  });
});
