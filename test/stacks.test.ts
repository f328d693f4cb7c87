/** Stacks through the command line of a whole server: apply, look again, change, prune, fail in the middle, go on. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Berth } from './fixtures/berth.ts';

const root = join(import.meta.dirname, '..');
const IMAGE = { image: 'docker.io/library/shop:1' };
const SECRET = 'canary-of-the-stack';

let berth: Berth;
let folder: string;

beforeAll(async () => {
  berth = await Berth.up('--engine', 'memory', '--deploys-per-minute', '100');
  folder = await mkdtemp(join(tmpdir(), 'berth-stacks-'));
  await cp(join(root, 'examples/hello'), join(folder, 'app'), { recursive: true });
  await writeFile(join(folder, 'secret'), SECRET);
  await berth.run('secrets', 'add', 'db-url', '--file', join(folder, 'secret'));
}, 60_000);

afterAll(async () => {
  await berth.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that may fail. */
async function ended(...words: readonly string[]): Promise<Ended> {
  try {
    return { code: 0, stdout: await berth.run(...words), stderr: '' };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout: stdout.trim(), stderr };
  }
}

async function written(stack: unknown, name = 'berth.stack.json'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof stack === 'string' ? stack : JSON.stringify(stack, undefined, 2));
  return path;
}

const diff = async (stack: unknown, ...options: readonly string[]) =>
  ended('diff', '-f', await written(stack), ...options);
const apply = async (stack: unknown, ...options: readonly string[]) =>
  ended('apply', '--yes', '-f', await written(stack), ...options);
const lines = (text: string) =>
  text.split('\n').map((line) => line.replace(/(?<=\S) {2}\S.*$/, ''));

async function releasesOf(project: string, environment = 'production') {
  const text = await berth.run('releases', project, '--env', environment, '--json');
  return JSON.parse(text) as readonly { number: number; kind: string; because: string }[];
}

const shop = (changes: { readonly variables?: object; readonly aliases?: object } = {}) => ({
  teams: { blue: { plan: 'pro' } },
  projects: {
    shop: {
      environments: {
        production: {
          runs: { from: 'staging' },
          variables: { COLOUR: 'red', SIZE: 'big', ...changes.variables },
          limits: { maxConcurrentReqs: 5 },
          scale: { min: 0, max: 3 },
        },
        staging: {
          runs: { folder: './app' },
          variables: { DB: '@db-url', AT: '@@home', BACK: '\\@x' },
        },
      },
    },
    sea: { team: 'blue', environments: { qa: { runs: IMAGE } } },
  },
  aliases: changes.aliases ?? { 'www.shop.test': 'shop', 'www.shop.test/sea': 'shop/staging' },
});

