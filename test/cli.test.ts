/** The command line against a real server with the memory engine: what people and scripts get to see. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const hello = join(root, 'examples/hello');

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-cli-'));
  data = join(folder, 'data');
  expect(await berth(['up', '--engine', 'memory', '--listen', '127.0.0.1:0'])).toMatchObject({
    code: 0,
  });
});
afterAll(async () => {
  await berth(['down']);
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface How {
  readonly data?: string;
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const environment = (how: How) => ({
  PATH: process.env.PATH,
  HOME: folder,
  BERTH_DATA: how.data ?? data,
  NODE_COMPILE_CACHE: join(folder, 'compiled'),
  ...how.env,
});

/** Runs the program to its end, without a terminal. */
function berth(args: readonly string[], how: How = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'src/main.ts'), ...args],
      { cwd: how.folder ?? folder, env: environment(how) },
      (error, out, err) => {
        const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
        resolve({ code, out, err });
      },
    );
  });
}

async function json(args: readonly string[], how: How = {}): Promise<unknown> {
  const ran = await berth([...args, '--json'], how);
  expect(ran.err).toBe('');
  return JSON.parse(ran.out);
}

/** Runs the program in a terminal of its own and returns what was written there. */
async function inTerminal(args: readonly string[], answer = ''): Promise<string> {
  const command = [process.execPath, join(root, 'src/main.ts'), ...args].map((arg) => `'${arg}'`);
  const child = spawn('script', ['-qefc', command.join(' '), '/dev/null'], {
    cwd: folder,
    env: { ...environment({}), TERM: 'xterm-256color' },
  });
  let seen = '';
  let isAnswered = answer === '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (isAnswered || !seen.includes('?')) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  await once(child, 'close');
  return seen;
}

/** Asks a deployment by its URL; names below .localhost are this machine. */
async function ask(url: string): Promise<{ readonly status: number; readonly start: string }> {
  const { hostname, port } = new URL(url);
  const asked = request({ host: '127.0.0.1', port, headers: { host: hostname } });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  const start = response.headers['x-berth-start'];
  return { status: response.statusCode ?? 0, start: typeof start === 'string' ? start : '' };
}

async function pidOf(where: string): Promise<number> {
  const note = JSON.parse(await readFile(join(where, 'server.json'), 'utf8')) as { pid: number };
  return note.pid;
}

