/** Proves which Dockerfiles are refused before a build, and at which line. */
import { describe, expect, it } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { checkDockerfile } from './dockerfile.ts';

describe('a Dockerfile passes', () => {
  it.each([
    ['the smallest', 'FROM scratch'],
    ['arguments before FROM', 'ARG V=1\nFROM node:${V}\nCMD ["node"]'],
    ['small letters', 'from node\nrun a\ncmd b'],
    ['comments and directives', '# syntax=docker/dockerfile:1\n# escape=`\n\nFROM a\nRUN b `\n  c'],
    ['continued lines with comments and blanks', 'FROM a\nRUN b \\\n# c\n\n  && d'],
    [
      'every instruction',
      'FROM a AS b\nADD a b\nARG a\nENV a=b\nEXPOSE 1\nHEALTHCHECK NONE\nLABEL a=b\nMAINTAINER a\nONBUILD RUN a\nSHELL ["a"]\nSTOPSIGNAL 1\nUSER a\nVOLUME a\nWORKDIR a\nCOPY --from=b a b\nENTRYPOINT ["a"]\nCMD ["b"]',
    ],
    [
      'arithmetic that looks like a heredoc',
      'FROM a\nRUN echo $((1 <<2)) \\\n  && echo "<<EOF"\nCMD ["x"]',
    ],
    ['a byte order mark and CRLF', '\uFEFFFROM a\r\nRUN b\r\n'],
  ])('%s', (_name, text) => {
    expect(() => checkDockerfile(text)).not.toThrow();
  });

  it('with a heredoc when the builder knows them', () => {
    expect(() => checkDockerfile('FROM a\nRUN <<EOF\nb\nEOF', { hasHeredocs: true })).not.toThrow();
  });
});

describe('a Dockerfile is refused', () => {
  it.each<[string, string, string, readonly (readonly [number, string])[]]>([
    ['when empty', '', 'DOCKERFILE_INVALID', [[1, 'nothing in it']]],
    ['with comments only', '# a\n\n', 'DOCKERFILE_INVALID', [[1, 'nothing in it']]],
    ['without FROM', 'RUN a', 'DOCKERFILE_INVALID', [[1, 'there is no FROM']]],
    [
      'with FROM too late',
      'ARG a\nRUN a\nFROM b',
      'DOCKERFILE_INVALID',
      [[2, 'FROM has to come first']],
    ],
    ['with FROM of nothing', 'FROM', 'DOCKERFILE_INVALID', [[1, 'FROM says nothing']]],
    [
      'with a misspelt instruction',
      'FROM a\n\nCOPPY a b',
      'DOCKERFILE_INVALID',
      [[3, 'did you mean COPY?']],
    ],
    [
      'with a missing backslash',
      'FROM a\nRUN b\n  && c',
      'DOCKERFILE_INVALID',
      [[3, 'is a "\\" missing']],
    ],
    [
      'with several mistakes',
      'FROM a\nRUM b\nCMD\n',
      'DOCKERFILE_INVALID',
      [
        [2, 'did you mean RUN?'],
        [3, 'CMD says nothing'],
      ],
    ],
    [
      'that is something else',
      '{"a": 1}',
      'DOCKERFILE_INVALID',
      [
        [1, 'there is no FROM'],
        [1, 'there is no instruction'],
      ],
    ],
    [
      'with a heredoc in RUN',
      'FROM a\nRUN <<EOF\nb\nEOF\n',
      'DOCKERFILE_UNSUPPORTED',
      [[2, 'RUN with a heredoc']],
    ],
    [
      'with a heredoc in COPY',
      'FROM a\nCOPY <<-"X" /a\nb\n\tX\n',
      'DOCKERFILE_UNSUPPORTED',
      [[2, 'COPY with a heredoc']],
    ],
    [
      'with a heredoc in ADD',
      'FROM a\nADD <<X /a\nb\nX\n',
      'DOCKERFILE_UNSUPPORTED',
      [[2, 'ADD with a heredoc']],
    ],
    [
      'with a heredoc to a command',
      'FROM a\nRUN python <<E\nx\nE\n',
      'DOCKERFILE_UNSUPPORTED',
      [[2, 'RUN with a heredoc']],
    ],
    [
      'with two heredocs',
      'FROM a\nRUN <<A\nx\nA\nRUN <<B\ny\nB\n',
      'DOCKERFILE_UNSUPPORTED',
      [
        [2, 'RUN'],
        [5, 'RUN'],
      ],
    ],
  ])('%s', (_name, text, code, expected) => {
    let error: BerthError | undefined;
    try {
      checkDockerfile(text, { fileName: 'docker/Dockerfile' });
    } catch (caught) {
      error = caught as BerthError;
    }
    expect(error?.code).toBe(code);
    expect(error?.problems.map(({ line }) => line)).toEqual(expected.map(([line]) => line));
    error?.problems.forEach(({ message }, index) => {
      const [line, part] = expected[index] ?? [0, ''];
      expect(message).toContain(`docker/Dockerfile:${line}: `);
      expect(message).toContain(part);
    });
  });
});