describe('a stack', () => {
  test('makes all of an empty platform, and then there is nothing to do', async () => {
    const before = await diff(shop());
    expect(before.code).toBe(2);
    expect(before.stdout).toContain('+ deployment of shop from ./app');
    expect(before.stdout).not.toMatch(/red|big/);
    expect(JSON.parse(await berth.run('ls', '--json'))).toStrictEqual([]);

    const done = await apply(shop());
    expect(done.stderr).toBe('');
    expect(done.stdout).toBe(before.stdout);
    const again = await diff(shop());
    expect([again.code, again.stdout]).toStrictEqual([0, '']);
    expect((await apply(shop())).stdout).toBe('');

    expect((await berth.get(new URL('http://www.shop.test'))).status).toBe(200);
    expect((await releasesOf('shop')).filter(({ kind }) => kind !== 'hostnames')).toHaveLength(1);
    expect(await releasesOf('sea', 'qa')).toHaveLength(1);
    const env = await berth.run('env', 'ls', '-n', 'shop', '--env', 'staging', '--json');
    expect(env).toContain('@db-url');
    expect(env).not.toContain(SECRET);
  }, 120_000);

  test('that changes a variable, a limit and the scale is one release', async () => {
    const before = await releasesOf('shop');
    const changed = shop({ variables: { COLOUR: 'green' } });
    const { production } = changed.projects.shop.environments;
    production.limits.maxConcurrentReqs = 7;
    production.scale.max = 2;
    const shown = await diff(changed, '--json');
    expect(shown.code).toBe(2);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      steps: [
        {
          sign: '~',
          subject: 'environment shop/production',
          changes: [
            { sign: '~', what: 'variable COLOUR' },
            { sign: '~', what: 'limit maxConcurrentReqs 5 → 7' },
            { sign: '~', what: 'scale 0–3 → 0–2' },
          ],
        },
      ],
    });
    const done = await apply(changed, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ steps: [{ outcome: 'done' }] });
    const after = await releasesOf('shop');
    expect(after).toHaveLength(before.length + 1);
    expect(after[0]?.because).toBe(
      'Set COLOUR; Scale to 0–2 instances; Limit maxConcurrentReqs to 7: by berth.stack.json',
    );
    expect((await diff(changed)).code).toBe(0);
    expect((await apply(shop())).code).toBe(0);
  }, 60_000);

  test('that deploys a changed folder promotes it in the same go', async () => {
    await writeFile(join(folder, 'app', 'note.txt'), 'another content');
    const { stdout } = await apply(shop());
    expect(lines(stdout).filter((line) => !line.startsWith(' '))).toStrictEqual([
      '+ deployment of shop from ./app',
      '~ environment shop/staging',
      '~ environment shop/production',
    ]);
    const [production] = await releasesOf('shop');
    expect(production?.because).toMatch(/^Promote shop-\w{8} from staging v\d+: by/);
    expect((await diff(shop())).code).toBe(0);
  }, 60_000);

  test('leaves what it does not list alone, unless --prune says otherwise', async () => {
    await berth.run('environments', 'add', 'qa', '-n', 'shop');
    await berth.run('env', 'set', 'EXTRA=1', '-n', 'shop', '--env', 'staging');
    const fewer = shop({ aliases: { 'www.shop.test': 'shop' } });
    expect((await diff(fewer)).code).toBe(0);
    expect((await apply(fewer)).stdout).toBe('');
    expect(await berth.run('alias', 'ls', '--json')).toContain('/sea');

    const shown = await diff(fewer, '--prune');
    expect(lines(shown.stdout)).toStrictEqual([
      '~ environment shop/staging',
      '    - variable EXTRA',
      '- alias www.shop.test/sea → shop/staging',
      '- environment shop/qa',
    ]);
    expect((await apply(fewer, '--prune')).code).toBe(0);
    expect(await berth.run('alias', 'ls', '--json')).not.toContain('/sea');
    expect((await diff(fewer, '--prune')).code).toBe(0);
    expect(JSON.parse(await berth.run('ls', '--json'))).not.toHaveLength(0);
  }, 60_000);

  test('that fails in the middle says what was done, and goes on from there', async () => {
    const failing = shop({
      variables: { COLOUR: 'blue' },
      aliases: { 'one.shop.test': 'shop', 'berth.localhost': 'shop', 'two.shop.test': 'shop' },
    });
    const failed = await apply(failing);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('error HOSTNAME_TAKEN');
    expect(failed.stderr).toContain('Done: 2 of 4 steps');
    expect(failed.stderr).toContain(
      'Not done: alias berth.localhost → shop/production, alias two.shop.test → shop/production.',
    );
    const mended = shop({
      variables: { COLOUR: 'blue' },
      aliases: { 'one.shop.test': 'shop', 'two.shop.test': 'shop' },
    });
    expect(lines((await apply(mended)).stdout)).toStrictEqual([
      '+ alias two.shop.test → shop/production',
    ]);
    expect((await diff(mended)).code).toBe(0);
  }, 60_000);

  test('is refused before anything is done: bad file, missing secret, what cannot be', async () => {
    const yaml = 'projects:\n  shop:\n    environments:\n      qa:\n        scal: { min: 1 }\n';
    const bad = await ended('apply', '--yes', '-f', await written(yaml, 'bad.yaml'));
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain(
      'bad.yaml:5:9: there is no key projects.shop.environments.qa.scal; did you mean "scale"?',
    );
    const missing = await apply({
      projects: { new: { environments: { qa: { variables: { KEY: '@nothing' } } } } },
    });
    expect(missing.stderr).toContain('error SECRET_NOT_FOUND');
    expect(missing.stderr).toMatch(/berth\.stack\.json:\d+:\d+: projects\.new\.environments\.qa/);
    const moved = await apply({ projects: { new: {}, shop: { team: 'blue' } } });
    expect(moved.stderr).toContain('error STACK_IMPOSSIBLE');
    expect(moved.stderr).toContain('shop.team belongs to team default');
    const elsewhere = await apply({
      projects: { new: {}, shop: { environments: { qa: { runs: { deployment: 'none' } } } } },
    });
    expect(elsewhere.stderr).toContain('which is no deployment of shop');
    const none = await ended('diff', '-f', join(folder, 'none.json'));
    expect(none.stderr).toContain('error STACK_NOT_FOUND');
    const file = await written(shop({ variables: { COLOUR: 'pink' } }));
    expect((await ended('apply', '-f', file)).stderr).toContain('say --yes');
    const projects = await berth.run('status', '--json');
    expect(projects).not.toContain('"new"');
    expect((await releasesOf('shop'))[0]?.because).not.toContain('pink');
  }, 60_000);

  test('from the examples is whole and well', async () => {
    const file = join(root, 'examples/stack/berth.stack.yaml');
    const done = await ended('apply', '--yes', '-f', file);
    expect(done.stderr).toBe('');
    expect(lines(done.stdout).filter((line) => line.startsWith('+'))).toHaveLength(9);
    expect((await ended('diff', '-f', file)).code).toBe(0);
    expect((await berth.get(new URL('http://www.example.test/api'))).status).toBe(200);
  }, 60_000);
});
