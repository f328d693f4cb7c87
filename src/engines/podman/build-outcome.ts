/** What the end of a build's output says about why it failed. */
import type { BuildOutcome } from '../../ports/builder.ts';

type Failed = Extract<BuildOutcome, { kind: 'failed' }>;

/** How a build ended, as its files tell. */
export interface BuildEnd {
  readonly status: number;
  readonly hasTimedOut: boolean;
  readonly lines: readonly string[];
}

const DISK_FULL = /no space left on device|disk quota exceeded/i;
const NO_IMAGE =
  /^Error: (creating build container|(?:.*: )?(?:initializing source|pinging container registry|reading manifest|unable to copy from source|Source image rejected|short-name|copying system image))|image not known|manifest unknown|determining (?:copy )?(?:stage|image)/i;
const INVALID =
  /Unknown instruction|no FROM statement found|no contents in |dockerfile parse error|requires at least|requires exactly|requires either|requires (?:one|two)|syntax error|invalid reference format|Build error:|failed to parse|parsing main Dockerfile|Unknown flag|invalid containerPort|unexpected end of (?:statement|JSON)|^Error: stat .*: no such file or directory/i;

/** Podman finds an image in its cache and looks at it then: one that anybody removes in between fails the whole build. */
const OVERTAKEN = /checking if cached image exists from a previous build: .*not known/;

/** Whether it failed by no fault of its own, and has to be begun again. */
export function wasOvertaken(lines: readonly string[]): boolean {
  return OVERTAKEN.test(lastError(lines));
}

function lastError(lines: readonly string[]): string {
  return lines.findLast((line) => line.startsWith('Error: ')) ?? '';
}

/**
 * | the last words | code |
 * |---|---|
 * | (time limit) | BUILD_TIMEOUT |
 * | no space left on device | DISK_FULL |
 * | Unknown instruction, no FROM, wrong number of arguments, … | DOCKERFILE_INVALID |
 * | creating build container: pulling … | IMAGE_NOT_FOUND |
 * | anything else, such as a RUN that fails | BUILD_FAILED, with the step |
 */
export function classifyFailure(end: BuildEnd): Failed {
  const error = lastError(end.lines);
  const step = end.lines.findLast((line) => /^(\[\d+\/\d+\] )?STEP \d+/.test(line));
  const detail = describe(error, step);
  if (end.hasTimedOut) {
    return {
      kind: 'failed',
      code: 'BUILD_TIMEOUT',
      detail: `Ended at the time limit, in ${step ?? 'no step yet'}.`,
    };
  }
  // The app's own tools say so in their own lines.
  const isDiskFull = end.lines.slice(-20).some((line) => DISK_FULL.test(line));
  if (isDiskFull) return { kind: 'failed', code: 'DISK_FULL', detail };
  if (INVALID.test(error)) return { kind: 'failed', code: 'DOCKERFILE_INVALID', detail };
  if (NO_IMAGE.test(error)) return { kind: 'failed', code: 'IMAGE_NOT_FOUND', detail };
  return {
    kind: 'failed',
    code: 'BUILD_FAILED',
    detail:
      error === '' ? `Podman ended with status ${end.status}${step ? ` in ${step}` : ''}.` : detail,
  };
}

function describe(error: string, step: string | undefined): string {
  const reason = error
    .replace(/^Error: /, '')
    // Repeats the whole step, which is named before.
    .replace(/^building at STEP "[^]*?": (?=[^"]*$)/, '')
    .replace(/ ?&imagebuilder\.Step\{[^]*$/, '')
    .trim();
  return step === undefined ? reason : `${step}: ${reason}`;
}
