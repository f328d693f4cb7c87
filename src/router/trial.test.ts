/** While a release is on trial, its share of clients gets it, and each keeps its side. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { APP, call, startWorld, type World } from '../../test/fixtures/router-world.ts';

const FRESH = 'hello-00000002';
let world: World;
/** What the next client without a cookie draws. */
let draw = 0;

beforeEach(async () => {
  world = await startWorld({ random: { id: () => 'x', fraction: () => draw } });
  await world.fleet.serve(APP, (_req, res) => {
    res.setHeader('set-cookie', 'own=1');
    res.end('old');
  });
  await world.fleet.serve(FRESH, (_req, res) => res.end('fresh'));
  const trial = { deploymentId: FRESH, percent: 10 };
  world.routes.point('hello', 'production', { deploymentId: APP, trial });
});

afterEach(async () => {
  await world.stop();
});

it('sends a client where its lot says, and tells it its lot beside the cookies of the app', async () => {
  draw = 0.05;
  const first = await call(world, { host: 'hello.localhost' });
  expect(first.text).toBe('fresh');
  expect(first.headers['set-cookie']?.[0]).toMatch(/^berth-lot=5; /);
  draw = 0.5;
  const second = await call(world, { host: 'hello.localhost' });
  expect(second.text).toBe('old');
  expect(second.headers['set-cookie']).toHaveLength(2);

  const headers = { cookie: 'a=b; berth-lot=5' };
  const again = await call(world, { host: 'hello.localhost', headers });
  expect(again.text).toBe('fresh');
  expect(again.headers['set-cookie']).toBeUndefined();
  expect(world.records.map(({ environment, deploymentId }) => [environment, deploymentId])).toEqual(
    [
      ['hello/production', FRESH],
      ['hello/production', APP],
      ['hello/production', FRESH],
    ],
  );
});

it('does so over HTTP/2 as well', async () => {
  const session = connect(`http://127.0.0.1:${world.port}`);
  const stream = session.request({ ':authority': 'hello.localhost', cookie: 'berth-lot=5' });
  stream.setEncoding('utf8');
  let text = '';
  stream.on('data', (chunk: string) => {
    text += chunk;
  });
  await once(stream, 'end');
  session.close();
  expect(text).toBe('fresh');
});

it('leaves everybody alone who asks for the deployment itself, or when nothing is on trial', async () => {
  draw = 0;
  expect((await call(world)).headers['set-cookie']).toEqual(['own=1']);
  expect(world.records[0]?.environment).toBeUndefined();
  world.routes.point('hello', 'production', { deploymentId: APP });
  const reply = await call(world, { host: 'hello.localhost', headers: { cookie: 'berth-lot=5' } });
  expect(reply.text).toBe('old');
  expect(reply.headers['set-cookie']).toEqual(['own=1']);
});
