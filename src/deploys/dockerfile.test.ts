/** Proves what is refused before a build, and above all what is not. */
import { expect, test } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { checkDockerfile } from './dockerfile.ts';

function refusal(text: string, canReadHeredocs = false): string | undefined {
  try {
    checkDockerfile(text, 'Dockerfile', canReadHeredocs);
    return undefined;
  } catch (error) {
    if (error instanceof BerthError) return `${error.code} line ${error.problems[0]?.line ?? '-'}`;
    throw error;
  }
}

test('what builders accept passes', () => {
  const texts = [
    'FROM scratch\n',
    '# syntax=docker/dockerfile:1\nARG V=1\nARG W\nFROM node:$V AS base\nRUN a && \\\n  # a comment between\n  b\n',
    'from debian\nrun echo "<<EOF" && cat <<< word\ncmd ["a"]\n',
    '# escape=`\nFROM x\nRUN a `\n  b\nSTOPSIGNAL SIGINT\nHEALTHCHECK NONE\nONBUILD RUN x\nSHELL ["sh"]\n',
    'FROM a\nMAINTAINER me\nVOLUME /d\nUSER u\nLABEL a=b\nEXPOSE 1\nENV A b\nADD a b\nWORKDIR /\nENTRYPOINT x\n',
    '\uFEFFFROM scratch\r\nRUN x\r\n',
  ];
  expect(texts.map((text) => refusal(text))).toEqual(texts.map(() => undefined));
});

test('a heredoc is refused with its line when this builder cannot read it, and only then', () => {
  const texts = [
    'FROM x\n\nRUN <<EOF\necho\nEOF\n',
    'FROM x\n\nCOPY <<-"END" /file\ntext\nEND\n',
    'FROM x\n\nADD <<END /file\ntext\nEND\n',
    'FROM x\n\nRUN python3 <<EOF > /out\nprint(1)\nEOF\n',
  ];
  for (const text of texts) {
    expect(refusal(text)).toBe('DOCKERFILE_UNSUPPORTED line 3');
  }
  expect(refusal(texts[0] ?? '', true)).toBeUndefined();
});

test('no FROM, something before FROM, and no instruction at all are invalid', () => {
  expect(refusal('')).toBe('DOCKERFILE_INVALID line -');
  expect(refusal('ARG A\n# only\n')).toBe('DOCKERFILE_INVALID line -');
  expect(refusal('RUN x\nFROM y\n')).toBe('DOCKERFILE_INVALID line 1');
  expect(refusal('FROM y\nRUNN x\n')).toBe('DOCKERFILE_INVALID line 2');
  expect(refusal(`FROM y\n${'# '.repeat(200_000)}`)).toBe('DOCKERFILE_INVALID line -');
});
