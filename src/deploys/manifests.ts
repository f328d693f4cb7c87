/** Manifests from outside: of the right form, harmless, and within bounds, or refused with the code that fits. */
import { BerthError } from '../core/errors.ts';
import type { ErrorCode, Problem } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { checkManifest, pathProblem } from '../core/manifest.ts';
import type { Manifest, ManifestEntry } from '../core/model.ts';

/** A manifest from its text: any blob may be named as one, so it is checked as one from outside is. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notAManifest('is not JSON');
  }
  return acceptManifest(value);
}

/** A manifest, from any value. Throws INVALID_INPUT, UPLOAD_PATH, UPLOAD_SYMLINK or UPLOAD_TOO_LARGE with every place. */
export function acceptManifest(value: unknown): Manifest {
  if (!Array.isArray(value)) throw notAManifest('is not a list');
  const misshapen = value.findIndex((entry: unknown) => !isEntry(entry));
  if (misshapen !== -1) {
    throw notAManifest('is neither a file, a directory nor a symlink', `manifest[${misshapen}]`);
  }
  const manifest = value as Manifest;
  const problems = checkManifest(manifest);
  const first = problems[0];
  if (!first) return manifest;
  const code = codeFor(first, manifest);
  throw new BerthError(code, { detail: `The upload is refused: ${first.message}.`, problems });
}

/** Which code of the catalogue the first problem is told under. */
function codeFor(problem: Problem, manifest: Manifest): ErrorCode {
  const entry = manifest.find(({ path }) => path === problem.at);
  if (!entry) return 'UPLOAD_TOO_LARGE';
  if (pathProblem(entry.path) !== undefined) return 'UPLOAD_PATH';
  if (entry.kind === 'symlink') return 'UPLOAD_SYMLINK';
  if (entry.kind === 'file' && entry.bytes > BOUNDS.uploadFileBytes) return 'UPLOAD_TOO_LARGE';
  return 'UPLOAD_PATH';
}

function isEntry(entry: unknown): entry is ManifestEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const { kind, path, mode, bytes, sha256, target } = entry as Partial<Record<string, unknown>>;
  if (typeof path !== 'string') return false;
  switch (kind) {
    case 'file':
      return typeof mode === 'number' && typeof bytes === 'number' && typeof sha256 === 'string';
    case 'directory':
      return typeof mode === 'number';
    case 'symlink':
      return typeof target === 'string';
    default:
      return false;
  }
}

function notAManifest(message: string, at = 'manifest'): BerthError {
  return new BerthError('INVALID_INPUT', {
    detail: `The manifest is not valid: ${at} ${message}.`,
    problems: [{ at, message }],
  });
}
