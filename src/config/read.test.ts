/** Proves that every mistake in a configuration file is named with its exact place, all at once. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { findConfig, projectNameOf, readConfigText } from './read.ts';
import { toConfiguration } from './schema.ts';

/** `at`, line, column and a part of the message of each problem. */
type Expected = readonly [at: string, line: number, column: number, message: string];

const SYNTAX: readonly [string, string, readonly Expected[]][] = [
  ['an empty file', '', [['', 1, 1, 'empty']]],
  ['only spaces', ' \n', [['', 1, 1, 'empty']]],
  ['an unclosed object', '{\n  "name": "a"\n', [['', 3, 1, '"}" is missing']]],
  ['an unclosed array', '{"files": ["a"', [['', 1, 15, '"]" is missing']]],
  ['a trailing comma', '{\n  "name": "a",\n}', [['', 2, 14, 'one too many']]],
  ['a trailing comma in an array', '{"files": ["a", ]}', [['', 1, 15, 'one too many']]],
  ['a line comment', '{\n  // hello\n}', [['', 2, 3, 'no comments']]],
  ['a block comment', '{ /* hello */ }', [['', 1, 3, 'no comments']]],
  ['single quotes', "{'name': 'a'}", [['', 1, 2, 'double quotes']]],
  ['an unquoted key', '{name: "a"}', [['', 1, 2, 'a key stands in double quotes']]],
  ['a missing colon', '{"name" "a"}', [['', 1, 9, '":" is expected']]],
  ['a missing comma', '{\n  "name": "a"\n  "port": 1\n}', [['', 2, 14, '"," is expected']]],
  ['an unclosed text', '{"name": "a}\n', [['', 1, 10, 'closing quote']]],
  ['a tab in a text', '{"name": "a\tb"}', [['', 1, 10, 'must be written as an escape']]],
  ['an unknown escape', '{"name": "\\x"}', [['', 1, 10, 'no such escape']]],
  ['a word', '{"public": yes}', [['', 1, 12, 'not a JSON value: yes']]],
  ['a leading zero', '{"port": 080}', [['', 1, 10, 'not a number']]],
  ['something after the end', '{} x', [['', 1, 4, 'not a JSON value: x']]],
  ['a space that is none', '{\u00a0}', [['', 1, 2, 'not a JSON value']]],
  ['CRLF line ends', '{\r\n  "name": a\r\n}', [['', 2, 11, 'not a JSON value']]],
  ['depth', `{"static": ${'['.repeat(99)}`, [['', 1, 75, 'more than 64 levels']]],
  [
    'two mistakes',
    '{\n  "name": "a"\n  "port": 1,\n}',
    [
      ['', 2, 14, '"," is expected'],
      ['', 3, 12, 'one too many'],
    ],
  ],
];

