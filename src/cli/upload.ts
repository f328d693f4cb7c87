/** Sends a folder: its manifest, then only the files that the server lacks, a few at a time. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Client, ManifestEntry } from '../client/client.ts';

/** Small files are bound by round trips, large ones by the disk: more at once gain nothing on one connection each. */
const UPLOADS_AT_ONCE = 8;
/** Larger files are streamed rather than held in memory, in bytes. */
const STREAMED_BYTES = 1024 * 1024;

/** What an upload consists of. */
export interface Upload {
  readonly manifest: readonly ManifestEntry[];
  /** Absolute path, or the content itself, for each sha256. */
  readonly contents: ReadonlyMap<string, string | Uint8Array<ArrayBuffer>>;
}

export interface UploadProgress {
  readonly sentFiles: number;
  /** Files to send, and files of the folder altogether. */
  readonly missingFiles: number;
  readonly totalFiles: number;
  readonly sentBytes: number;
}

/** Resolves with the sha256 of the manifest and the final counts. Throws the server's codes; UPLOAD_MISMATCH when a file changed. */
export async function upload(
  client: Client,
  { manifest, contents }: Upload,
  onProgress: (progress: UploadProgress) => void,
): Promise<{ readonly manifest: string; readonly sent: UploadProgress }> {
  const announced = await client.announce(manifest);
  const sizes = new Map<string, number>();
  let totalFiles = 0;
  for (const entry of manifest) {
    if (entry.kind !== 'file') continue;
    totalFiles += 1;
    sizes.set(entry.sha256, entry.bytes);
  }
  let sent: UploadProgress = {
    sentFiles: 0,
    missingFiles: announced.missing.length,
    totalFiles,
    sentBytes: 0,
  };
  const waiting = announced.missing.values();
  const lane = async () => {
    for (const sha256 of waiting) {
      const bytes = sizes.get(sha256) ?? 0;
      await client.sendBlob(sha256, await contentOf(contents.get(sha256) ?? '', bytes), bytes);
      sent = { ...sent, sentFiles: sent.sentFiles + 1, sentBytes: sent.sentBytes + bytes };
      onProgress(sent);
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, lane));
  return { manifest: announced.manifest, sent };
}

async function contentOf(
  source: string | Uint8Array<ArrayBuffer>,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream> {
  if (typeof source !== 'string') return source;
  if (bytes <= STREAMED_BYTES) return readFile(source);
  return Readable.toWeb(createReadStream(source));
}
