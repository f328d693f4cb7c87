/** The references of berth.json and of stacks, made from its schema: for editors as JSON Schema, for people as a page. */
import { z } from 'zod';
import { BOUNDS, SLOTS } from '../core/limits.ts';
import { DEFAULTS, IGNORE_FILES, NEVER } from './ignore.ts';
import { configFileSchema, WITHOUT_EFFECT } from './keys.ts';
import { rowsOf, type Shape, TABLE_HEAD } from './key-table.ts';
import { BASE_IMAGES } from './kinds/kind.ts';
import { stackJsonSchema, stackReference } from './stack-documents.ts';
import { sizeText } from './walk.ts';

/** Every generated document: path from the root of the repository, and text. */
export function documents(): readonly { readonly path: string; readonly text: string }[] {
  return [
    {
      path: 'docs/reference/berth.schema.json',
      text: `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
    },
    { path: 'docs/reference/configuration.md', text: configReference() },
    {
      path: 'docs/reference/berth.stack.schema.json',
      text: `${JSON.stringify(stackJsonSchema(), null, 2)}\n`,
    },
    { path: 'docs/reference/stack.md', text: stackReference() },
  ];
}

/** JSON Schema (draft 2020-12) of `berth.json`, without `$id`: wherever it lies, it can be named. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, title, description, ...rest } = z.toJSONSchema(configFileSchema, {
    io: 'input',
  });
  return { $schema, title, description, ...rest };
}

/** The page about the configuration file. */
export function configReference(): string {
  const { properties = {} } = configJsonSchema() as Shape;
  const names = Object.keys(properties);
  const isIdle = (name: string): boolean => Object.hasOwn(WITHOUT_EFFECT, name);
  const rows = (chosen: readonly string[]): readonly string[] =>
    chosen.flatMap((name) => rowsOf(name, properties[name] ?? {}));
  return `${[
    '# Configuration: berth.json',
    '',
    'Made from the code by `npm run docs`; change `src/config/keys.ts` instead.',
    '',
    'A folder may have a `berth.json`, or an unchanged `now.json` of 2018, but not both. It is strict JSON. Every key is',
    'optional. An unknown key, a repeated one and a value out of range are errors that name file, line and column.',
    'Options of the command line win over the file for one deploy.',
    '',
    'For completion in an editor, let `$schema` name a copy of [berth.schema.json](berth.schema.json).',
    '',
    '```json',
    '{',
    '  "name": "shop",',
    '  "slot": "c.25-m1024",',
    '  "limits": { "maxConcurrentReqs": 20, "timeout": 30000 },',
    '  "env": { "NODE_ENV": "production" },',
    '  "healthPath": "/healthz"',
    '}',
    '```',
    '',
    '## Keys',
    '',
    ...TABLE_HEAD,
    ...rows(names.filter((name) => !isIdle(name))),
    '',
    `A variable may hold ${sizeText(BOUNDS.envValueBytes)}; there may be ${BOUNDS.envNames} of them.`,
    '',
    '### Slots',
    '',
    `A slot is \`c<cores>-m<MiB>\`: at least c${BOUNDS.slotCpus.min} and m${BOUNDS.slotMemoryMiB.min}, at most what the machine has. Usual ones:`,
    '',
    '| slot | for |',
    '|---|---|',
    ...SLOTS.map((slot) => `| \`${slot.name}\` | ${slot.for} |`),
    '',
    '## Keys of now.json that are accepted and change nothing',
    '',
    ...TABLE_HEAD,
    ...rows(names.filter(isIdle)),
    '',
    ...uploadSection(),
    '',
    ...kindsSection(),
  ].join('\n')}\n`;
}

function uploadSection(): readonly string[] {
  const names = (group: keyof typeof IGNORE_FILES): string =>
    IGNORE_FILES[group].map(({ name }) => `\`${name}\``).join(', else ');
  const code = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(' ');
  return [
    '## What is uploaded',
    '',
    'Everything in the folder but what an ignore file names. With several of them, a file has to pass each that is read.',
    '',
    '| file | read | rules |',
    '|---|---|---|',
    `| ${names('own')} | always | \`.berthignore\`: Docker's; \`.nowignore\`: git's, as in 2018 |`,
    `| ${names('docker')} | always: the builder applies it too | Docker's |`,
    `| ${names('git')}, in every folder | only when there is none of the others | git's |`,
    '',
    "- **Docker's rules**: a pattern counts from the root of the folder (`*.log` is not `sub/a.log`; `**/*.log` is), `**` crosses",
    '  folders, `#` begins a comment, `!` takes back in, also below a folder that is left out, and the last line that matches wins.',
    "- **git's rules**: a pattern without a slash counts at any depth, and below a folder that is left out nothing comes back.",
    `- Never uploaded: ${code(NEVER)}.`,
    `- Left out at any depth unless a line such as \`!node_modules\` takes it back in: ${code(DEFAULTS)}.`,
    '- Never left out: the Dockerfile, and the ignore files that are read.',
    '- `files` uploads only what it names; then `.gitignore`, `.berthignore` and `.nowignore` are not read.',
    '',
    `At most ${BOUNDS.uploadFiles} files, ${sizeText(BOUNDS.uploadFileBytes)} each and ${sizeText(BOUNDS.uploadBytes)} together. Permission bits are kept, owners and times are not.`,
    'Symbolic links are uploaded as links and must stay inside the folder; sockets, pipes and devices are refused.',
    '',
    'The same files with the same configuration are the same deployment.',
  ];
}

function kindsSection(): readonly string[] {
  return [
    '## Folders without a Dockerfile',
    '',
    'The first kind that fits is used. `berth deploy` shows the Dockerfile it made; saved as `Dockerfile`, it is yours to change.',
    '',
    '| kind | seen by | runs |',
    '|---|---|---|',
    `| Node | \`package.json\` with a start script, a \`main\`, \`server.js\` or \`index.js\` | \`${BASE_IMAGES.node}\`: packages by the lock file, the build script if there is one, then the start script (without npm when it is one plain command) |`,
    `| Go | \`go.mod\` with \`package main\` in the folder, or in one folder below \`cmd/\` | the static binary in an empty image, built in \`${BASE_IMAGES.go}\` |`,
    `| Python | \`main.py\`, \`app.py\` or \`server.py\`; \`requirements.txt\` is installed | \`${BASE_IMAGES.python}\`: the file, or uvicorn or gunicorn when they are required and the file only defines an app |`,
    `| static | \`index.html\` | a small file server in \`${BASE_IMAGES.node}\`; hidden files and the configuration are not served, \`404.html\` is used |`,
  ];
}