const INVALID: readonly [string, string, readonly Expected[]][] = [
  ['an array', '[]', [['', 1, 1, 'the whole file is []; it must be an object']]],
  ['null', ' null', [['', 1, 2, 'the whole file is null']]],
  [
    'an unknown key',
    '{\n  "slots": "c1-m64"\n}',
    [['slots', 2, 3, 'no key slots; did you mean "slot"?']],
  ],
  ['a key in another spelling', '{"health_path": "/"}', [['health_path', 1, 2, '"healthPath"']]],
  ['a key of nothing known', '{"zebra": 1}', [['zebra', 1, 2, 'known here: $schema, name, slot']]],
  [
    'an unknown key inside',
    '{"limits": {"max": 1}}',
    [['limits.max', 1, 13, '"maxConcurrentReqs"']],
  ],
  [
    'a key of another platform',
    '{"builds": []}',
    [['builds', 1, 2, 'Berth builds the Dockerfile']],
  ],
  [
    'a limit out of range',
    '{\n  "limits": {\n    "duration": 5\n  }\n}',
    [['limits.duration', 3, 17, 'is 5; it must be a whole number from 1000 to 1800000 (ms)']],
  ],
  [
    'a limit above its range',
    '{"limits": {"maxConcurrentReqs": 257}}',
    [['limits.maxConcurrentReqs', 1, 34, 'from 1 to 256']],
  ],
  ['a limit as text', '{"limits": {"timeout": "5m"}}', [['limits.timeout', 1, 24, 'is "5m"']]],
  ['a fraction', '{"port": 1.5}', [['port', 1, 10, 'is 1.5; it must be a whole number']]],
  ['a number beyond all', '{"port": 1e999}', [['port', 1, 10, 'it must be a whole number']]],
  ['a bad slot', '{"slot": "c9"}', [['slot', 1, 10, 'is "c9"; it must be a slot such as']]],
  ['a small slot', '{"slot": "c.01-m512"}', [['slot', 1, 10, 'at least c0.125']]],
  ['a name with capitals', '{"name": "My_App"}', [['name', 1, 10, 'try "my-app"']]],
  ['a name that begins with a hyphen', '{"name": "-a"}', [['name', 1, 10, 'no "-" at either end']]],
  ['a long name', `{"name": "${'a'.repeat(51)}"}`, [['name', 1, 10, '1 to 50 characters']]],
  ['an empty name', '{"name": ""}', [['name', 1, 10, '1 to 50 characters']]],
  ['a missing part', '{"scale": {"sfo1": {"min": 1}}}', [['scale.sfo1.max', 1, 20, 'is missing']]],
  ['min above max', '{"scale": {"min": 3, "max": 2}}', [['scale.min', 1, 19, 'at most the "max"']]],
  [
    'scale of no kind',
    '{"scale": 5}',
    [['scale', 1, 11, 'is 5; it must be { "min": …, "max": … }']],
  ],
  ['scale out of range', '{"scale": {"max": 1001}}', [['scale.max', 1, 19, 'from 0 to 1000']]],
  ['max of no kind', '{"scale": {"max": "many"}}', [['scale.max', 1, 19, 'or "auto"']]],
  [
    'a variable that is no text',
    '{"env": {"PORT": 80}}',
    [['env.PORT', 1, 18, 'is 80; it must be text in quotes']],
  ],
  [
    'a variable name with a space',
    '{"env": {"A B": "x"}}',
    [['env["A B"]', 1, 10, 'variable name']],
  ],
  ['a name in a list of no kind', '{"env": ["A", 1]}', [['env[1]', 1, 15, 'variable name']]],
  [
    'wake rules of no kind',
    '{\n  "wake": {\n    "methods": ["get"],\n    "paths": ["api"],\n    "ignorePaths": [],\n    "userAgents": ["x"]\n  }\n}',
    [
      ['wake.methods[0]', 3, 17, 'in capitals such as "GET"'],
      ['wake.paths[0]', 4, 15, 'beginning with "/" or "*"'],
      ['wake.ignorePaths', 5, 20, 'at least one path pattern'],
      ['wake.userAgents', 6, 5, 'ignoreUserAgents'],
    ],
  ],
  ['a path that climbs', '{"files": ["a", "../b"]}', [['files[1]', 1, 17, 'without ".."']]],
  [
    'an absolute Dockerfile',
    '{"build": {"dockerfile": "/x"}}',
    [['build.dockerfile', 1, 26, 'relative']],
  ],
  ['version 2', '{"version": 2}', [['version', 1, 13, 'version 2 (builds, routes)']]],
  ['an unknown idle', '{"idle": "sleep"}', [['idle', 1, 10, '"freeze" or "stop" or "run"']]],
  [
    'a health path without a slash',
    '{"healthPath": "up"}',
    [['healthPath', 1, 16, 'beginning with "/"']],
  ],
  ['a command as text', '{"command": "node x"}', [['command', 1, 13, 'an array of words']]],
  [
    'a repeated key',
    '{\n  "port": 1,\n  "port": 2\n}',
    [['port', 3, 3, 'twice (first in line 2)']],
  ],
  ['a repeated key inside', '{"env": {"A": "1", "A": "2"}}', [['env.A', 1, 20, 'twice']]],
  [
    'a key that changes objects',
    '{"env": {"__proto__": "x"}}',
    [['env.__proto__', 1, 10, 'cannot be a key']],
  ],
  [
    'everything at once, in the order of the file',
    '{\n  "port": 0,\n  "nme": "a",\n  "limits": {"timeout": 1},\n  "env": {"A": null}\n}',
    [
      ['port', 2, 11, 'from 1 to 65535'],
      ['nme', 3, 3, '"name"'],
      ['limits.timeout', 4, 25, 'is 1;'],
      ['env.A', 5, 16, 'is null;'],
    ],
  ],
];

