/** Recognises a Node.js app by its package.json. */
import { BASE_IMAGES, type FolderView, HEADER, type Recognition } from './kind.ts';

interface PackageJson {
  readonly main?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, unknown>>;
  readonly optionalDependencies?: Readonly<Record<string, unknown>>;
  readonly devDependencies?: Readonly<Record<string, unknown>>;
  readonly workspaces?: unknown;
}

/** How packages are installed, by the lock file that is there; the first one counts. */
const INSTALLERS = [
  {
    lock: 'package-lock.json',
    all: 'npm ci --no-audit --no-fund',
    lean: ' --omit=dev',
    run: 'npm run',
    prune: 'npm prune --omit=dev',
  },
  {
    lock: 'npm-shrinkwrap.json',
    all: 'npm ci --no-audit --no-fund',
    lean: ' --omit=dev',
    run: 'npm run',
    prune: 'npm prune --omit=dev',
  },
  {
    lock: 'pnpm-lock.yaml',
    all: 'corepack enable && pnpm install --frozen-lockfile',
    lean: ' --prod',
    run: 'pnpm run',
    prune: 'pnpm prune --prod',
  },
  {
    lock: 'yarn.lock',
    all: 'corepack enable && yarn install --frozen-lockfile',
    lean: ' --production',
    run: 'yarn run',
    prune: 'yarn install --frozen-lockfile --production',
  },
] as const;
const NO_LOCK = {
  all: 'npm install --no-audit --no-fund',
  lean: ' --omit=dev',
  run: 'npm run',
  prune: 'npm prune --omit=dev',
};

/** What Node runs without a start script, in this order after `main`. */
const ENTRIES = ['server.js', 'index.js', 'server.mjs', 'index.mjs', 'server.ts', 'index.ts'];

/** Scripts that npm runs while it installs, and that may need any file of the folder. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

export async function recogniseNode(view: FolderView): Promise<Recognition> {
  const text = await view.text('package.json');
  if (text === undefined) return undefined;
  const manifest = parsed(text);
  if (manifest === undefined) return { whyNot: 'package.json is not a JSON object' };
  const start = startOf(manifest, view);
  if (start === undefined) {
    return {
      whyNot: 'package.json has no start script and no main, and there is no server.js or index.js',
    };
  }

  const found = INSTALLERS.find(({ lock }) => view.has(lock));
  const installer = found ?? NO_LOCK;
  const script = ['now-build', 'build'].find(
    (name) => typeof manifest.scripts?.[name] === 'string',
  );
  const hasPackages =
    [manifest.dependencies, manifest.optionalDependencies, script && manifest.devDependencies].some(
      (packages) => typeof packages === 'object' && Object.keys(packages).length > 0,
    ) || manifest.workspaces !== undefined;
  const isInstalled = view.paths.some((path) => path.startsWith('node_modules/'));
  const install = hasPackages && !isInstalled ? installer.all : undefined;

  const first = [
    'package.json',
    found?.lock,
    '.npmrc',
    '.yarnrc',
    '.yarnrc.yml',
    'pnpm-workspace.yaml',
  ]
    .filter((name) => name !== undefined && view.has(name))
    .join(' ');
  const copyAndInstall = (command: string): readonly string[] =>
    needsWholeFolder(manifest)
      ? ['COPY . .', `RUN ${command}`]
      : [`COPY ${first} ./`, `RUN ${command}`, 'COPY . .'];
  const environment = 'ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH';

  const lines =
    script === undefined
      ? [
          HEADER,
          `FROM ${BASE_IMAGES.node}`,
          'WORKDIR /app',
          environment,
          ...(install === undefined
            ? ['COPY . .']
            : copyAndInstall(`${install}${installer.lean} && rm -rf /root/.npm`)),
        ]
      : [
          HEADER,
          `FROM ${BASE_IMAGES.node} AS build`,
          'WORKDIR /app',
          ...(install === undefined ? ['COPY . .'] : copyAndInstall(install)),
          `RUN ${installer.run} ${script}${install === undefined ? '' : ` && ${installer.prune}`}`,
          '',
          `FROM ${BASE_IMAGES.node}`,
          'WORKDIR /app',
          environment,
          'COPY --from=build /app .',
        ];
  return {
    kind: 'node',
    dockerfile: `${[...lines, `CMD ${JSON.stringify(start.command)}`].join('\n')}\n`,
    extraFiles: [],
    without: [],
    because: `package.json is there${found === undefined ? '' : ` with ${found.lock}`}, and ${start.because}`,
  };
}

function parsed(text: string): PackageJson | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A start script that is one plain command is run without npm and without a shell: npm would take some 150 ms more to
 * boot, hold 50 MB, and keep SIGTERM to itself.
 */
function startOf(
  manifest: PackageJson,
  view: FolderView,
): { readonly command: readonly string[]; readonly because: string } | undefined {
  const script = manifest.scripts?.start;
  if (typeof script === 'string' && script.trim() !== '') {
    const words = script.trim().split(/\s+/);
    const isPlain =
      words.every((word) => /^[\w@%+:,./=-]+$/.test(word)) && !words[0]?.includes('=');
    const hasHooks = ['prestart', 'poststart'].some(
      (name) => manifest.scripts?.[name] !== undefined,
    );
    return {
      command: isPlain && !hasHooks ? words : ['npm', 'start'],
      because: `its start script is \`${script.trim()}\``,
    };
  }
  const main = typeof manifest.main === 'string' ? manifest.main.replace(/^\.\//, '') : undefined;
  const candidates =
    main === undefined ? [] : [main, `${main}.js`, `${main.replace(/\/$/, '')}/index.js`];
  const entry = [...candidates, ...ENTRIES].find((path) => view.has(path));
  return entry === undefined
    ? undefined
    : { command: ['node', entry], because: `${entry} is what Node runs` };
}

function needsWholeFolder(manifest: PackageJson): boolean {
  if (manifest.workspaces !== undefined) return true;
  if (INSTALL_SCRIPTS.some((name) => manifest.scripts?.[name] !== undefined)) return true;
  return [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies].some(
    (packages) =>
      Object.values(packages ?? {}).some((from) =>
        /^(?:file|link|portal|workspace|patch):|^\.{0,2}\//.test(String(from)),
      ),
  );
}
