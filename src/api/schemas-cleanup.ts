/** Shapes of clean-up and of what is on the disk, as the API gives them. */
import { z } from 'zod';

const bytes = z.number().describe('in bytes');

const gcLine = z
  .object({
    kind: z.enum([
      'environment',
      'deployment',
      'container',
      'image',
      'layer',
      'network',
      'logs',
      'build',
      'blobs',
    ]),
    id: z.string(),
    project: z.string().optional(),
    verdict: z.enum(['keep', 'remove']),
    because: z.string(),
    bytes: bytes.describe('what its removal frees; layers go with the last image that has them'),
    outcome: z
      .enum(['removed', 'left'])
      .optional()
      .describe('after a run; `left`: it was to go and could not'),
  })
  .meta({ id: 'GcLine' });

export const gcPlan = z
  .object({ lines: gcLine.array(), freeableBytes: bytes })
  .meta({ id: 'GcPlan' });

export const gcReport = z
  .object({
    lines: gcLine.array(),
    freedBytes: bytes.describe('what the things that went took'),
    diskFreedBytes: bytes.describe(
      'how much more the file systems say is free; others write meanwhile as well',
    ),
  })
  .meta({ id: 'GcReport' });

const kinds = {
  images: bytes.describe('layers of images that deployments run, each once'),
  cache: bytes.describe('layers that only speed up builds'),
  logs: bytes,
  builds: bytes.describe('output of builds, and their files while they run'),
};

export const diskUsage = z
  .object({
    at: z.iso.datetime(),
    usedBytes: bytes,
    budgetBytes: bytes,
    roomBytes: bytes.describe('until builds are refused'),
    kinds: z.object({ ...kinds, blobs: bytes.describe('uploaded files'), database: bytes }),
    projects: z
      .object({
        project: z.string().optional().describe('absent: shared by several, or nobody’s'),
        deployments: z.int(),
        ...kinds,
      })
      .array()
      .describe('biggest first'),
    fileSystems: z
      .object({
        freeBytes: bytes,
        totalBytes: bytes,
        reserveBytes: bytes.describe('builds leave so much free'),
      })
      .array(),
    forecast: z.object({
      kind: z.enum(['unknown', 'steady', 'full']),
      because: z.string(),
      days: z.number().optional(),
      bytesPerDay: z.number().optional(),
    }),
  })
  .meta({ id: 'DiskUsage' });
