/** The thread that makes certificates: its libraries take 200 ms to load and 40 MB, and neither is spent where requests wait. */
import { parentPort } from 'node:worker_threads';
import type { FromWorker, Job, Results, ToWorker } from './messages.ts';

const presented = new Map<number, () => void>();

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function work(id: number, job: Job): Promise<Results[keyof Results]> {
  if (job.kind === 'makeAuthority' || job.kind === 'signLeaf') {
    const { makeAuthority, signLeaf } = await import('./sign.ts');
    return job.kind === 'signLeaf' ? signLeaf(job.order) : makeAuthority(job.order);
  }
  const { makeKey, obtain } = await import('./order.ts');
  if (job.kind === 'makeKey') return makeKey();
  return obtain(job.order, {
    present: (challenge) =>
      new Promise((resolve) => {
        presented.set(id, resolve);
        tell({ kind: 'present', id, challenge });
      }),
    withdraw: (challenge) => tell({ kind: 'withdraw', id, challenge }),
  });
}

parentPort?.on('message', (message: ToWorker) => {
  const { id } = message;
  if (message.kind === 'presented') {
    presented.get(id)?.();
    presented.delete(id);
    return;
  }
  work(id, message.job).then(
    (result) => tell({ kind: 'done', id, result }),
    (error: unknown) =>
      tell({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) }),
  );
});
