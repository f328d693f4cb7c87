/** Looks over a Dockerfile before it is sent anywhere: what the builder would only find out after an upload. */
import { Copy, DockerfileParser, type Instruction, Run } from 'dockerfile-ast';
import { BerthError, type Problem } from '../core/errors.ts';
import { nearest } from './nearest.ts';

/** Every instruction there is; anything else is a typing mistake, or a line whose `\` is missing. */
const INSTRUCTIONS = [
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
];

export interface DockerfileOptions {
  /** For messages. */
  readonly fileName?: string;
  /** Whether the builder knows heredocs (Buildah 1.33 and newer); by default it is taken not to. */
  readonly hasHeredocs?: boolean;
}

/**
 * Throws DOCKERFILE_INVALID (nothing in it, no FROM, unknown instruction, instruction without argument) or
 * DOCKERFILE_UNSUPPORTED (heredocs), with all places; messages begin with `Dockerfile:line: `.
 */
export function checkDockerfile(text: string, options: DockerfileOptions = {}): void {
  const fileName = options.fileName ?? 'Dockerfile';
  const clean = text.replace(/^\uFEFF/, '');
  const instructions = DockerfileParser.parse(clean).getInstructions();
  const problemIn = (line: number, message: string): Problem => ({
    at: fileName,
    message: `${fileName}:${line}: ${message}`,
    line,
    column: 1,
  });

  if (options.hasHeredocs !== true) {
    const heredocs = instructions.filter((instruction) => hasHeredoc(instruction, clean));
    refuse(
      'DOCKERFILE_UNSUPPORTED',
      heredocs.map((instruction) => {
        const keyword = instruction.getKeyword();
        return problemIn(
          lineOf(instruction),
          `${keyword} with a heredoc (<<): the builder here is too old for it`,
        );
      }),
    );
  }
  refuse('DOCKERFILE_INVALID', mistakes(instructions, problemIn));
}

function mistakes(
  instructions: readonly Instruction[],
  problemIn: (line: number, message: string) => Problem,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (instructions.length === 0) return [problemIn(1, 'there is nothing in it')];
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword();
    const line = lineOf(instruction);
    if (!INSTRUCTIONS.includes(keyword)) {
      const near = nearest(keyword, INSTRUCTIONS);
      const hint =
        near === undefined
          ? 'is a "\\" missing at the end of the line above?'
          : `did you mean ${near}?`;
      problems.push(problemIn(line, `there is no instruction ${keyword}; ${hint}`));
    } else if (instruction.getArgumentsContent() === null) {
      problems.push(problemIn(line, `${keyword} says nothing: something has to follow it`));
    }
  }
  const known = instructions.filter((one) => INSTRUCTIONS.includes(one.getKeyword()));
  const first = known.find((one) => one.getKeyword() !== 'ARG');
  if (first?.getKeyword() === 'FROM') return problems;
  const isThere = known.some((one) => one.getKeyword() === 'FROM');
  const message = isThere
    ? 'FROM has to come first (only ARG may stand before it)'
    : 'there is no FROM';
  return [problemIn(lineOf(first ?? instructions[0]), message), ...problems];
}

/** `<<WORD` alone may be arithmetic in a shell; with a line that is just WORD below, it is a heredoc. */
function hasHeredoc(instruction: Instruction, text: string): boolean {
  const isRead = instruction instanceof Run || instruction instanceof Copy;
  const names = isRead
    ? instruction.getHeredocs().map((heredoc) => heredoc.getName())
    : instruction.getKeyword() === 'ADD'
      ? [/(?:^|\s)<<-?["']?(\w+)/.exec(instruction.getArgumentsContent() ?? '')?.[1]]
      : [];
  const below = text.split(/\r?\n/).slice(lineOf(instruction));
  return names.some((name) => name && below.some((line) => line.trim() === name));
}

function lineOf(instruction: Instruction | undefined): number {
  return (instruction?.getRange().start.line ?? 0) + 1;
}

function refuse(
  code: 'DOCKERFILE_INVALID' | 'DOCKERFILE_UNSUPPORTED',
  problems: readonly Problem[],
): void {
  if (problems.length === 0) return;
  const detail = problems.map((problem) => problem.message).join('\n');
  throw new BerthError(code, { detail, problems });
}