describe('deploy', () => {
  it('writes only the URL to stdout when it is piped, and the URL answers at once', async () => {
    const { code, out, err } = await berth(['deploy', hello]);
    expect(code).toBe(0);
    expect(out).toMatch(/^http:\/\/hello-[0-9a-z]{8}\.localhost:\d+\n$/);
    expect(err).toMatch(/Read 2 files.*\n.*Uploaded 2 of 2 files.*\n(?:.*\n)*.*Ready {2}\d/);
    expect(await ask(out.trim())).toEqual({ status: 200, start: 'thawed' });
    expect(await ask(out.trim())).toEqual({ status: 200, start: 'warm' });
  });

  it('gives the same URL for the same folder and configuration, and sends nothing again', async () => {
    const first = await berth(['deploy', hello]);
    const again = await berth([], { folder: hello });
    expect(again.out).toBe(first.out);
    expect(again.err).toContain('Uploaded nothing');
    expect(again.err).toContain('Deployed already');
    const other = await berth(['deploy', hello, '--env', 'GREETING=Hei']);
    expect(other.code).toBe(0);
    expect(other.out).not.toBe(first.out);
  });

  it('tells everything as one JSON object, without the values of variables', async () => {
    const args = ['deploy', hello, '--name', 'greeter', '-e', 'SECRET=hush', '--slot', 'c.25-m256'];
    expect(await json(args)).toMatchObject({
      project: 'greeter',
      state: 'ready',
      url: expect.stringMatching(/^http:\/\/greeter-/) as string,
      configuration: { slot: 'c.25-m256', env: { SECRET: '…' } },
      isNew: true,
    });
    expect(await json(args)).toMatchObject({ isNew: false });
  });

  it('shows the Dockerfile that is used for a folder without one', async () => {
    const { code, err } = await berth(['deploy', join(root, 'examples/static')]);
    expect(code).toBe(0);
    expect(err).toContain('No Dockerfile here');
    expect(err).toContain('FROM ');
  });

  it('shows a plan and deploys nothing with --dry-run, also without a server', async () => {
    const how = { data: join(folder, 'nowhere') };
    const { code, out } = await berth(['deploy', hello, '--dry-run', '--port', '3000'], how);
    expect(code).toBe(0);
    expect(out).toMatch(/project +hello/);
    expect(out).toMatch(/port +3000/);
    expect(out).toContain('server.mjs');
    expect(await json(['deploy', hello, '--dry-run'], how)).toMatchObject({
      project: 'hello',
      files: [{ path: 'Dockerfile' }, { path: 'server.mjs' }],
    });
  });

  it('with --no-wait returns before the end', async () => {
    const { code, out } = await berth(['deploy', hello, '--name', 'later', '--no-wait']);
    expect([code, out.startsWith('http://later-')]).toEqual([0, true]);
  });

  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    ['is not JSON', { 'berth.json': '{ "name": ' }, 'CONFIG_SYNTAX', 'berth.json:1:'],
    ['has an unknown key', { 'berth.json': '{ "nmae": "x" }' }, 'CONFIG_INVALID', 'berth.json:1:3'],
    [
      'is out of range',
      { 'now.json': '{\n "limits": { "duration": 1 }\n}' },
      'CONFIG_INVALID',
      'now.json:2:',
    ],
    ['is there twice', { 'berth.json': '{}', 'now.json': '{}' }, 'CONFIG_CONFLICT', 'now.json'],
    ['is of no known kind', { 'notes.md': '' }, 'NO_DOCKERFILE', 'Dockerfile'],
  ])(
    'of a folder whose configuration %s fails with its code and place',
    async (name, files, code, place) => {
      const where = join(folder, name.replaceAll(' ', '-'));
      await mkdir(where);
      for (const [path, text] of Object.entries(files)) await writeFile(join(where, path), text);
      const ran = await berth(['deploy', where]);
      expect([ran.code, ran.out]).toEqual([1, '']);
      expect(ran.err).toContain(`error ${code}: `);
      expect(ran.err).toContain(place);
      expect(ran.err).toMatch(new RegExp(`http://127\\.0\\.0\\.1:\\d+/docs/errors/${code}`));
      const told = await berth(['deploy', where, '--json']);
      expect(told.out).toBe('');
      expect(JSON.parse(told.err)).toMatchObject({ error: { code } });
    },
  );

  it('of a folder that is not there says so', async () => {
    const { code, err } = await berth(['deploy', join(folder, 'absent')]);
    expect(code).toBe(1);
    expect(err).toContain('error FOLDER_NOT_FOUND: ');
  });
});

describe('looking', () => {
  it('lists are arrays of objects in JSON', async () => {
    await berth(['deploy', hello]);
    const { out } = await berth(['deploy', hello]);
    const id = new URL(out.trim()).hostname.split('.')[0];
    await ask(out.trim());
    expect(await json(['ls'])).toContainEqual(expect.objectContaining({ id, state: 'ready' }));
    expect(await json(['ls', 'no-such-project'])).toEqual([]);
    expect(await json(['instances', id ?? ''])).toEqual([
      expect.objectContaining({
        deployment: id,
        state: expect.stringMatching(/^(ready|busy|frozen)$/) as string,
      }),
    ]);
    expect(await json(['slots'])).toContainEqual(
      expect.objectContaining({ name: 'c.125-m512', fits: true }),
    );
    expect(await json(['logs', 'hello'])).toEqual(expect.any(Array));
    expect(await json(['inspect', 'hello'])).toMatchObject({ project: 'hello', instances: [{}] });
    expect(await json(['status'])).toMatchObject({ engine: { name: 'memory' }, dataFolder: data });
    expect(await json(['whoami'])).toMatchObject({ server: expect.any(String) as string });
  });

  it('tables have one line each, without colour when piped', async () => {
    const { out } = await berth(['ls']);
    expect(out).toMatch(/NAME +DOING +URL +IMAGE +CREATED\n/);
    expect(out).not.toContain('\u001B');
  });

  it('what is not there is DEPLOYMENT_NOT_FOUND', async () => {
    for (const command of [
      ['inspect', 'nothing'],
      ['logs', 'nothing'],
      ['rm', 'nothing', '--yes'],
    ]) {
      const { code, err } = await berth(command);
      expect(code).toBe(1);
      expect(err).toContain('error DEPLOYMENT_NOT_FOUND: ');
    }
  });

  it('a reader that has seen enough is no failure', async () => {
    const command = `'${process.execPath}' '${join(root, 'src/main.ts')}' ls --json | head -c 1; exit \${PIPESTATUS[0]}`;
    const ended = await new Promise<Ran>((resolve) => {
      execFile('bash', ['-c', command], { env: environment({}) }, (error, out, err) =>
        resolve({ code: error ? 1 : 0, out, err }),
      );
    });
    expect(ended).toEqual({ code: 0, out: '[', err: '' });
  });
});

