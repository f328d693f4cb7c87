/** Proves which folders are recognised without a Dockerfile, and what Dockerfile each gets. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { checkManifest } from '../core/manifest.ts';
import { checkDockerfile } from './dockerfile.ts';
import { readDotenv } from './dotenv.ts';
import type { ConfigFile } from './keys.ts';
import { GENERATED_DOCKERFILE } from './kinds/kind.ts';
import { prepareFolder } from './prepare.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-kind-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function put(files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(
      join(root, path),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
}
/** Kind and the lines of the Dockerfile below its header. */
async function made(files: Readonly<Record<string, string | object>>, config: ConfigFile = {}) {
  put(files);
  const { recognised } = await prepareFolder(root, config);
  if (recognised === undefined) throw new Error('nothing was made');
  expect(() => checkDockerfile(recognised.dockerfile)).not.toThrow();
  const [header, ...lines] = recognised.dockerfile.trimEnd().split('\n');
  expect(header).toMatch(/^# Made by Berth/);
  return { kind: recognised.kind, lines, because: recognised.because };
}
const failure = (config: ConfigFile = {}) =>
  prepareFolder(root, config).then(
    () => undefined,
    (error: BerthError) => error,
  );

const NODE = 'FROM docker.io/library/node:24-slim';
const ENVIRONMENT = 'ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH';

describe('a Node app', () => {
  it('without packages is copied and run', async () => {
    expect(await made({ 'package.json': {}, 'server.js': '' })).toEqual({
      kind: 'node',
      lines: [NODE, 'WORKDIR /app', ENVIRONMENT, 'COPY . .', 'CMD ["node","server.js"]'],
      because: 'package.json is there, and server.js is what Node runs',
    });
  });

  it('with a lock file is installed before it is copied, so that a changed line keeps the layer', async () => {
    const { lines, because } = await made({
      'package.json': { main: './lib/main', dependencies: { micro: '1' } },
      'package-lock.json': {},
      'lib/main.js': '',
    });
    expect(lines).toEqual([
      NODE,
      'WORKDIR /app',
      ENVIRONMENT,
      'COPY package.json package-lock.json ./',
      'RUN npm ci --no-audit --no-fund --omit=dev && rm -rf /root/.npm',
      'COPY . .',
      'CMD ["node","lib/main.js"]',
    ]);
    expect(because).toContain('package-lock.json');
  });

  it('with a build script is built in a stage of its own', async () => {
    const { lines } = await made({
      'package.json': {
        scripts: { build: 'tsc', start: 'node dist' },
        devDependencies: { typescript: '1' },
      },
      'package-lock.json': {},
    });
    expect(lines).toEqual([
      `${NODE} AS build`,
      'WORKDIR /app',
      'COPY package.json package-lock.json ./',
      'RUN npm ci --no-audit --no-fund',
      'COPY . .',
      'RUN npm run build && npm prune --omit=dev',
      '',
      NODE,
      'WORKDIR /app',
      ENVIRONMENT,
      'COPY --from=build /app .',
      'CMD ["node","dist"]',
    ]);
  });

  it.each<[string, object, string]>([
    ['node server.js', {}, '["node","server.js"]'],
    ['  micro -p 3000 ', {}, '["micro","-p","3000"]'],
    ['NODE_ENV=production node x', {}, '["npm","start"]'],
    ['node a && node b', {}, '["npm","start"]'],
    ['node "a b"', {}, '["npm","start"]'],
    ['node x $PORT', {}, '["npm","start"]'],
    ['node x', { prestart: 'make' }, '["npm","start"]'],
  ])('with the start script %j (and %j) runs %s', async (start, more, command) => {
    const { lines } = await made({ 'package.json': { scripts: { start, ...more } } });
    expect(lines.at(-1)).toBe(`CMD ${command}`);
  });

  it.each<[string, Record<string, string | object>, string]>([
    ['no lock file', {}, 'RUN npm install --no-audit --no-fund --omit=dev && rm -rf /root/.npm'],
    [
      'pnpm',
      { 'pnpm-lock.yaml': '' },
      'RUN corepack enable && pnpm install --frozen-lockfile --prod && rm -rf /root/.npm',
    ],
    [
      'yarn',
      { 'yarn.lock': '' },
      'RUN corepack enable && yarn install --frozen-lockfile --production && rm -rf /root/.npm',
    ],
  ])('with %s installs by it', async (_name, files, line) => {
    const { lines } = await made({
      'package.json': { dependencies: { a: '1' } },
      'index.js': '',
      ...files,
    });
    expect(lines).toContain(line);
  });

  it.each([
    ['a package of the folder', { dependencies: { a: 'file:./a' } }],
    ['workspaces', { workspaces: ['a'] }],
    ['an install script', { dependencies: { a: '1' }, scripts: { postinstall: 'x' } }],
  ])('with %s is copied whole before installing', async (_name, manifest) => {
    const { lines } = await made({ 'package.json': manifest, 'index.js': '' });
    expect(lines.indexOf('COPY . .')).toBeLessThan(
      lines.findIndex((line) => line.startsWith('RUN')),
    );
  });

  it('whose packages are uploaded is not installed again', async () => {
    const { lines } = await made({
      '.gitignore': '!node_modules',
      'package.json': { dependencies: { a: '1' } },
      'index.js': '',
      'node_modules/a/index.js': '',
    });
    expect(lines.some((line) => line.startsWith('RUN'))).toBe(false);
  });
});

describe('a Python app', () => {
  const PYTHON = ['FROM docker.io/library/python:3-slim', 'WORKDIR /app', 'ENV PYTHONUNBUFFERED=1'];
  const INSTALL = 'RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt';

  it('without requirements is copied and run', async () => {
    expect(await made({ 'main.py': '' })).toMatchObject({
      kind: 'python',
      lines: [...PYTHON, 'COPY . .', 'CMD ["python","main.py"]'],
    });
  });

  it('with requirements installs them first', async () => {
    const { lines } = await made({ 'app.py': 'print(1)', 'requirements.txt': '# web\nflask==3\n' });
    expect(lines).toEqual([
      ...PYTHON,
      'COPY requirements.txt ./',
      INSTALL,
      'COPY . .',
      'CMD ["python","app.py"]',
    ]);
  });

  it('with requirements of the folder itself is copied first', async () => {
    const { lines } = await made({ 'app.py': '', 'requirements.txt': '-e .' });
    expect(lines.slice(3, 5)).toEqual(['COPY . .', INSTALL]);
  });

  it.each([
    [
      'app = FastAPI()',
      'fastapi\nuvicorn[standard]>=0.3',
      'CMD ["sh","-c","exec uvicorn app:app --host 0.0.0.0 --port \\"$PORT\\""]',
    ],
    [
      'web: Flask = flask.Flask(__name__)',
      'Flask\ngunicorn',
      'CMD ["sh","-c","exec gunicorn --bind \\"0.0.0.0:$PORT\\" app:web"]',
    ],
    [
      'app = Flask(__name__)\nif __name__ == "__main__":\n  app.run()',
      'flask\ngunicorn',
      'CMD ["python","app.py"]',
    ],
    ['app = FastAPI()', 'fastapi', 'CMD ["python","app.py"]'],
  ])(
    'that says %j and needs %j is started by the right server',
    async (text, requirements, command) => {
      const { lines } = await made({ 'app.py': text, 'requirements.txt': requirements });
      expect(lines.at(-1)).toBe(command);
    },
  );
});

describe('a Go program', () => {
  it('is built and copied into an empty image', async () => {
    expect(await made({ 'go.mod': 'module x\n', 'main.go': '// hello\npackage main\n' })).toEqual({
      kind: 'go',
      because: 'go.mod is there, and the program is .',
      lines: [
        'FROM docker.io/library/golang:1 AS build',
        'WORKDIR /src',
        'COPY . .',
        'RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app .',
        expect.stringMatching(/^#/),
        expect.stringContaining('/out/tmp'),
        expect.stringContaining('ca-certificates'),
        '',
        'FROM scratch',
        'COPY --from=build /out /',
        'CMD ["/app"]',
      ],
    });
  });

  it('below cmd/ is found, gets its modules first, and its data', async () => {
    const { lines } = await made({
      'go.mod': 'module x\nrequire y v1',
      'go.sum': '',
      'lib.go': 'package x',
      'cmd/web/main.go': 'package main',
      'templates/index.tmpl': '',
    });
    expect(lines).toContain('RUN go mod download');
    expect(lines).toContain(
      'RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app ./cmd/web',
    );
    expect(lines.slice(-3)).toEqual(['WORKDIR /srv', 'COPY . .', 'CMD ["/app"]']);
  });

  it('is not guessed among several', async () => {
    put({ 'go.mod': 'module x', 'cmd/a/main.go': 'package main', 'cmd/b/main.go': 'package main' });
    expect(await failure()).toMatchObject({
      code: 'NO_DOCKERFILE',
      detail: expect.stringContaining('./cmd/a, ./cmd/b'),
    });
  });
});

describe('a static site', () => {
  it('gets our own server, and loses what is not for everybody', async () => {
    put({
      'index.html': 'hi',
      'berth.json': '{"env": {"KEY": "x"}}',
      '.dockerignore': 'secret',
      secret: '',
    });
    const prepared = await prepareFolder(root, {});
    expect(prepared.recognised?.kind).toBe('static');
    expect(prepared.dockerfile).toBe(GENERATED_DOCKERFILE);
    expect(prepared.manifest.map(({ path }) => path)).toEqual([
      '.berth/Dockerfile',
      '.berth/static-server.mjs',
      'index.html',
    ]);
    expect(checkManifest(prepared.manifest)).toEqual([]);
    for (const entry of prepared.manifest) {
      if (entry.kind !== 'file') continue;
      const text = prepared.texts.get(entry.sha256);
      const path = prepared.files.get(entry.sha256);
      expect(Buffer.byteLength(text ?? readFileSync(path ?? ''))).toBe(entry.bytes);
    }
  });

  it('beside a package.json that runs nothing is one as well', async () => {
    expect((await made({ 'package.json': {}, 'index.html': '' })).kind).toBe('static');
  });

  it('is chosen by "type" also when there is a Dockerfile', async () => {
    put({ 'index.html': '', Dockerfile: 'FROM x' });
    expect((await prepareFolder(root, { type: 'static' })).recognised?.kind).toBe('static');
    expect((await prepareFolder(root, {})).recognised).toBeUndefined();
  });
});

describe('a folder with a Dockerfile', () => {
  it.each(['Dockerfile', 'Containerfile'])('(%s) uses it', async (name) => {
    put({ [name]: 'FROM scratch', 'package.json': '{}', 'index.js': '' });
    expect(await prepareFolder(root, {})).toMatchObject({ dockerfile: name, texts: new Map() });
  });

  it('has it looked over', async () => {
    put({ 'x/Dockerfile': 'FROM a\nRUN <<EOF\nb\nEOF' });
    expect(await failure({ build: { dockerfile: 'x/Dockerfile' } })).toMatchObject({
      code: 'DOCKERFILE_UNSUPPORTED',
      detail: expect.stringContaining('x/Dockerfile:2'),
    });
  });

  it.each<ConfigFile>([{ type: 'docker' }, { build: { dockerfile: 'other' } }])(
    'must have it when the configuration says so: %j',
    async (config) => {
      put({ 'index.html': '' });
      expect(await failure(config)).toMatchObject({ code: 'NO_DOCKERFILE' });
    },
  );
});

describe('a folder that is nothing known', () => {
  it.each<[string, Record<string, string | object>, ConfigFile, string]>([
    ['empty', {}, {}, 'nothing was recognised'],
    ['package.json that runs nothing', { 'package.json': {} }, {}, 'no start script and no main'],
    ['package.json that is broken', { 'package.json': '{' }, {}, 'not a JSON object'],
    ['requirements alone', { 'requirements.txt': 'x' }, {}, 'none of main.py, app.py'],
    ['go.mod alone', { 'go.mod': 'module x' }, {}, 'no package main'],
    [
      'no Node app though "type" says so',
      { 'index.html': '' },
      { type: 'npm' },
      'of the kind that "type" asks for',
    ],
  ])('%s: says what is missing', async (_name, files, config, message) => {
    put(files);
    expect(await failure(config)).toMatchObject({
      code: 'NO_DOCKERFILE',
      detail: expect.stringContaining(message),
    });
  });
});

describe('dotenv', () => {
  it('reads .env, or the file named', async () => {
    put({ '.env': '# c\nA=1\nexport B="x y"\n', 'conf/prod.env': 'C=3' });
    expect(await readDotenv(root, true)).toEqual({ A: '1', B: 'x y' });
    expect(await readDotenv(root, './conf/prod.env')).toEqual({ C: '3' });
    expect(await readDotenv(root, false)).toEqual({});
    await expect(readDotenv(root, 'nope')).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
