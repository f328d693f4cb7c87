/** A share of the clients for a new release, and hostnames of one's own, on real containers under load. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth } from './fixtures/berth.ts';

let berth: Berth;

beforeAll(async () => {
  berth = await Berth.up();
});

afterAll(async () => {
  for (const name of ['production', 'staging']) {
    await berth.run('environments', 'rm', name, '--name', 'shop', '--yes', '--with-aliases');
  }
  await berth.close();
});

const FAULTY =
  "import { createServer } from 'node:http';\n" +
  "createServer((_request, response) => { response.statusCode = 500; response.end('faulty'); })" +
  '.listen(process.env.PORT);\n';

interface Release {
  readonly number: number;
  readonly state: string;
  readonly deployment: string;
  readonly because: string;
}

async function releases(): Promise<readonly Release[]> {
  return JSON.parse(await berth.run('releases', 'shop', '--json')) as readonly Release[];
}

test('a tenth that fails is taken back by itself, which says why; aliases lead where they should meanwhile', async () => {
  const good = await berth.deploy('hello', { name: 'shop', env: { GREETING: 'good' } });
  await berth.run('promote', good.href, '--to', 'production');
  await berth.run('promote', good.href, '--to', 'staging');
  const production = new URL(`http://shop.localhost:${good.port}`);
  await berth.run('alias', 'set', 'www.example.com', 'shop');
  expect((await releases())[0]).toMatchObject({
    number: 2,
    state: 'current',
    because: 'Lead www.example.com here',
  });
  const alias = new URL(`http://www.example.com:${good.port}`);
  expect((await berth.get(alias)).body).toContain('good');

  const faulty = await berth.deploy('hello', { name: 'shop' }, { 'server.mjs': FAULTY });
  await berth.run('promote', faulty.href, '--to', 'production', '--percent', '10');
  expect((await releases())[0]).toMatchObject({ number: 3, state: 'trial' });

  const counts = { good: 0, faulty: 0, other: 0 };
  const isOver = async () => (await releases())[0]?.state !== 'trial';
  for (let round = 0; round < 60 && !(await isOver()); round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => berth.get(round % 2 === 0 ? production : alias)),
    );
    for (const { status, body } of answers) {
      if (status === 500 && body === 'faulty') counts.faulty += 1;
      else counts[status === 200 && body.includes('good') ? 'good' : 'other'] += 1;
    }
  }
  const [trial, standing] = await releases();
  expect(trial).toMatchObject({ number: 3, state: 'failed' });
  expect(trial?.because).toMatch(/taken back: \d+ of \d+ requests \(\d+ %\) failed, against 0 of/);
  expect(standing).toMatchObject({ number: 2, state: 'current' });
  expect(counts.other).toBe(0);
  expect(counts.faulty).toBeGreaterThanOrEqual(20);
  expect(counts.good).toBeGreaterThan(counts.faulty * 4);

  const after = await Promise.all(Array.from({ length: 100 }, () => berth.get(production)));
  expect(after.filter(({ status }) => status !== 200)).toEqual([]);
});

test('an alias moves between one request and the next, and none is lost', async () => {
  const one = await berth.deploy('hello', { name: 'shop', env: { GREETING: 'one' } });
  const two = await berth.deploy('hello', { name: 'shop', env: { GREETING: 'two' } });
  const moving = new URL(`http://moving.example.com:${one.port}`);
  await berth.run('alias', 'set', 'moving.example.com', one.href);
  await berth.run('alias', 'set', 'moving.example.com/staging', 'shop/staging');
  expect((await berth.get(moving, '/staging')).body).toContain('good');

  let isMoving = true;
  const failed: unknown[] = [];
  const bodies = new Set<string>();
  const load = (async () => {
    while (isMoving) {
      const { status, body } = await berth.get(moving);
      if (status !== 200) failed.push(body);
      else bodies.add(body.includes('two') ? 'two' : 'one');
    }
  })();
  for (const target of [two, one, two]) {
    await berth.run('alias', 'set', 'moving.example.com', target.href);
    expect((await berth.get(moving)).body).toContain(target === two ? 'two' : 'one');
  }
  isMoving = false;
  await load;
  expect(failed).toEqual([]);
  expect([...bodies].sort()).toEqual(['one', 'two']);

  await expect(
    berth.run('alias', 'set', 'again.example.com', 'moving.example.com'),
  ).rejects.toThrow(/is an alias itself/);
  await berth.run('alias', 'rm', 'moving.example.com');
  expect((await berth.get(moving)).status).toBe(404);
  await expect(berth.run('alias', 'rm', 'moving.example.com')).rejects.toThrow(/ALIAS_NOT_FOUND/);
});
