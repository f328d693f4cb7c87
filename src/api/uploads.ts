/** Uploads: a manifest says what a folder has, the answer says what is lacking, blobs fill the gap. */
import type { Readable } from 'node:stream';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { blobParameters, upload, uploaded } from './schemas.ts';
import { z } from 'zod';

/** What the audit log says is the deploy that uses them. */
const BYTES = { none: 'bytes alone change nothing that is served' } as const;
/** 100,000 entries of some 300 bytes. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;

export function addUploads(routes: Routes, needs: ApiNeeds): void {
  void routes.register((scope: Routes, _options, done) => {
    addAnnouncement(scope, needs);
    done();
  });

  routes.addContentTypeParser('application/octet-stream', (_request, payload, done) =>
    done(null, payload),
  );
  routes.put(
    '/blobs/:sha256',
    {
      config: { verb: 'deploy', action: BYTES },
      schema: {
        summary: 'Send one file',
        consumes: ['application/octet-stream'],
        params: blobParameters,
        response: { 204: z.null().describe('It is kept.'), ...problems },
      },
    },
    async (request, reply) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      if (announced > BOUNDS.uploadFileBytes) {
        throw new BerthError('UPLOAD_TOO_LARGE', {
          detail: `${announced} bytes are too many: one file may have ${BOUNDS.uploadFileBytes}.`,
        });
      }
      const content = request.body as Readable | null | undefined;
      if (!content) {
        throw new BerthError('INVALID_INPUT', {
          detail: 'The body must be application/octet-stream.',
        });
      }
      await needs.cleanup.room({ wantedBytes: announced });
      await needs.blobs.write(request.params.sha256, content, BOUNDS.uploadFileBytes);
      return reply.code(204).send(null);
    },
  );
}

/** A manifest may have 100,000 entries: neither it nor the answer is read or written as JSON on this thread. */
function addAnnouncement(routes: Routes, needs: ApiNeeds): void {
  routes.removeContentTypeParser('application/json');
  routes.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  routes.post(
    '/uploads',
    {
      config: { verb: 'deploy', action: BYTES },
      bodyLimit: MAX_MANIFEST_BYTES,
      // Checked where it is read: the schema is for the document.
      validatorCompiler: () => (value: unknown) => ({ value }),
      schema: {
        summary: 'Announce the files of a folder',
        body: upload,
        response: { 200: uploaded, ...problems },
      },
    },
    async (request, reply) => {
      const answer = await needs.folders.announce(request.body as unknown as Buffer);
      // Bytes are sent as they are.
      const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
      return reply.type('application/json; charset=utf-8').send(bytes as never);
    },
  );
}