describe('on a terminal', () => {
  it('a deploy prints its URL before it is ready, once', async () => {
    const seen = await inTerminal(['deploy', hello, '--name', 'shown']);
    expect(seen.match(/http:\/\/shown-/g)).toHaveLength(1);
    expect(seen.indexOf('http://shown-')).toBeLessThan(seen.indexOf('Built'));
    expect(seen).toContain('Ready');
  });

  it('rm asks, and takes no for an answer', async () => {
    await berth(['deploy', hello, '--name', 'kept']);
    await inTerminal(['rm', 'kept'], 'n');
    expect(await json(['ls', 'kept'])).toHaveLength(1);
    await inTerminal(['rm', 'kept'], 'y');
    expect(await json(['ls', 'kept'])).toEqual([]);
  });
});

describe('rm', () => {
  it('asks nobody without a terminal: it wants --yes', async () => {
    await berth(['deploy', hello, '--name', 'gone']);
    const refused = await berth(['rm', 'gone']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('--yes');
    expect(await json(['rm', 'gone', '--yes'])).toEqual([
      { id: expect.stringMatching(/^gone-/) as string, removed: true },
    ]);
    expect(await json(['ls', 'gone'])).toEqual([]);
  });

  it('wants a name that is not empty', async () => {
    const { code, err } = await berth(['rm', '', '--yes']);
    expect([code, err.split('\n')[0]]).toEqual([2, expect.stringContaining('A name is empty.')]);
  });

  it('removes nothing when one of several names fits none or many', async () => {
    await berth(['deploy', hello, '--name', 'twice']);
    await berth(['deploy', hello, '--name', 'twice', '-e', 'A=1']);
    const ambiguous = await berth(['rm', 'twice', '--yes']);
    expect(ambiguous.err).toContain('error DEPLOYMENT_AMBIGUOUS: ');
    const [first] = (await json(['ls', 'twice'])) as { id: string }[];
    expect((await berth(['rm', first?.id ?? '', 'nothing', '--yes'])).code).toBe(1);
    expect(await json(['ls', 'twice'])).toHaveLength(2);
  });

  it('of several names removes all that can go, and says which stays and why', async () => {
    for (const value of ['1', '2', '3']) {
      await berth(['deploy', hello, '--name', 'many', '-e', `A=${value}`]);
    }
    const ids = ((await json(['ls', 'many'])) as { id: string }[]).map(({ id }) => id);
    const [used = ''] = ids;
    await berth(['promote', used, '--to', 'production']);
    const some = await berth(['rm', ...ids, '--yes']);
    expect(some.code).toBe(1);
    expect(some.err).toContain(`✗ Kept ${used}`);
    expect(some.err).toContain('error DEPLOYMENT_IN_USE: ');
    expect(await json(['ls', 'many'])).toMatchObject([{ id: used }]);
    await berth(['environments', 'rm', 'production', '--name', 'many', '--yes']);
    expect((await berth(['rm', used, '--yes'])).code).toBe(0);
  });
});

describe('a whole project', () => {
  const names = async () =>
    ((await json(['projects'])) as { name: string }[]).map(({ name }) => name);

  async function madeOf(project: string): Promise<string> {
    await berth(['deploy', hello, '--name', project, '--prod']);
    const { code } = await berth(['alias', 'set', `${project}.example.com`, project]);
    expect(code).toBe(0);
    const [deployment] = (await json(['ls', project])) as { id: string }[];
    return deployment?.id ?? '';
  }

  it('is shown before it goes, wants --yes where nobody can be asked, and takes aliases only when told to', async () => {
    const id = await madeOf('whole');
    const refused = await berth(['projects', 'rm', 'whole']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('say --yes');
    for (const shown of ['whole.example.com', 'production', '2 releases', id]) {
      expect(refused.out).toContain(shown);
    }
    const led = await berth(['projects', 'rm', 'whole', '--yes']);
    expect(led.code).toBe(1);
    expect(led.err).toContain('error ALIASED: ');
    expect(led.err).toContain('whole.example.com: leads to whole/production');
    const kept = await berth(['environments', 'rm', 'production', '--name', 'whole', '--yes']);
    expect(kept.err).toContain('error ALIASED: ');
    expect(await names()).toContain('whole');
    expect(await json(['projects', 'rm', 'whole', '--yes', '--with-aliases'])).toEqual({
      name: 'whole',
      deployments: 1,
      environments: 1,
      aliases: 1,
      removed: true,
    });
    expect(await names()).not.toContain('whole');
    const again = await berth(['projects', 'rm', 'whole', '--yes']);
    expect(again.err).toContain('error PROJECT_NOT_FOUND: There is no project whole.\n');
  });

  it('goes with the aliases that the question named', async () => {
    await madeOf('asked');
    await inTerminal(['projects', 'rm', 'asked'], 'n');
    expect(await names()).toContain('asked');
    expect(await inTerminal(['projects', 'rm', 'asked'], 'y')).toContain('asked.example.com');
    expect(await names()).not.toContain('asked');
    expect(await json(['alias'])).toEqual([]);
  });

  it('is promoted by its URL as a promotion, and not twice', async () => {
    const first = await berth(['deploy', hello, '--name', 'steps', '--branch', 'cart']);
    const promoted = await berth(['promote', first.out.trim(), '--to', 'production']);
    expect(promoted.code).toBe(0);
    const again = await berth(['promote', first.out.trim(), '--to', 'production']);
    expect(again).toMatchObject({ code: 0, out: promoted.out });
    expect(again.err).toContain('already: no new release is needed');
    const deployed = await berth(['deploy', hello, '--name', 'steps', '--prod']);
    expect(deployed).toMatchObject({ code: 0, out: promoted.out });
    const history = (await json(['releases', 'steps'])) as { because: string }[];
    expect(history.map(({ because }) => because)).toEqual([
      expect.stringMatching(/^Promote steps-[0-9a-z]{8} from preview\/cart v1$/),
    ]);
  });
});

describe('an environment with a name of its own', () => {
  it('is promoted by that name, of the project of --name or of the folder', async () => {
    const qa = ['deploy', hello, '--name', 'named'];
    const deployed = (await berth(qa)).out.trim();
    await berth(['promote', deployed, '--to', 'qa']);
    const promoted = await berth(['promote', 'qa', '--name', 'named']);
    expect(promoted).toMatchObject({ code: 0 });
    const own = join(folder, 'named');
    await mkdir(own);
    const again = await berth(['promote', 'qa', '--to', 'staging'], { folder: own });
    expect(again).toMatchObject({ code: 0 });
    for (const env of ['production', 'staging']) {
      const [release] = (await json(['releases', 'named', '--env', env])) as { because: string }[];
      expect(release?.because).toMatch(/^Promote named-[0-9a-z]{8} from qa v1$/);
    }
    expect((await berth(['promote', 'nope', '--name', 'named'])).err).toContain(
      'nope is no deployment, no release like v12, and no environment of named',
    );
    expect((await berth(['promote', ''])).code).toBe(2);
  });
});

describe('a release on trial', () => {
  it('that gives way to changed scale or variables is named by the command that did it', async () => {
    const first = (await berth(['deploy', hello, '--name', 'trying', '--prod'])).code;
    const other = await berth(['deploy', hello, '--name', 'trying', '-e', 'GREETING=Hei']);
    const tried = ['promote', other.out.trim(), '--percent', '10'];
    expect([first, (await berth(tried)).code]).toEqual([0, 0]);
    const scaled = await berth(['scale', 'trying', 'max=3']);
    expect(scaled.err).toContain('v2, which was on trial, was taken back');
    expect((await berth(tried)).code).toBe(0);
    const set = await berth(['env', 'set', 'A=1', '--name', 'trying']);
    expect(set.err).toContain('v4, which was on trial, was taken back');
    expect((await berth(['scale', 'trying', 'max=4'])).err).not.toContain('trial');
  });
});

describe('scale and limits', () => {
  it('are shown with their numbers, whether the environment has its own or not', async () => {
    await berth(['deploy', hello, '--name', 'sized', '--prod']);
    const shown = async (...args: string[]) => (await berth([...args, 'sized'])).out;
    expect(await shown('scale')).toMatch(/min +0 \(as configured\)\nmax +10 \(as configured\)/);
    expect(await shown('limits')).toMatch(/maxConcurrentReqs +\d+ \(as configured\)\nduration +\d/);
    expect((await berth(['scale', 'sized', '--env', 'staging'])).out).toMatch(/min +as configured/);
    await berth(['scale', 'sized', 'min=1', 'max=4']);
    await berth(['limits', 'sized', 'duration=60s']);
    expect(await shown('scale')).toMatch(/min +1\nmax +4\n/);
    expect(await shown('limits')).toMatch(/duration +1 m 0 s\ntimeout.*\(as configured\)/);
    expect(await shown('inspect')).toMatch(/scale of production +\{"min":1,"max":4\}/);
  });
});

describe('variables', () => {
  it('are one object with --json, also when they were pulled as a file for people', async () => {
    await berth(['deploy', hello, '--name', 'pulled']);
    const ofPulled = ['--name', 'pulled'];
    expect((await berth(['env', 'set', 'A=one two', 'B=2', ...ofPulled])).code).toBe(0);
    expect(await json(['env', 'pull', ...ofPulled])).toEqual({ A: 'one two', B: '2' });
    expect((await berth(['env', 'pull', ...ofPulled])).out).toBe('A=one two\nB=2\n');
    const bad = await berth(['env', 'set', 'BAD NAME=1', ...ofPulled]);
    expect(bad.code).toBe(1);
    expect(bad.err).toContain('set.BAD NAME: is not a variable name: 1 to 256 characters');
    const misspelt = await berth(['env', 'set', 'A=1', '--env', 'brandnew', ...ofPulled]);
    expect(misspelt.code).toBe(1);
    expect(misspelt.err).toContain('pulled has no environment brandnew.');
    expect(misspelt.err).toContain('`berth environments add`');
  });
});

describe('up and down', () => {
  it('are done once however often they are said, and keep what was deployed', async () => {
    const own = { data: join(folder, 'again') };
    const args = ['up', '--engine', 'memory', '--listen', '127.0.0.1:0'];
    const first = await berth(args, own);
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
    const again = await berth(args, own);
    expect([again.code, again.out]).toEqual([0, first.out]);
    expect(again.err).toContain('running already');
    const deployed = await berth(['deploy', hello], own);

    expect(await json(['down'], own)).toMatchObject({ stopped: true });
    expect(await json(['down'], own)).toEqual({ stopped: false });
    expect((await berth(['ls'], own)).err).toContain('error SERVER_NOT_RUNNING');

    const listen = new URL(first.out.trim()).host;
    const back = await json([...args.slice(0, -1), listen], own);
    expect(back).toMatchObject({ started: true, listen });
    expect((await ask(deployed.out.trim())).status).toBe(200);
    const gone = await berth(['down', '--instances'], own);
    expect(gone).toMatchObject({ code: 0, err: expect.stringContaining('no instance is left') });
    const left = JSON.parse(await readFile(join(own.data, 'left.json'), 'utf8')) as unknown;
    expect(left).toEqual({ pid: expect.any(Number), instances: 0 });
    expect(await readFile(join(own.data, 'serve.log'), 'utf8')).toContain('"removeInstances":true');
  });

  it('a killed server leaves a note that misleads nobody', async () => {
    const own = { data: join(folder, 'killed') };
    const args = ['up', '--engine', 'memory', '--listen', '127.0.0.1:0'];
    await berth(args, own);
    const killed = await pidOf(own.data);
    process.kill(killed, 'SIGKILL');
    expect((await berth(['status'], own)).err).toContain('error SERVER_NOT_RUNNING');
    expect(await json(args, own)).toMatchObject({ started: true });
    expect(await pidOf(own.data)).not.toBe(killed);
    await berth(['down'], own);
  });

  it('a process that has the id of a server long gone is left alone', async () => {
    const own = { data: join(folder, 'reused') };
    const other = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(other, 'spawn');
    await mkdir(own.data);
    const note = { pid: other.pid, listen: '127.0.0.1:1', version: '0' };
    await writeFile(join(own.data, 'server.json'), JSON.stringify(note));
    expect(await json(['down'], own)).toEqual({ stopped: false });
    const args = ['up', '--engine', 'memory', '--listen', '127.0.0.1:0'];
    expect(await json(args, own)).toMatchObject({ started: true });
    await berth(['down'], own);
    expect(other.exitCode ?? other.signalCode).toBeNull();
    other.kill();
    await once(other, 'close');
  });

  it('two at once start one server, and both find it', async () => {
    const own = { data: join(folder, 'race') };
    const args = ['up', '--engine', 'memory', '--listen', '127.0.0.1:0'];
    const both = await Promise.all([berth(args, own), berth(args, own)]);
    expect(both.map((ran) => ran.code)).toEqual([0, 0]);
    expect(both[0]?.out).toBe(both[1]?.out);
    await berth(['down'], own);
  });

  it('a start that fails gives its own code and leaves nothing running', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const own = { data: join(folder, 'taken') };
    const args = ['up', '--engine', 'memory', '--listen', `127.0.0.1:${port}`];
    const { code, out, err } = await berth(args, own);
    taken.close();
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('error ADDRESS_IN_USE: ');
    expect(err).toContain(String(port));
    await expect(stat(join(own.data, 'server.json'))).rejects.toThrow('ENOENT');
  });

  it('the token is for its owner alone', async () => {
    expect((await stat(join(data, 'token'))).mode & 0o777).toBe(0o600);
    const note = JSON.parse(await readFile(join(data, 'server.json'), 'utf8')) as {
      listen: string;
    };
    const env = { BERTH_URL: `http://${note.listen}`, BERTH_TOKEN: 'wrong' };
    const refused = await berth(['ls'], { env });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('error UNAUTHORIZED: ');
    const token = (await readFile(join(data, 'token'), 'utf8')).trim();
    expect((await berth(['ls'], { env: { ...env, BERTH_TOKEN: token } })).code).toBe(0);
  });
});

describe('doctor', () => {
  it('looks at this host without a server', async () => {
    const ran = await berth(['doctor', '--json'], { data: join(folder, 'nowhere') });
    const found = JSON.parse(ran.out) as { level: string; about: string }[];
    expect(found.map((finding) => finding.about)).toContain('runtime');
    const hasProblems = found.some((finding) => finding.level === 'problem');
    expect(ran.code).toBe(hasProblems ? 1 : 0);
  });
});

describe('the launcher', () => {
  it('starts the same program, also through a link and from another folder', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    await new Promise<void>((resolve, reject) => {
      execFile('ln', ['-s', join(root, 'berth'), join(folder, 'linked')], (error) =>
        error ? reject(new Error('ln failed')) : resolve(),
      );
    });
    const said = await new Promise<string>((resolve) => {
      const env = { ...environment({}), BERTH_NODE: process.execPath };
      execFile('./linked', ['--version'], { cwd: folder, env }, (_error, out, err) =>
        resolve(out + err),
      );
    });
    expect(said).toBe(`${version}\n`);
  });
});
