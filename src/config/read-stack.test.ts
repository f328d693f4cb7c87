/** Proves that a stack file is read the same from JSON and YAML, and that what is wrong is said with its place. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { findStack, readStackText } from './read-stack.ts';

const JSON_TEXT = `{
  "teams": { "blue": { "plan": "pro" } },
  "projects": {
    "shop": {
      "team": "blue",
      "environments": {
        "staging": { "runs": { "folder": "./shop" }, "variables": { "DB": "@db-url", "AT": "\\\\@home" } },
        "production": {
          "runs": { "from": "staging" },
          "limits": { "duration": 5000 },
          "scale": { "min": 1, "max": 3 }
        }
      }
    }
  },
  "aliases": { "WWW.example.com./api/": "shop" }
}`;
const YAML_TEXT = `
teams:
  blue: { plan: pro }
projects:
  shop:
    team: blue
    environments:
      staging:
        runs: { folder: ./shop }
        variables:
          DB: "@db-url"
          AT: '\\@home'
      production:
        runs:
          from: staging
        limits:
          duration: 5000
        scale: { min: 1, max: 3 }
aliases:
  WWW.example.com./api/: shop
`;

function failure(text: string, fileName = 'berth.stack.yaml'): BerthError {
  try {
    readStackText(text, fileName);
  } catch (error) {
    return error as BerthError;
  }
  throw new Error('it was read');
}

describe('a stack', () => {
  it('is the same from JSON and from YAML', () => {
    const { stack } = readStackText(JSON_TEXT, 'berth.stack.json');
    expect(readStackText(YAML_TEXT, 'berth.stack.yaml').stack).toStrictEqual(stack);
    expect(stack.teams.get('blue')).toStrictEqual({ plan: 'pro' });
    expect([...(stack.aliases ?? [])]).toStrictEqual([['www.example.com/api', 'shop']]);
    const { team, environments } = stack.projects.get('shop') ?? {};
    expect(team).toBe('blue');
    expect(environments?.get('staging')).toStrictEqual({
      runs: { kind: 'folder', folder: './shop' },
      variables: { DB: '@db-url', AT: '@@home' },
    });
    expect(environments?.get('production')).toStrictEqual({
      runs: { kind: 'environment', environment: 'staging' },
      limits: { durationMs: 5000 },
      scale: { min: 1, max: 3 },
    });
  });

  it('may be empty, and leaves what it does not say unsaid', () => {
    const { stack } = readStackText('{}', 'berth.stack.json');
    expect(stack).toStrictEqual({ teams: new Map(), projects: new Map() });
    const { projects } = readStackText('projects: { shop: {} }', 'a.yml').stack;
    expect(projects.get('shop')).toStrictEqual({});
  });
});

describe('what is wrong is said with line and column', () => {
  it.each([
    [
      'projects:\n  shop:\n    enviroments: {}',
      '3:5: there is no key projects.shop.enviroments; did you mean "environments"?',
    ],
    ['projects:\n  Shop: {}', '2:3: projects.Shop is not a name of a–z'],
    [
      'projects:\n  shop:\n    environments:\n      qa:\n        scale: { min: 3, max: 2 }',
      '5:23: projects.shop.environments.qa.scale.min is 3; it must be at most the "max" beside it',
    ],
    [
      'projects:\n  shop:\n    environments:\n      qa:\n        variables:\n          PORT: 8080',
      '6:17: projects.shop.environments.qa.variables.PORT is 8080; it must be text in quotes',
    ],
    [
      'projects:\n  shop:\n    environments:\n      qa:\n        variables:\n          KEY: "@no such"',
      '6:16: KEY names no secret with "@no such"',
    ],
    [
      'projects:\n  shop:\n    environments:\n      qa:\n        runs: { folder: a, image: b }',
      '5:15: projects.shop.environments.qa.runs is',
    ],
    [
      'projects:\n  shop:\n    triggers: { nightly: {} }',
      '3:17: there is no key projects.shop.triggers.nightly; nothing may stand here',
    ],
    ['aliases:\n  http://a.com: shop', '2:3: http://a.com is not of the form'],
    ['aliases:\n  a.com: shop\n  A.com: shop', '3:3: a.com is there twice'],
    [
      'projects: {}\nteams: {}\nprojects: {}',
      '3:1: projects is there twice (first in line 1): keep one',
    ],
  ])('%j', (text, message) => {
    const { code, problems } = failure(text);
    expect(code).toBe('CONFIG_INVALID');
    expect(problems[0]?.message).toContain(`berth.stack.yaml:${message}`);
    const [line, column] = message.split(':').map(Number);
    expect(problems[0]).toMatchObject({ line, column });
  });

  it('in JSON as well', () => {
    const { problems } = failure(
      '{\n  "projects": { "shop": { "teem": "a" } }\n}',
      'berth.stack.json',
    );
    expect(problems[0]?.message).toMatch(
      /^berth\.stack\.json:2:27: there is no key projects\.shop\.teem; did you mean "team"\?$/,
    );
  });

  it.each([
    ['', '1:1: the file is empty'],
    ['projects: [', '1:'],
    ['a: b: c', '1:'],
    ['projects: !!js/function "x"', '1:11: Unresolved tag'],
    ['a: 1\n---\nb: 2', '2:1: '],
    ['a: &a [x]\nb: *none', '2:4: there is no anchor none'],
  ])('what is no YAML: %j', (text, message) => {
    const { code, problems } = failure(text);
    expect(code).toBe('CONFIG_SYNTAX');
    expect(problems[0]?.message).toContain(`berth.stack.yaml:${message}`);
  });

  it('levels without end are refused', () => {
    const { code, problems } = failure('['.repeat(20_000));
    expect(code).toBe('CONFIG_SYNTAX');
    expect(problems[0]?.message).toContain('it is nested too deeply');
  });

  it('anchors that multiply a file are refused', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1) {
      const uses = Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ');
      lines.push(`a${level}: &a${level} [${uses}]`);
    }
    expect(failure(lines.join('\n')).code).toBe('CONFIG_SYNTAX');
  });
});

describe('the file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-stack-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is the one named, or the only one of the usual names', async () => {
    await expect(findStack(folder)).rejects.toMatchObject({ code: 'STACK_NOT_FOUND' });
    await expect(findStack(folder, 'other.yaml')).rejects.toMatchObject({
      code: 'STACK_NOT_FOUND',
    });
    await writeFile(join(folder, 'berth.stack.yml'), 'projects: { one: {} }');
    expect((await findStack(folder)).stack.projects.has('one')).toBe(true);
    await writeFile(join(folder, 'berth.stack.json'), '{ "projects": { "two": {} } }');
    await expect(findStack(folder)).rejects.toMatchObject({ code: 'CONFIG_CONFLICT' });
    const named = await findStack('/', join(folder, 'berth.stack.json'));
    expect(named.stack.projects.has('two')).toBe(true);
    expect(named.folder).toBe(folder);
  });
});
