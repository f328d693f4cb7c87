/** Bodies over several attempts: every byte once. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { RequestBody } from './body.ts';
import { BufferBudget } from './buffer-budget.ts';

const turn = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

it('takes what arrived between two attempts once, though the first one had begun to listen', async () => {
  const req = new IncomingMessage(new Socket());
  req.headers['transfer-encoding'] = 'chunked';
  const body = new RequestBody(req, 1_000, new BufferBudget(2_000), 'shop');
  const sent: string[] = [];
  body.sendTo({ write: (chunk) => sent.push(chunk.toString()) > 0, end: () => {} });
  req.push('one ');
  await turn();
  body.detach();
  req.push('two');
  req.push(null);
  req.complete = true;

  expect(body.take()?.toString()).toBe('one two');
  expect(sent).toEqual(['one ']);
  expect(body.bytesRead).toBe(7);
});
