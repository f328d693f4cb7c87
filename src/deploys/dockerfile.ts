/** What can be said about a Dockerfile before the builder is asked. The builder has the last word on all else. */
import { Copy, DockerfileParser, Onbuild, Run } from 'dockerfile-ast';
import type { Instruction } from 'dockerfile-ast';
import { BerthError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';

/** Longer ones are mistakes, and would keep the parser busy. In characters. */
const MAX_CHARS = 256 * 1024;

const KEYWORDS: ReadonlySet<string> = new Set([
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]);

/** Throws DOCKERFILE_UNSUPPORTED for a heredoc that this builder cannot read, DOCKERFILE_INVALID for what no builder can. */
export function checkDockerfile(text: string, path: string, canReadHeredocs: boolean): void {
  if (text.length > MAX_CHARS) {
    const detail = `${path} has ${text.length} characters: more than ${MAX_CHARS} are no Dockerfile.`;
    throw new BerthError('DOCKERFILE_INVALID', { detail });
  }
  const instructions = DockerfileParser.parse(text).getInstructions();
  for (const instruction of instructions) {
    if (!canReadHeredocs && hasHeredoc(instruction)) {
      refuse('DOCKERFILE_UNSUPPORTED', instruction, path, 'is a heredoc (<<)');
    }
    if (!KEYWORDS.has(instruction.getKeyword())) {
      refuse('DOCKERFILE_INVALID', instruction, path, `begins with no instruction`);
    }
  }
  const first = instructions.find((instruction) => instruction.getKeyword() !== 'ARG');
  if (!first) {
    throw new BerthError('DOCKERFILE_INVALID', { detail: `${path} has no FROM.` });
  }
  if (first.getKeyword() !== 'FROM') {
    refuse('DOCKERFILE_INVALID', first, path, 'comes before FROM');
  }
}

function hasHeredoc(instruction: Instruction): boolean {
  if (instruction instanceof Copy || instruction instanceof Run) {
    return instruction.getHeredocs().length > 0;
  }
  // ADD takes them too, and ONBUILD hands them on; the parser says so for neither.
  const isOther = instruction.getKeyword() === 'ADD' || instruction instanceof Onbuild;
  return isOther && /(^|\s)<<-?["']?\w/.test(instruction.getArgumentsContent() ?? '');
}

function refuse(code: ErrorCode, instruction: Instruction, path: string, why: string): never {
  const { start } = instruction.getRange();
  const line = start.line + 1;
  const shown = instruction.getInstruction().slice(0, 40);
  const message = `line ${line} (${shown} …) ${why}`;
  throw new BerthError(code, {
    detail: `${path}: ${message}.`,
    problems: [{ at: path, message, line, column: start.character + 1 }],
  });
}
