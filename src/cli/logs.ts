/** `berth logs`: what the instances of a deployment wrote, and with --follow what they go on to write. */
import type { LogLine } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

const DEFAULT_LINES = 100;

export interface LogsOptions extends GlobalOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  /** ms since the epoch. */
  readonly since?: number;
}

export async function run(context: Context, name: string, options: LogsOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const tail = options.lines ?? (options.since === undefined ? DEFAULT_LINES : undefined);
  const query = {
    ...(tail === undefined ? {} : { tail }),
    ...(options.since === undefined ? {} : { since: new Date(options.since).toISOString() }),
  };
  if (options.follow) {
    // One object a line, so that a reader need not wait for an end that does not come.
    const show = output.isJson ? (line: LogLine) => output.print(JSON.stringify(line)) : print;
    for await (const line of client.followLogs(name, query, world.interrupted)) show(line);
    return;
  }
  const lines = await client.logs(name, query);
  if (output.isJson) output.json(lines);
  else if (lines.length === 0) output.note('No lines.');
  else for (const line of lines) print(line);

  function print(line: LogLine): void {
    const instance = line.instance.slice(line.instance.lastIndexOf('.') + 1);
    const text = line.stream === 'stderr' ? output.style('yellow', line.text) : line.text;
    output.print(`${output.style('dim', `${line.at} ${instance}`)} ${text}`);
  }
}
