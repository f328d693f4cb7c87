/** Clean-up: what would go and why, doing it, and what is on the disk. */
import type { GcLine } from '../cleanup/run.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { diskUsage, gcPlan, gcReport } from './schemas-cleanup.ts';
import { toIso } from './wire.ts';

export function addCleanup(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/gc',
    {
      config: { verb: 'operate' },
      schema: {
        summary: 'What a clean-up would remove and what it keeps, each with its reason',
        response: { 200: gcPlan, ...problems },
      },
    },
    async () => {
      const lines = await needs.cleanup.plan();
      return { lines: lines.map(toWireLine), freeableBytes: sumOf(lines) };
    },
  );

  routes.post(
    '/gc',
    {
      config: { verb: 'operate', action: 'cleanup.run' },
      schema: {
        summary: 'Remove what a clean-up may remove now, without waiting for the hour',
        response: { 200: gcReport, ...problems },
      },
    },
    async (request) => {
      audited(request, { subject: 'platform' });
      const { lines, ...report } = await needs.cleanup.run();
      const gone = lines.filter(({ outcome }) => outcome === 'removed').length;
      audited(request, { subject: 'platform', detail: `${gone} things removed` });
      return { ...report, lines: lines.map(toWireLine) };
    },
  );

  routes.get(
    '/disk',
    {
      config: { verb: 'operate' },
      schema: {
        summary: 'What Berth has on the disk, its budget, and when it will be used up',
        response: { 200: diskUsage, ...problems },
      },
    },
    async () => {
      const usage = await needs.cleanup.usage();
      return {
        ...usage,
        at: toIso(usage.at),
        projects: [...usage.projects],
        fileSystems: [...usage.fileSystems],
      };
    },
  );
}

function sumOf(lines: readonly GcLine[]): number {
  return lines.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Optional keys are absent, not undefined. */
function toWireLine({ project, outcome, ...line }: GcLine) {
  return {
    ...line,
    ...(project === undefined ? {} : { project }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}
