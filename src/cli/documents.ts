/** The reference page of the command line, made from the definitions that parse it. */
import type { Command, Option } from 'commander';
import { type BoundUnit, TRAFFIC_BOUNDS } from '../core/traffic-bounds.ts';
import { createProgram } from './program.ts';
import { EXIT } from './report.ts';
import { formatBound } from './values.ts';

/** A page that is made from the code; `path` is relative to the root of the repository. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const VARIABLES = [
  [
    'BERTH_DATA',
    'data folder of the server, as `--data` (`/var/lib/berth` as root, else `~/.local/share/berth`)',
  ],
  ['BERTH_URL', 'address of a server that is not on this machine; then BERTH_TOKEN is needed too'],
  ['BERTH_TOKEN', 'token for the server, instead of the token file in the data folder'],
  ['BERTH_NODE', 'path of a Node ≥ 24 for `./berth` to use'],
  ['NO_COLOR', 'when set: no colour and no moving status line'],
] as const;

const EXIT_CODES = [
  [EXIT.ok, 'it worked'],
  [EXIT.failure, 'it failed: a code and what to do are on stderr'],
  [EXIT.usage, 'the command line is not right'],
  [EXIT.differs, 'of `berth diff`: there is something to do'],
  [EXIT.interrupted, 'ctrl-C'],
] as const;

export function documents(): readonly Document[] {
  const program = createProgram(
    {
      version: '',
      env: {},
      stdout: { write: () => undefined },
      clock: { now: () => 0, sleep: () => Promise.resolve() },
    },
    true,
    () => Promise.resolve(),
  );
  const globals = program.options.filter((option) => option.long !== '--version');
  const text = [
    '# Command line',
    'A folder with a Dockerfile becomes an immutable URL that costs nothing while idle. `berth` alone in a folder deploys it; `berth FOLDER` deploys that one.',
    'Results go to stdout, everything else to stderr. When stdout is not a terminal, `berth deploy` writes only the URL there. With `--json` the result is JSON, lists are arrays of objects, and a failure is `{ "error": … }` on stderr.',
    '## Options of every command',
    optionTable(globals),
    ...program.commands.flatMap((command) => commandSections(command, 'berth')),
    '## Bounds of traffic',
    'What `berth serve` and `berth up` take after `--bound`, for example `--bound headers-timeout=5s --bound header-size=64KiB`.',
    boundTable(),
    '## Environment',
    table(
      ['variable', 'meaning'],
      VARIABLES.map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    ),
    '<!-- Made by `npm run docs` from src/cli/program.ts. -->\n',
  ].join('\n\n');
  return [{ path: 'docs/reference/cli.md', text }];
}

/** One section per command; those of a group (`berth tls`) come one by one. */
function commandSections(command: Command, above: string): readonly string[] {
  const name = `${above} ${command.name()}`;
  if (command.commands.length === 0) return commandSection(command, name);
  return command.commands.flatMap((inner) => commandSections(inner, name));
}

function commandSection(command: Command, name: string): readonly string[] {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const usage = [name, ...args, ...(command.options.length > 0 ? ['[options]'] : [])];
  const parts = [`## ${name}`, sentence(command.description()), `\`${usage.join(' ')}\``];
  if (command.registeredArguments.length > 0) {
    const rows = command.registeredArguments.map((argument) => [
      `\`${argument.name()}\``,
      described(argument.description, argument.defaultValue),
    ]);
    parts.push(table(['argument', 'meaning'], rows));
  }
  if (command.options.length > 0) parts.push(optionTable(command.options));
  return parts;
}

function optionTable(options: readonly Option[]): string {
  return table(
    ['option', 'meaning'],
    options.map((option) => {
      // `--no-wait` has `true` as the default of its opposite: nothing to tell.
      const value: unknown = option.negate ? undefined : option.defaultValue;
      const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
      return [`\`${option.flags}\``, described(option.description + choices, value)];
    }),
  );
}

function boundTable(): string {
  const shown = (value: number, unit: BoundUnit) => `\`${formatBound(value, unit)}\``;
  return table(
    ['name', 'bounds', 'default', 'from', 'to', 'beyond it'],
    Object.values(TRAFFIC_BOUNDS).map((bound) => [
      `\`${bound.name}\``,
      bound.meaning,
      shown(bound.default, bound.unit),
      shown(bound.least, bound.unit),
      shown(bound.most, bound.unit),
      bound.beyond,
    ]),
  );
}

function described(meaning: string, value: unknown): string {
  return value === undefined
    ? meaning
    : `${meaning}; default \`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