function refusal(action: () => unknown): BerthError {
  try {
    action();
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.each([
  ['CONFIG_SYNTAX', SYNTAX],
  ['CONFIG_INVALID', INVALID],
] as const)('%s', (code, cases) => {
  it.each(cases)('%s', (_name, text, expected) => {
    const error = refusal(() => readConfigText(text, 'berth.json'));
    expect(error.code).toBe(code);
    expect(error.problems.map(({ at, line, column }) => [at, line, column])).toEqual(
      expected.map(([at, line, column]) => [at, line, column]),
    );
    error.problems.forEach(({ message }, index) => {
      const [, line, column, part] = expected[index] as Expected;
      expect(message.startsWith(`berth.json:${line}:${column}: `)).toBe(true);
      expect(message).toContain(part);
      expect(error.detail).toContain(message);
    });
  });
});

describe('reading', () => {
  it('accepts exactly what JSON.parse accepts', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      'true',
      'null',
      ' ',
      '\n',
      '\t',
      '\r',
      '/',
      '*',
      "'",
      'a',
      '\u0000',
      '\u2028',
      '\uFEFF',
      '\u00a0',
      '\\u0041',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.json(),
      fc
        .json()
        .chain((json) => fc.nat(json.length).map((at) => json.slice(0, at) + json.slice(at + 1))),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const isJson = isParsable(text.replace(/^\uFEFF/, ''));
        let code: string | undefined;
        try {
          readConfigText(text, 'x');
        } catch (error) {
          code = (error as BerthError).code;
        }
        expect(code !== 'CONFIG_SYNTAX').toBe(isJson);
      }),
      { numRuns: 3000 },
    );
  });

  it('forgives a byte order mark without moving the columns', () => {
    expect(readConfigText('\uFEFF{"name": "a"}', 'x').file).toEqual({ name: 'a' });
    expect(refusal(() => readConfigText('\uFEFF{"nme": 1}', 'x')).problems[0]?.column).toBe(2);
  });

  it('gives places to what is found wrong later', () => {
    const read = readConfigText('{\n  "env": {"DB": "@my db"}\n}', 'now.json');
    const error = refusal(() => toConfiguration(read.file, { ...read }));
    expect(error.problems).toEqual([
      {
        at: 'env.DB',
        line: 2,
        column: 17,
        message: expect.stringMatching(/^now\.json:2:17: DB names no secret with "@my db"/),
      },
    ]);
  });

  it('does not choke on a megabyte of brackets', () => {
    expect(refusal(() => readConfigText('['.repeat(1024 * 1024), 'x')).code).toBe('CONFIG_SYNTAX');
    expect(refusal(() => readConfigText('{"a":'.repeat(200_000), 'x')).code).toBe('CONFIG_SYNTAX');
  });
});

describe('finding', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (name: string, content: string | Uint8Array) =>
    writeFileSync(join(folder, name), content);
  const failure = () =>
    findConfig(folder).then(
      () => undefined,
      (error: BerthError) => error,
    );

  it.each(['berth.json', 'now.json'])('reads %s', async (name) => {
    put(name, '{"name": "shop", "port": 3000}');
    expect(await findConfig(folder)).toMatchObject({
      file: { name: 'shop', port: 3000 },
      name: 'shop',
      path: join(folder, name),
      fileName: name,
    });
  });

  it('is empty without a file, and the name is the folder’s', async () => {
    const sub = join(folder, 'My Shop');
    mkdirSync(sub);
    expect(await findConfig(sub)).toEqual({ file: {}, name: 'my-shop' });
  });

  it('refuses two files', async () => {
    put('berth.json', '{}');
    put('now.json', '{}');
    expect(await failure()).toMatchObject({
      code: 'CONFIG_CONFLICT',
      detail: expect.stringContaining('berth.json and now.json'),
    });
  });

  it.each<[string, string, () => void]>([
    [
      'a huge file, without reading it',
      'at most 1048576',
      () => {
        put('berth.json', '');
        truncateSync(join(folder, 'berth.json'), 2 ** 31);
      },
    ],
    [
      'a file that is not UTF-8',
      'not UTF-8',
      () => put('berth.json', Uint8Array.of(0x7b, 0xff, 0x7d)),
    ],
    ['a folder of that name', 'not a plain file', () => mkdirSync(join(folder, 'berth.json'))],
    ['a link', 'not a plain file', () => symlinkSync('/etc/hostname', join(folder, 'berth.json'))],
  ])('refuses %s', async (_name, message, prepare) => {
    prepare();
    expect(await failure()).toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ message: expect.stringMatching(new RegExp(`^berth\\.json: .*${message}`)) }],
    });
  });

  it('refuses UTF-16', async () => {
    put('now.json', Buffer.from('\uFEFF{}', 'utf16le'));
    expect(await failure()).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('the name made from a folder', () => {
  it.each([
    ['/x/shop', 'shop'],
    ['/x/My_Shop v2', 'my-shop-v2'],
    ['/x/Élan Vital/', 'elan-vital'],
    ['/x/--a--', 'a'],
    ['/x/日本', 'app'],
    ['/', 'app'],
    [`/x/${'ab-'.repeat(30)}`, `${'ab-'.repeat(16)}ab`],
  ])('%s → %s', (folder, name) => {
    expect(projectNameOf(folder)).toBe(name);
  });
  it('is always a name that is allowed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const name = projectNameOf(`/x/${text}`);
        expect(readConfigText(JSON.stringify({ name }), 'x').file.name).toBe(name);
      }),
    );
  });
});

function isParsable(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
