/** A backup of everything, as a stream. */
import { z } from 'zod';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { backupInput } from './schemas-backup.ts';

export function addBackups(routes: Routes, needs: ApiNeeds): void {
  routes.post(
    '/backup',
    {
      config: { verb: 'operate', action: 'backup.created' },
      schema: {
        summary: 'Everything that a restore needs, as one file',
        description:
          'A tar archive with one line behind it: `berth-backup-sha256` and the checksum, or `berth-backup-failed` and why. Only the first makes it a backup. The key of the secrets and the keys of certificates are encrypted under the passphrase; the rest is not.',
        produces: ['application/x-tar'],
        body: backupInput,
        response: { 200: z.any().describe('The archive.'), ...problems },
      },
    },
    async (request, reply) => {
      const { passphrase, images } = request.body;
      audited(request, { subject: 'platform', detail: images ? 'with images' : 'without images' });
      const stream = await needs.backups.create({ passphrase, hasImages: images });
      return reply.type('application/x-tar').send(stream);
    },
  );
}
