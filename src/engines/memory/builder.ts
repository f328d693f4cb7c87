/** A builder that builds nothing: the image of a memory deployment is named after its job. */
import { createHash } from 'node:crypto';
import { BerthError } from '../../core/errors.ts';
import type { Builder, BuildJob } from '../../ports/builder.ts';

export function createMemoryBuilder(): Builder {
  const jobs = new Map<string, BuildJob>();
  return {
    begin(job) {
      if (!job.dockerfile) throw new BerthError('NO_DOCKERFILE');
      jobs.set(job.id, job);
      return Promise.resolve();
    },
    follow(id, onLine) {
      const job = jobs.get(id);
      if (!job) return Promise.resolve({ kind: 'lost' });
      onLine(`The memory engine needs no image: ${job.dockerfile} was not read.`);
      const digest = createHash('sha256').update(id).digest('hex');
      const image = { id: `sha256:${digest}`, bytes: 0, layers: [], exposedPorts: [] };
      return Promise.resolve({ kind: 'built', image });
    },
    discard(id) {
      jobs.delete(id);
      return Promise.resolve();
    },
  };
}
