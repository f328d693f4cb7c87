/** What a backup is asked for with. */
import { z } from 'zod';

export const backupInput = z.strictObject({
  passphrase: z.string().max(1_024).describe('At least 8 characters. It is kept nowhere.'),
  images: z.boolean().default(true).describe('Also the images that deployments run.'),
});
