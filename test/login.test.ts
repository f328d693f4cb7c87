/** Logging in from elsewhere, with the real program: link and token, where commands go then, and what is kept where. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const execute = promisify(execFile);
const program = join(import.meta.dirname, '../src/main.ts');

let home: string;
let data: string;
let url: string;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As somebody whose home is a folder of this test; `--data` is theirs to give. */
async function run(words: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const { PATH = '' } = process.env;
  const options = { cwd: home, env: { PATH, HOME: home, ...env } };
  try {
    const running = execute(process.execPath, [program, ...words], options);
    running.child.stdin?.end();
    return { code: 0, ...(await running) };
  } catch (error) {
    return error as Ran;
  }
}

const onServer = (...words: readonly string[]) => run(['--data', data, ...words]);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'berth-login-'));
  data = join(home, 'data');
  const up = await onServer('up', '--listen', '127.0.0.1:0', '--engine', 'memory');
  url = up.stdout.trim();
  // The first start says how the first owner gets in.
  expect(up.stderr).toContain((await readFile(join(data, 'login-link'), 'utf8')).trim());
});
afterAll(async () => {
  await onServer('down');
  await rm(home, { recursive: true, force: true });
});

describe('berth login', () => {
  test('uses the first link up, keeps the token for nobody else to read, and commands go there', async () => {
    const link = (await readFile(join(data, 'login-link'), 'utf8')).trim();
    expect(await run(['login', link])).toMatchObject({ code: 0, stdout: `owner at ${url}\n` });
    const file = join(home, '.config/berth/servers.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await run(['whoami'])).stdout).toBe(
      `owner at ${url} (a login link): owner of all teams\n`,
    );
    const again = await run(['login', link]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('LOGIN_INVALID');
    // A second start has nothing to say.
    expect((await onServer('up')).stderr).not.toContain('/login?code=');
  });

  test('keeps no token that the server does not know', async () => {
    const before = await readFile(join(home, '.config/berth/servers.json'), 'utf8');
    const refused = await run(['login', url, '--token', 'berth_guessed']);
    expect(refused.stderr).toContain('UNAUTHORIZED');
    expect(await readFile(join(home, '.config/berth/servers.json'), 'utf8')).toBe(before);
  });

  test('gives way to BERTH_TOKEN, BERTH_URL and --data, in this order of nearness', async () => {
    const made = await onServer('token', 'add', 'ci', '--role', 'viewer', '--can', 'read');
    const token = made.stdout.trim();
    expect((await run(['whoami'], { BERTH_TOKEN: token })).stdout).toMatch(/^ci at /);
    const there = { BERTH_TOKEN: token, BERTH_URL: `${url}/` };
    expect((await run(['whoami'], there)).stdout).toMatch(/^ci at /);
    expect((await run(['whoami'], { BERTH_URL: url })).stdout).toMatch(/^owner at /);
    expect((await run(['whoami'], { BERTH_DATA: data })).stdout).toMatch(/^local at /);
    expect((await onServer('whoami')).stdout).toMatch(/^local at /);
    const unknown = await run(['whoami'], { BERTH_URL: 'http://127.0.0.1:1' });
    expect(unknown.stderr).toContain('BERTH_TOKEN is not set');
    const refused = await run(['token', 'ls'], there);
    expect(refused.stderr).toMatch(/FORBIDDEN.*The token ci|FORBIDDEN.*ci is viewer/);
    expect(refused.stderr).toContain('this needs team');
  });

  test('is undone by logout, on the server too', async () => {
    const kept = JSON.parse(await readFile(join(home, '.config/berth/servers.json'), 'utf8')) as {
      readonly tokens: Readonly<Record<string, string>>;
    };
    expect((await run(['logout'])).code).toBe(0);
    const token = kept.tokens[url] ?? '';
    expect((await run(['whoami'], { BERTH_URL: url, BERTH_TOKEN: token })).stderr).toContain(
      'UNAUTHORIZED',
    );
    expect((await run(['logout'])).stderr).toContain('logged in nowhere');
    const lines = JSON.parse((await onServer('audit', '--json')).stdout) as readonly {
      readonly action: string;
    }[];
    expect(lines.map(({ action }) => action)).toStrictEqual([
      'member.left',
      'token.added',
      'member.joined',
    ]);
  });
});

test('teams, plans and tokens are listed, and removed by name', async () => {
  await onServer('teams', 'add', 'blue', '--plan', 'oss');
  await onServer('plans', 'set', 'tiny', '--instances', '1');
  await onServer('teams', 'plan', 'blue', 'tiny');
  expect((await onServer('teams')).stdout).toMatch(/^blue +tiny +0 +0 of 1 +0$/m);
  expect((await onServer('plans')).stdout).toMatch(/^tiny +1 +any +own +blue$/m);
  const token = await onServer('token', 'add', 'bot', '--team', 'blue', '--expires', '90d');
  expect(token.stdout).toMatch(/^berth_[0-9a-z]{52}\n$/);
  expect((await onServer('token', '--team', 'blue')).stdout).toMatch(
    /^bot +program +never +in \d+ d/m,
  );
  const link = await onServer('teams', 'invite', 'ann', '--team', 'blue', '--role', 'owner');
  expect(link.stdout).toMatch(new RegExp(`^${url}/login\\?code=[0-9a-z]+\n$`));
  expect((await onServer('token', 'rm', 'bot')).code).toBe(0);
  expect((await onServer('token', 'rm', 'bot')).stderr).toContain('TOKEN_NOT_FOUND');
  expect((await onServer('teams', 'rm', 'blue')).code).toBe(0);
  expect((await onServer('audit', '--team', 'blue', '--limit', '1')).stdout).toContain(
    'team.removed',
  );
});
